"""Render a flight around the object, colour beside normals, as a video."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from neus.cli import run
from neus.devices import DEVICES, leased_device, set_threads
from neus.errors import InputError
from neus.files import folder_written_whole
from neus.images import read_image, to_uint8, write_clip, write_image
from neus.models import TrainedModel, geometry_pictures, load_model
from neus.progress import Progress
from neus.scene import PATHS, Cameras, Scene, Similarity, camera_path, load_scene

LEAST_SIDE = 16
"""Pixels of the longer side of frames."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--model", type=Path, required=True, help="model, or running checkpoint")
    parser.add_argument("--frames", type=int, default=60, help="frames of one turn")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument(
        "--side", type=int, help="longer side of the frames at most, pixels; that of the photos"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="the video: .mp4 or .gif")
    parser.add_argument("--gif", type=Path, help="the same as .gif, beside an .mp4")
    parser.add_argument("--pictures", type=Path, help="folder for its frames, 0000.png and so on")
    parser.add_argument(
        "--depth",
        type=Path,
        help="folder for the depth of each frame: 0000.npz with depth and opacity (scene units), "
        "intrinsics, camera_to_world and to_source, and 0000.png to look at",
    )
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
    cameras = path_cameras(scene, options.frames, options.path, options.side)
    with ExitStack() as stack:
        device = stack.enter_context(leased_device(options.device))
        depths = stack.enter_context(depth_folder(options.depth, options.frames))
        set_threads(options.threads)
        trained = load_model(options.model, device)
        progress = Progress({"frames": trained.expected_seconds(cameras.pixels), "film": 0.8})
        pictures = frames(trained, cameras, scene.to_source, depths, progress)
        folder = stack.enter_context(picture_folder(options))
        if folder is not None:
            pictures = kept(pictures, folder)
        write_clip(options.output, pictures, fps=options.fps)
        progress.at("film")
        if options.gif is not None and folder is not None:
            again = (read_image(file) for file in sorted(folder.glob("*.png")))
            write_clip(options.gif, again, fps=options.fps)
    return 0


@contextmanager
def picture_folder(options: argparse.Namespace) -> Iterator[Path | None]:
    """Where frames are kept: as asked for, or until they are in a second file."""
    if options.pictures is not None:
        names = [f"{index:04d}.png" for index in range(options.frames)]
        with folder_written_whole(options.pictures, names) as folder:
            yield folder
    elif options.gif is not None:
        with TemporaryDirectory() as folder:
            yield Path(folder)
    else:
        yield None


def kept(pictures: Iterator[np.ndarray], folder: Path) -> Iterator[np.ndarray]:
    """The same pictures, each of which is written before it is passed on."""
    for index, picture in enumerate(pictures):
        write_image(folder / f"{index:04d}.png", picture)
        yield picture


def depth_folder(target: Path | None, count: int) -> AbstractContextManager[Path | None]:
    """A folder to fill with the depths of a flight, where one is asked for."""
    if target is None:
        return nullcontext()
    names = [f"{index:04d}{suffix}" for index in range(count) for suffix in (".npz", ".png")]
    return folder_written_whole(target, names)


def path_cameras(scene: Scene, count: int, kind: str, side: int | None) -> Cameras:
    """Cameras along a path among the training cameras, with the first one's lens.

    Raises:
        InputError: the frames would be smaller than a video can be.
    """
    if side is not None and side < LEAST_SIDE:
        raise InputError(f"--side {side} is too small for a video: use {LEAST_SIDE} or more")
    poses = camera_path(scene.cameras.camera_to_world[list(scene.train)], count, kind)
    first = scene.cameras[[scene.train[0]] * count]
    cameras = Cameras(first.intrinsics, poses, first.widths, first.heights)
    return cameras if side is None else cameras.at_most(side)


def frames(
    trained: TrainedModel,
    cameras: Cameras,
    to_source: Similarity,
    depths: Path | None,
    progress: Progress,
) -> Iterator[np.ndarray]:
    """Colour beside normals, frame by frame, whose depths go into a folder where there is one."""
    for index in progress.over("frames", range(len(cameras))):
        view = trained.view(cameras, index)
        normals, depth = geometry_pictures(view, cameras, index)
        if depths is not None:
            write_image(depths / f"{index:04d}.png", depth)
            np.savez_compressed(
                depths / f"{index:04d}.npz",
                depth=view.depth.astype(np.float32),
                opacity=view.opacity.astype(np.float32),
                intrinsics=cameras.intrinsics[index],
                camera_to_world=cameras.camera_to_world[index],
                to_source=to_source.matrix,
            )
        yield np.concatenate([to_uint8(view.rgb), normals], axis=1)


if __name__ == "__main__":
    run(main)
