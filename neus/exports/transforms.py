"""``transforms.json`` for nerfstudio and instant-ngp, and Blender's (NeRF-synthetic) two files."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neus.exports.pictures import put_cut_out, put_image, put_mask
from neus.images import SUFFIXES
from neus.scene import OPENGL_FROM_OPENCV, Scene, write_points

POINTS = "sparse_pc.ply"
OFF_CENTRE = 0.01
"""Pixels by which an axis may miss the middle of the image, where only an angle is written."""
Report = Callable[[str], None]


def write_nerfstudio(scene: Scene, folder: Path, report: Report) -> None:
    """``transforms.json`` with intrinsics, mask and pose in each frame, and the split."""
    frames = [_frame(scene, i, folder) for i in range(len(scene.frames))]
    content: dict[str, Any] = {"camera_model": "PINHOLE", "unit": scene.unit}
    if len(scene.points):
        write_points(folder / POINTS, scene.points, scene.points_rgb)
        content["ply_file_path"] = POINTS
    names = [frame["file_path"] for frame in frames]
    held_out = [names[i] for i in scene.test]
    content["frames"] = frames
    content["train_filenames"] = [names[i] for i in scene.train]
    content |= {"val_filenames": held_out, "test_filenames": held_out}
    _write(folder / "transforms.json", content)


def write_instant_ngp(scene: Scene, folder: Path, report: Report) -> None:
    """``transforms.json`` with RGBA images, whose alpha instant-ngp takes for masks.

    Points are left out, and so is the split, which instant-ngp does not have.
    """
    frames = []
    for i, frame in enumerate(scene.frames):
        put = put_image if frame.mask is None else put_cut_out
        (folder / "images").mkdir(exist_ok=True)
        image = put(scene, i, folder / "images" / frame.name)
        frames.append(_record(scene, i, image.relative_to(folder).as_posix()))
    radius = 1.0 / scene.to_source.scale
    content = {"aabb_scale": 4, "scale": 0.33 * radius, "offset": [0.5, 0.5, 0.5]}
    _write(folder / "transforms.json", content | {"frames": frames})


def write_blender(scene: Scene, folder: Path, report: Report) -> None:
    """``transforms_train.json`` and ``transforms_test.json`` with RGBA images.

    Blender's form has one angle of view for all images; each frame has its intrinsics beside it,
    which programs that know of it read.
    """
    intrinsics, cameras = scene.cameras.intrinsics, scene.cameras
    middle = np.stack([cameras.widths, cameras.heights], axis=1) / 2
    off = np.abs(intrinsics[:, :2, 2] - middle).max()
    focal = intrinsics[:, [0, 1], [0, 1]]
    if off > OFF_CENTRE or np.ptp(focal) > 1e-6 * focal.max():
        report(
            f"axes miss the middles of the images by up to {off:.2f} px, and focal lengths span "
            f"{focal.min():.2f} to {focal.max():.2f} px: programs that read camera_angle_x alone "
            "will be off by that"
        )
    for split, chosen in (("train", scene.train), ("test", scene.test)):
        frames = []
        for i in chosen:
            (folder / split).mkdir(exist_ok=True)
            name = scene.frames[i].name
            file = put_cut_out(scene, i, folder / split / name)
            name = file.name if Path(name).suffix.lower() in SUFFIXES else name
            frames.append(_record(scene, i, f"./{split}/{name}"))
        if frames:
            angle = 2 * math.atan(cameras.widths[0] / 2 / focal[0, 0])
            content = {"camera_angle_x": angle, "frames": frames}
            _write(folder / f"transforms_{split}.json", content)


def _frame(scene: Scene, index: int, folder: Path) -> dict[str, Any]:
    frame = scene.frames[index]
    image = put_image(scene, index, folder / "images" / frame.name)
    record = _record(scene, index, image.relative_to(folder).as_posix())
    mask = put_mask(scene, index, folder / "masks" / f"{frame.name}.png")
    if mask is not None:
        record["mask_path"] = mask.relative_to(folder).as_posix()
    return record


def _record(scene: Scene, index: int, name: str) -> dict[str, Any]:
    intrinsics, pose = scene.cameras.intrinsics[index], np.eye(4)
    pose[:3] = scene.cameras.camera_to_world[index]
    pose[:3, :3] = pose[:3, :3] @ OPENGL_FROM_OPENCV
    return {
        "file_path": name,
        "fl_x": float(intrinsics[0, 0]),
        "fl_y": float(intrinsics[1, 1]),
        "cx": float(intrinsics[0, 2]),
        "cy": float(intrinsics[1, 2]),
        "w": int(scene.cameras.widths[index]),
        "h": int(scene.cameras.heights[index]),
        "transform_matrix": pose.tolist(),
    }


def _write(file: Path, content: dict[str, Any]) -> None:
    file.write_text(json.dumps(content, indent=1) + "\n")
