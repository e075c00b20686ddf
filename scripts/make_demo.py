"""Photograph the procedural sculpture: a scan in the DTU layout with its exact surface."""

from __future__ import annotations

import argparse
from pathlib import Path

from neus.cli import run
from neus.progress import Progress
from neus.sources.demo import make_demo


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--views", type=int, default=48, help="number of photographs")
    parser.add_argument("--width", type=int, default=400, help="of a photograph, pixels")
    parser.add_argument("--height", type=int, default=300, help="of a photograph, pixels")
    parser.add_argument("--seed", type=int, default=0, help="of cameras, stones and points")
    parser.add_argument(
        "--room",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="in a room, not in front of black",
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="folder of the scan; a demo there is replaced"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    size = options.width, options.height
    pixels = options.views * options.width * options.height
    # In a new clone the surface has to be compiled: ten of its seconds.
    progress = Progress({"surface": 12.0, "photos": 1.9e-6 * pixels})
    make_demo(options.output, options.views, *size, options.seed, options.room, progress.at)
    return 0


if __name__ == "__main__":
    run(main)
