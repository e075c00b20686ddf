"""Write the sharpest frames of a video as photos."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from neus.cli import run
from neus.images import extract_frames


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--video", type=Path, required=True)
    parser.add_argument("--count", type=int, default=100, help="frames to write")
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    report = partial(print, file=sys.stderr, flush=True)
    extract_frames(options.video, options.output, count=options.count, report=report)
    return 0


if __name__ == "__main__":
    run(main)
