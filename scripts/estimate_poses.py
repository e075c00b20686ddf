"""Estimate camera poses from photos with COLMAP and write their model."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from neus.cli import run
from neus.devices import DEVICES
from neus.poses import Method, estimate_poses, expected, gather, said_of_changes, sift_device
from neus.progress import Progress
from neus.sources import image_size, read_intrinsics


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--images", type=Path, required=True, help="folder of photos, or one with images/ in it"
    )
    parser.add_argument(
        "--masks",
        choices=["auto", "all", "none", "own"],
        default="auto",
        help="features off a photo's mask are left out, so that it may turn before its "
        "surroundings; auto: where there are any; none: features of the whole photos",
    )
    parser.add_argument(
        "--max-size", type=int, default=1600, help="longer photos are shrunk to find features, px"
    )
    parser.add_argument(
        "--pairing",
        choices=["auto", "exhaustive", "sequential", "similar"],
        default="auto",
        help="which pairs are matched: all, neighbours (videos), those that look alike",
    )
    parser.add_argument(
        "--mapper",
        choices=["incremental", "global"],
        default="incremental",
        help="place photo after photo, or all at once",
    )
    parser.add_argument("--lens", default="SIMPLE_RADIAL", help="COLMAP's camera model")
    parser.add_argument("--intrinsics", type=Path, help="text file with the known matrix K")
    parser.add_argument("--device", choices=DEVICES, default="auto", help="of features and matches")
    parser.add_argument("--work", type=Path, help="folder that keeps stages for the next run")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    method = Method(
        max_size=options.max_size,
        pairing=options.pairing,
        mapper=options.mapper,
        lens=options.lens,
        intrinsics=options.intrinsics and read_intrinsics(options.intrinsics),
        device=sift_device(options.device),
        seed=options.seed,
    )
    report = partial(print, file=sys.stderr, flush=True)
    folder, photos = gather(options.images, options.masks, threads=options.threads, report=report)
    width, height = image_size(photos[0].file)
    estimate_poses(
        photos,
        options.output,
        method,
        work=options.work,
        threads=options.threads,
        report=report,
        place=folder.root,
        advance=Progress(expected(len(photos), width * height)).at,
    )
    for line in said_of_changes(options.images, folder):
        report(line)
    return 0


if __name__ == "__main__":
    run(main)
