"""Measure the renderings of held-out views against their photos."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from neus.cli import run
from neus.config import BACKGROUNDS, MethodConfig, load_method
from neus.errors import InputError
from neus.evaluation import ViewFigures, view_figures, views_report
from neus.files import written_whole
from neus.images import read_image
from neus.scene import Scene, load_image, load_mask, load_scene


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--views", type=Path, required=True, help="folder of render_views.py")
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument(
        "--config", type=Path, required=True, help="the method, as train.py wrote it"
    )
    parser.add_argument("--output", type=Path, required=True, help="the figures (.json)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene, method = load_scene(options.scene), load_method(options.config)
    views = {
        scene.frames[index].name: measured(options.views, scene, index, method)
        for index in scene.test
    }
    report = views_report(scene, views)
    print(report["reason"] or f"{len(views)} views, PSNR {report['psnr']:.2f} dB", file=sys.stderr)
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def measured(folder: Path, scene: Scene, index: int, method: MethodConfig) -> ViewFigures:
    """Figures of one view; photos are shown over the method's background if it saw them so."""
    name = scene.frames[index].name
    depth = folder / "depth" / f"{name}.npz"
    if not depth.is_file():
        raise InputError(f"{depth} does not exist: run render_views.py for this scene first")
    with np.load(depth) as content:
        opacity = content["opacity"]
    masked = scene.frames[index].mask is not None
    return view_figures(
        read_image(folder / f"{name}.png") / 255,
        opacity,
        load_image(scene, index) / 255,
        load_mask(scene, index) / 255 if masked else None,
        BACKGROUNDS[method.model.background] if method.training.losses.mask > 0 else None,
    )


if __name__ == "__main__":
    run(main)
