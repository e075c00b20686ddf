"""Two photos of every scan of the yardstick, side by side, as one picture."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from benchmarks.quality.scans import SCANS, Scan
from benchmarks.quality.studio import open_studio, photograph
from neus.cli import run
from neus.files import written_whole

if TYPE_CHECKING:
    from jaxtyping import UInt8

TILE = (200, 150)
COLUMNS = 3
"""Scans in a row."""
PLACES = (0.2, 0.85)
"""Where in the order of its photos the two that are shown stand."""
QUALITY = 84
"""Of the JPEG."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scan-seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, help="the picture (.jpg)")
    options = parser.parse_args(argv)
    tiles = [pair(scan, options.scan_seed) for scan in SCANS]
    tiles += [np.full_like(tiles[0], 255)] * (-len(tiles) % COLUMNS)
    rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
    with written_whole(options.output) as partial:
        cv2.imwrite(str(partial), np.vstack(rows), [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return 0


def pair(scan: Scan, seed: int) -> UInt8[np.ndarray, "h w 3"]:
    """Two photos of a scan and its name, as OpenCV orders colours."""
    studio = open_studio(scan, seed)
    chosen = [photograph(studio, int(place * (scan.views - 1)))[0] for place in PLACES]
    small = [cv2.resize(photo, TILE, interpolation=cv2.INTER_AREA) for photo in chosen]
    both = np.ascontiguousarray(np.hstack(small)[:, :, ::-1])
    cv2.putText(both, scan.name, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, 16)
    return cv2.copyMakeBorder(both, 0, 4, 0, 6, cv2.BORDER_CONSTANT, value=(255, 255, 255))


if __name__ == "__main__":
    run(main)
