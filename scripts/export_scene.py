"""Write a canonical scene for another program: nerfstudio, instant-ngp, COLMAP, NeuS or Blender."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from neus.cli import run
from neus.exports import EXPORTS, chosen_images, export_scene, with_points
from neus.scene import load_scene


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scene", type=Path, required=True, help="folder of a scene, results/SCAN/scene"
    )
    parser.add_argument("--format", choices=sorted(EXPORTS), required=True)
    parser.add_argument(
        "--frame",
        choices=["source", "scene"],
        default="source",
        help="of cameras and points: the source's, in which meshes are, or the unit sphere's",
    )
    parser.add_argument(
        "--images",
        choices=["split", "all", "train"],
        default="split",
        help="all images with their split where the layout has one, all to learn from, or those "
        "that are not held out alone",
    )
    parser.add_argument("--without-masks", action="store_true", help="leave out masks")
    parser.add_argument(
        "--random-points",
        type=int,
        default=0,
        help="points to draw in the sphere where the scene has none, for programs that start from "
        "some",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    report = partial(print, file=sys.stderr, flush=True)
    scene = load_scene(options.scene)
    scene = chosen_images(scene, options.images, masks=not options.without_masks)
    scene = with_points(scene, options.random_points)
    export_scene(scene, options.output, options.format, frame=options.frame, report=report)
    report(
        f"{len(scene.frames)} images, {len(scene.masked)} with a mask, {len(scene.points)} points"
    )
    return 0


if __name__ == "__main__":
    run(main)
