"""Render held-out views of a scene: colour, normals, depth; and colours of training views."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from neus.cli import run
from neus.devices import DEVICES, leased_device, set_threads
from neus.files import folder_written_whole
from neus.images import PALETTES, panel, read_image, to_uint8, write_image
from neus.models import View, geometry_pictures, load_model
from neus.progress import Progress
from neus.scene import Cameras, load_image, load_scene


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--model", type=Path, required=True, help="model, or running checkpoint")
    parser.add_argument(
        "--held-out-model",
        type=Path,
        help="model of the held-out views, where it is another; that of --model saw all images",
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help="folder: NAME.png, normal/NAME.png, depth/NAME.png, depth/NAME.npz (scene units), and "
        "train/NAME.png of training views",
    )
    parser.add_argument(
        "--train-views", type=int, default=0, help="training views to render, evenly spaced"
    )
    parser.add_argument(
        "--grids",
        action="store_true",
        help="grid/NAME.png, too: photo, rendering, normals and depth of a held-out view",
    )
    parser.add_argument("--palette", choices=PALETTES, default="turbo", help="colours of depths")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene, apart = load_scene(options.scene), options.held_out_model is not None
    names = [scene.frames[index].name for index in scene.test]
    entries = ["normal", "depth", "train", "grid", *(f"{name}.png" for name in names)]
    with (
        leased_device(options.device) as device,
        folder_written_whole(options.output, entries) as folder,
    ):
        set_threads(options.threads)
        learned = scene.learned_whole() if apart else scene
        shown = evenly_spaced(learned.train, options.train_views)
        trained = load_model(options.held_out_model if apart else options.model, device)
        parts = {"held-out views": scene.test, "training views": shown}
        pixels = {part: scene.cameras[list(views)].pixels for part, views in parts.items()}
        progress = Progress({part: trained.expected_seconds(n) for part, n in pixels.items()})
        views = list(zip(scene.test, names, strict=True))
        for index, name in progress.over("held-out views", views):
            view = trained.view(scene.cameras, index)
            write_view(folder, name, view, scene.cameras, index, options.palette)
            if options.grids:
                photo = load_image(scene, index)
                write_image(folder / "grid" / f"{name}.png", grid(folder, name, photo))
        trained = load_model(options.model, device) if apart else trained
        for index in progress.over("training views", shown):
            rgb = trained.view(scene.cameras, index).rgb
            write_image(folder / "train" / f"{scene.frames[index].name}.png", to_uint8(rgb))
    return 0


def evenly_spaced(indices: Sequence[int], count: int) -> list[int]:
    """The first of ``count`` equal shares each; all where there are no more."""
    count = min(count, len(indices))
    return [indices[i * len(indices) // count] for i in range(count)]


def write_view(
    folder: Path, name: str, view: View, cameras: Cameras, index: int, palette: str
) -> None:
    normals, depth = geometry_pictures(view, cameras, index, palette)
    write_image(folder / f"{name}.png", to_uint8(view.rgb))
    write_image(folder / "normal" / f"{name}.png", normals)
    write_image(folder / "depth" / f"{name}.png", depth)
    np.savez_compressed(
        folder / "depth" / f"{name}.npz",
        depth=view.depth.astype(np.float32),
        opacity=view.opacity.astype(np.float32),
    )


def grid(folder: Path, name: str, photo: np.ndarray) -> np.ndarray:
    """A photo beside what was written of its view, in one picture."""
    pictures = [read_image(folder / kind / f"{name}.png") for kind in (".", "normal", "depth")]
    return panel([[photo, *pictures]], captions=["photo", "rendering", "normals", "depth"])


if __name__ == "__main__":
    run(main)
