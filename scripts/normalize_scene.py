"""Bring a scan into the unit sphere and write it as a canonical scene folder."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from neus.cli import run
from neus.errors import InputError
from neus.placement import normalize, scale_from, sphere_from, to_metric, up_from
from neus.scene import write_scene
from neus.sources import SOURCES, mask_photos, read_source, without_blank_masks


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=sorted(SOURCES), required=True)
    parser.add_argument("--path", type=Path, required=True, help="of the scan: its folder or file")
    parser.add_argument("--model", type=Path, help="output of estimate_poses.py (source photos)")
    parser.add_argument(
        "--downscale", type=float, default=1, help="make the images smaller by this number"
    )
    parser.add_argument(
        "--image-size",
        type=width_and_height,
        help="WIDTHxHEIGHT that all images get in the place of --downscale",
    )
    parser.add_argument(
        "--masks",
        choices=["auto", "all", "none", "own"],
        default="auto",
        help="auto: those that there are; all: one for every image; own: alpha, or not black",
    )
    parser.add_argument(
        "--mask-model", type=Path, help="ONNX file of a network that makes the masks missing"
    )
    parser.add_argument("--work", type=Path, help="folder that keeps its masks for the next run")
    parser.add_argument(
        "--sphere",
        type=word_or_json,
        default="auto",
        help='auto, masks, points, cameras, or in units of the source {"centre": [x, y, z], '
        '"radius": r} or {"low": [x, y, z], "high": [x, y, z]}',
    )
    parser.add_argument(
        "--up",
        type=word_or_json,
        default="auto",
        help="what becomes the z axis: auto, source, cameras, ground or [x, y, z]",
    )
    parser.add_argument(
        "--scale",
        type=word_or_json,
        help='{"distance": 0.3, "between": [MARK, MARK]} with a mark [x, y, z] or '
        '{"photo.jpg": [x, y], ...}, or {"positions": FILE}, or {"positions": "gps"}',
    )
    parser.add_argument(
        "--unit", help="name of the unit of length; by default the source's own, or m with --scale"
    )
    parser.add_argument(
        "--holdout", type=int, default=8, help="hold out every so many images, 0 for none"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the search for the ground")
    parser.add_argument("--threads", type=int, default=2, help="images worked on at a time")
    parser.add_argument("--output", type=Path, required=True, help="scene folder to write")
    return parser.parse_args(argv)


def word_or_json(text: str) -> Any:
    return json.loads(text) if text[:1] in ("[", "{", '"') else text


def width_and_height(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


def check(options: argparse.Namespace) -> None:
    if options.mask_model is not None and options.work is None:
        raise InputError("--mask-model makes masks, which have to lie somewhere: give --work, too")


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    check(options)
    report = partial(print, file=sys.stderr, flush=True)
    sphere, scale = sphere_from(options.sphere), scale_from(options.scale, options.unit)
    up = up_from(options.up, options.source, scale)
    capture = read_source(
        options.source, options.path, masks=options.masks, model=options.model, report=report
    )
    capture = without_blank_masks(capture, threads=options.threads, report=report)
    if options.mask_model is not None:
        masked = mask_photos(
            capture.scene,
            options.mask_model,
            work=options.work,
            threads=options.threads,
            report=report,
        )
        capture = replace(capture, scene=masked)
    if scale is not None:
        capture = to_metric(capture, scale, report)
    elif options.unit is not None:
        capture = replace(capture, scene=replace(capture.scene, unit=options.unit))
    scene = normalize(capture, sphere=sphere, up=up, seed=options.seed, report=report)
    write_scene(
        scene,
        options.output,
        downscale=options.downscale,
        holdout=options.holdout,
        threads=options.threads,
        size=options.image_size,
    )
    report(f"{len(scene.frames)} images, {len(scene.masked)} with a mask")
    return 0


if __name__ == "__main__":
    run(main)
