"""Render a flight around the object, colour beside normals, as a video."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from neus.cli import run
from neus.devices import DEVICES, leased_device, set_threads
from neus.images import to_uint8, write_clip
from neus.models import TrainedModel, geometry_pictures, load_model
from neus.scene import PATHS, Cameras, Scene, camera_path, load_scene


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--model", type=Path, required=True, help="model, or running checkpoint")
    parser.add_argument("--frames", type=int, default=60, help="frames of one turn")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="the video: .mp4 or .gif")
    parser.add_argument(
        "--path",
        choices=PATHS,
        default="auto",
        help="a circle at the cameras' mean height, or a path on their sphere; auto takes the "
        "circle where they stand all around",
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene = load_scene(options.scene)
    cameras = path_cameras(scene, options.frames, options.path)
    with leased_device(options.device) as device:
        set_threads(options.threads)
        trained = load_model(options.model, device)
        write_clip(options.output, frames(trained, cameras), fps=options.fps)
    return 0


def path_cameras(scene: Scene, count: int, kind: str) -> Cameras:
    """Cameras along a path among the training cameras, with the first one's lens."""
    poses = camera_path(scene.cameras.camera_to_world[list(scene.train)], count, kind)
    first = scene.cameras[[scene.train[0]] * count]
    return Cameras(first.intrinsics, poses, first.widths, first.heights)


def frames(trained: TrainedModel, cameras: Cameras) -> Iterator[np.ndarray]:
    for index in range(len(cameras)):
        view = trained.view(cameras, index)
        normals, _ = geometry_pictures(view, cameras, index)
        yield np.concatenate([to_uint8(view.rgb), normals], axis=1)


if __name__ == "__main__":
    run(main)
