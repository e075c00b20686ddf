"""Measure the renderings of held-out views, and of training views, against their photos."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from neus.cli import run
from neus.config import load_method
from neus.errors import InputError
from neus.external import read_taken
from neus.files import written_whole
from neus.images import read_image
from neus.metrics.evaluation import Surroundings, ViewFigures, view_figures, views_report
from neus.metrics.images import psnr
from neus.progress import Progress
from neus.scene import Scene, load_image, load_mask, load_scene


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=Path, required=True, help="folder of render_views.py")
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    method = parser.add_mutually_exclusive_group(required=True)
    method.add_argument("--config", type=Path, help="the method, as train.py wrote it")
    method.add_argument(
        "--taken", type=Path, help="record of take_external.py, of a program of others"
    )
    parser.add_argument(
        "--apart",
        action="store_true",
        help="held-out views are of a training of their own; that of the surface saw all images",
    )
    parser.add_argument("--output", type=Path, required=True, help="the figures (.json)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene = load_scene(options.scene)
    if options.taken is not None:
        return write(options.output, report_of_others(options, scene))
    method = load_method(options.config)
    seen = Surroundings.of(method)
    learned = (scene.learned_whole() if options.apart else scene).train
    shown = [
        (index, options.views / "train" / f"{scene.frames[index].name}.png") for index in learned
    ]
    shown = [(index, file) for index, file in shown if file.is_file()]
    progress = Progress(
        {"held-out views": 0.15 * len(scene.test), "training views": 0.03 * len(shown)}
    )
    views = {
        scene.frames[index].name: measured(options.views, scene, index, seen)
        for index in progress.over("held-out views", scene.test)
    }
    train = {
        scene.frames[index].name: psnr(read_image(file) / 255, seen.photo(*load(scene, index)))
        for index, file in progress.over("training views", shown)
    }
    report = views_report(scene, views, train, seen, apart=options.apart)
    print(summary(report, len(views), len(train)), file=sys.stderr)
    return write(options.output, report)


def report_of_others(options: argparse.Namespace, scene: Scene) -> dict[str, Any]:
    """Figures of views that a program of others rendered; without them, the reason alone."""
    record = read_taken(options.taken)
    seen = Surroundings.around(record["background"], masks=record["masks"])
    views = {}
    if record["views_reason"] is None:
        for index in scene.test:
            name = scene.frames[index].name
            rendering = read_image(options.views / f"{name}.png") / 255
            views[name] = view_figures(rendering, None, *load(scene, index), seen)
    counts = {name: record[name] for name in ("images_train", "images_train_views")}
    return views_report(scene, views, {}, seen) | counts | {"reason": record["views_reason"]}


def write(path: Path, report: dict[str, Any]) -> int:
    with written_whole(path) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def summary(report: dict[str, Any], views: int, train: int) -> str:
    held_out = report["reason"] or f"{views} held-out views, PSNR {report['psnr']:.2f} dB"
    return held_out + (f"; {train} training views, {report['psnr_train']:.2f} dB" if train else "")


def measured(folder: Path, scene: Scene, index: int, seen: Surroundings) -> ViewFigures:
    name = scene.frames[index].name
    depth = folder / "depth" / f"{name}.npz"
    if not depth.is_file():
        raise InputError(f"{depth} does not exist: run render_views.py for this scene first")
    with np.load(depth) as content:
        opacity = content["opacity"]
    photo, coverage = load(scene, index)
    return view_figures(read_image(folder / f"{name}.png") / 255, opacity, photo, coverage, seen)


def load(scene: Scene, index: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Colours of a photo, and the share of each pixel that its mask covers, if it has one."""
    has_mask = scene.frames[index].mask is not None
    return load_image(scene, index) / 255, load_mask(scene, index) / 255 if has_mask else None


if __name__ == "__main__":
    run(main)
