"""Estimate camera poses from photos with COLMAP and write undistorted photos with their model."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from neus.cli import run
from neus.poses import estimate_poses
from neus.sources.headers import image_size
from neus.sources.photos import find_images, find_masks


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=Path, required=True, help="folder of photos, or one with images/ in it"
    )
    parser.add_argument("--masks", type=Path, help="folder of masks, or one with masks/ in it")
    parser.add_argument(
        "--max-size", type=int, default=1600, help="longer photos are shrunk to find features, px"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    images = find_images(options.images)
    sizes = [image_size(image) for image in images]
    estimate_poses(
        images,
        find_masks(options.masks, images, sizes) if options.masks else None,
        options.output,
        max_size=options.max_size,
        seed=options.seed,
        threads=options.threads,
        report=partial(print, file=sys.stderr, flush=True),
    )
    return 0


if __name__ == "__main__":
    run(main)
