"""Write the canonical scene folder: images made smaller, masks as coverage, points, poses."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np

from neus.errors import InputError
from neus.files import folder_written_whole
from neus.images import resize_coverage, resize_image, resize_seen, write_image
from neus.scene.cameras import OPENGL_FROM_OPENCV, Cameras
from neus.scene.overview import overview
from neus.scene.points import write_points
from neus.scene.reading import POINTS, TRANSFORMS, Frame, Scene, load_image, load_mask

IMAGES, MASKS, OVERVIEW = "images", "masks", "overview.png"


def write_scene(
    scene: Scene,
    folder: Path,
    *,
    downscale: float,
    holdout: int,
    threads: int,
    size: tuple[int, int] | None = None,
) -> None:
    """Write a scene as a folder, whole or not at all.

    Each image becomes ``images/{name}.png``, each mask ``masks/{name}.png``, a grey image of the
    part of each pixel that the object covers. ``overview.png`` shows where the sphere lies.

    Args:
        scene: its frames point to files anywhere; its cameras describe those files.
        folder: replaced if it holds a scene.
        downscale: images are made smaller by this number, each pixel the mean of the area
            that it covers; sides are rounded and the intrinsics follow the real sizes.
        holdout: every so many frames, from the first one on, one is held out; 0 for none. Frames
            that the scene holds out already take its place.
        threads: images that are worked on at the same time.
        size: width and height that all images get in its place, whatever their shape.

    Raises:
        InputError: an image or mask is unreadable or not of its camera's size, ``downscale`` leaves
            nothing, ``size`` is larger than an image, ``holdout`` leaves no training image, or
            ``folder`` holds something else.
    """
    _check(scene, folder, holdout)
    cameras = _made_small(scene.cameras, downscale, size)
    with folder_written_whole(folder, (TRANSFORMS, POINTS, IMAGES, MASKS, OVERVIEW)) as whole:
        frames = tuple(
            Frame(
                frame.name,
                whole / IMAGES / f"{frame.name}.png",
                frame.mask and whole / MASKS / f"{frame.name}.png",
            )
            for frame in scene.frames
        )
        test = scene.test or (tuple(range(0, len(frames), holdout)) if holdout else ())
        written = replace(scene, frames=frames, cameras=cameras, test=test)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(partial(_write_frame, scene, written), range(len(frames))))
        if len(scene.points):
            write_points(whole / POINTS, scene.points, scene.points_rgb)
        write_transforms(written, whole)
        write_image(whole / OVERVIEW, overview(written))


def write_transforms(scene: Scene, folder: Path) -> None:
    """Write ``transforms.json`` for a scene whose images already lie below ``folder``.

    Poses are stored in OpenGL axes; ``applied_transform`` (3x4) and ``applied_scale`` take the
    source frame to the scene frame: ``x_scene = applied_scale * (applied_transform @ x_source)``.
    Held-out frames are listed as the test and, for nerfstudio, as the validation split too.
    """
    to_scene = scene.to_source.inverse()
    applied = np.concatenate(
        [to_scene.rotation, to_scene.translation[:, None] / to_scene.scale], axis=1
    )
    records = [_frame_record(scene, index, folder) for index in range(len(scene.frames))]
    held_out = [records[i]["file_path"] for i in scene.test]
    content = {
        "camera_model": "OPENCV",
        "applied_transform": applied.tolist(),
        "applied_scale": to_scene.scale,
        "unit": scene.unit,
        **({"ply_file_path": POINTS} if len(scene.points) else {}),
        "frames": records,
        "train_filenames": [records[i]["file_path"] for i in scene.train],
        "val_filenames": held_out,
        "test_filenames": held_out,
    }
    (folder / TRANSFORMS).write_text(json.dumps(content, indent=1) + "\n")


def _made_small(cameras: Cameras, downscale: float, size: tuple[int, int] | None) -> Cameras:
    """Cameras of images that are so many times as small, or all of one size."""
    width, height = int(cameras.widths.min()), int(cameras.heights.min())
    if size is not None:
        if not (16 <= size[0] <= width and 16 <= size[1] <= height):
            raise InputError(
                f"image_size {size[0]}x{size[1]} does not suit images of {width}x{height} pixels: "
                "choose no more than that, and 16 or more"
            )
        return cameras.resized(np.full(len(cameras), size[0]), np.full(len(cameras), size[1]))
    smallest = min(width, height)
    if downscale < 1 or smallest < 16 * downscale:
        raise InputError(
            f"downscale {downscale:g} does not suit images with a side of {smallest} pixels: "
            f"choose 1 to {max(smallest // 16, 1)}"
        )
    return cameras.resized(
        np.rint(cameras.widths / downscale).astype(np.int64),
        np.rint(cameras.heights / downscale).astype(np.int64),
    )


def _check(scene: Scene, folder: Path, holdout: int) -> None:
    if holdout < 0 or holdout == 1:
        raise InputError(f"holdout {holdout} leaves no image to train on: choose 0, or 2 and more")
    target = Path(folder).resolve()
    for frame in scene.frames:
        if frame.image.resolve().is_relative_to(target):
            raise InputError(f"{folder} holds the photos themselves: choose another output folder")


def _write_frame(source: Scene, target: Scene, index: int) -> None:
    """Read, shrink and write the image and the mask of one frame."""
    width, height = int(target.cameras.widths[index]), int(target.cameras.heights[index])
    frame, image = target.frames[index], load_image(source, index)
    mask = None if frame.mask is None else load_mask(source, index)
    if mask is not None and source.frames[index].mask == source.frames[index].image:
        write_image(frame.image, resize_seen(image, mask, width, height))
    else:
        write_image(frame.image, resize_image(image, width, height))
    if frame.mask is not None and mask is not None:
        write_image(frame.mask, resize_coverage(mask, width, height))


def _relative(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()


def _frame_record(scene: Scene, index: int, folder: Path) -> dict:
    frame, intrinsics = scene.frames[index], scene.cameras.intrinsics[index]
    pose = np.eye(4)
    pose[:3] = scene.cameras.camera_to_world[index]
    pose[:3, :3] = pose[:3, :3] @ OPENGL_FROM_OPENCV
    record = {
        "name": frame.name,
        "file_path": _relative(frame.image, folder),
        "w": int(scene.cameras.widths[index]),
        "h": int(scene.cameras.heights[index]),
        "fl_x": float(intrinsics[0, 0]),
        "fl_y": float(intrinsics[1, 1]),
        "cx": float(intrinsics[0, 2]),
        "cy": float(intrinsics[1, 2]),
        "transform_matrix": pose.tolist(),
    }
    if frame.mask is not None:
        record["mask_path"] = _relative(frame.mask, folder)
    return record
