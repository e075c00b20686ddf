"""Bring a scan into the unit sphere and write it as a canonical scene folder."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from neus.cli import run
from neus.errors import InputError
from neus.normalize import normalize
from neus.scene_folder import write_scene
from neus.sources.capture import Capture
from neus.sources.colmap import read_colmap
from neus.sources.dtu import read_dtu


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=["dtu", "demo", "photos"], required=True)
    parser.add_argument("--path", type=Path, required=True, help="folder of the scan")
    parser.add_argument("--model", type=Path, help="output of estimate_poses.py (source photos)")
    parser.add_argument(
        "--downscale", type=int, default=1, help="make the images smaller by this whole number"
    )
    parser.add_argument(
        "--masks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="whether every image has a mask",
    )
    parser.add_argument(
        "--holdout", type=int, default=8, help="hold out every so many images, 0 for none"
    )
    parser.add_argument("--threads", type=int, default=2, help="images worked on at a time")
    parser.add_argument("--output", type=Path, required=True, help="scene folder to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene = normalize(read(options), upright=options.source == "photos")
    write_scene(
        scene,
        options.output,
        downscale=options.downscale,
        holdout=options.holdout,
        threads=options.threads,
    )
    print(
        f"{len(scene.frames)} images; the unit sphere has a radius of "
        f"{scene.to_source.scale:.6g} {scene.unit}",
        file=sys.stderr,
    )
    return 0


def read(options: argparse.Namespace) -> Capture:
    if options.source != "photos":
        return read_dtu(options.path, masks=options.masks)
    if options.model is None:
        raise InputError("--source photos needs --model: run estimate_poses.py first")
    return read_colmap(options.model, masks=options.masks)


if __name__ == "__main__":
    run(main)
