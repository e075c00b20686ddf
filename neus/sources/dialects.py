"""The dialects of ``transforms.json``: what tells each apart, and how it becomes nerfstudio's.

What most writers share is nerfstudio's form: ``frames`` with ``file_path`` and
``transform_matrix``, a camera-to-world matrix in OpenGL's axes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import refusal
from neus.scene import Similarity

FILES = ("transforms.json", "meta_data.json", "transforms_train.json")
"""Of posed frames, in the order in which they are looked for."""
SPLIT_FILES = "transforms_{split}.json"
NAME_KEYS = ("file_path", "rgb_path", "image_path", "img_path", "file_name", "filename", "path")
POSE_KEYS = ("transform_matrix", "camtoworld", "c2w", "camera_to_world", "cam2world")
MASK_KEYS = ("mask_path", "foreground_mask", "mask_file_path")
OPENCV_AXES = ("from_na",)
"""Keys whose truth says that the cameras' axes are OpenCV's."""


@dataclass(frozen=True)
class Dialect:
    """How a file is to be read.

    Attributes:
        name: of the program that writes such files.
        opencv_axes: whether poses have y down and z forward; else they are OpenGL's.
        to_source: from the frame of the file to that before its writer changed it.
        sphere: from the unit sphere to the frame of the file, where that says where the object is.
    """

    name: str
    opencv_axes: bool
    to_source: Similarity
    sphere: Similarity | None = None


def dialect_of(file: Path, content: Mapping[str, Any]) -> Dialect:
    """Which dialect a file is written in.

    Raises:
        InputError: ``applied_transform`` or ``worldtogt`` is no similarity.
    """
    if "worldtogt" in content or any("camtoworld" in f for f in frames_of(file, content)):
        to_truth = _similarity(file, content, "worldtogt", 1.0)
        return Dialect("SDFStudio", True, to_truth, _scene_box(content))
    scale = content.get("applied_scale")
    applied = _similarity(file, content, "applied_transform", 1.0 if scale is None else scale)
    if any(content.get(key) for key in OPENCV_AXES):
        return Dialect("NeuS2", True, applied.inverse())
    return Dialect("nerfstudio", False, applied.inverse())


def frames_of(file: Path, content: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The records of frames.

    Raises:
        InputError: there are none, or something else.
    """
    frames = content.get("frames")
    if isinstance(frames, dict):
        frames = list(frames.values())
    if not isinstance(frames, list) or not all(isinstance(frame, dict) for frame in frames):
        raise refusal(
            f"{file}, key frames",
            "none" if frames is None else "something else",
            "a list of posed frames",
            "write the file again",
        )
    if not frames:
        raise refusal(f"{file}, key frames", "an empty list", "posed frames", "write it again")
    return frames


def text_of(frame: Mapping[str, Any], keys: tuple[str, ...]) -> str | None:
    """The first text among keys; empty ones and null count as not there."""
    values = (frame.get(key) for key in keys)
    return next((value for value in values if isinstance(value, str) and value.strip()), None)


def _similarity(file: Path, content: Mapping[str, Any], key: str, scale: Any) -> Similarity:
    where = f"{file}, key {key}"
    remedy = "write it again, or take the key out if the poses are in the frame that you want"
    if content.get(key) is None and scale == 1.0:
        return Similarity.identity()
    try:
        factor = float(scale)
        if not (np.isfinite(factor) and factor > 0):
            raise ValueError(factor)
    except (TypeError, ValueError):
        where = f"{file}, key applied_scale"
        raise refusal(where, repr(scale)[:40], "a positive number", remedy) from None
    try:
        value = content.get(key)
        given = np.asarray(np.eye(4) if value is None else value, dtype=np.float64).reshape(-1, 4)
        matrix = np.eye(4)
        matrix[:3] = given[:3] * factor
        if not np.isfinite(matrix).all():
            raise ValueError("NaN or infinity")
        return Similarity.from_matrix(matrix)
    except (TypeError, ValueError) as error:
        raise refusal(
            where,
            f"no transformation ({error})",
            "3x4 numbers that scale evenly and rotate",
            remedy,
        ) from None


def _scene_box(content: Mapping[str, Any]) -> Similarity | None:
    """The sphere of SDFStudio's ``scene_box``, about the origin of the file's frame."""
    box = content.get("scene_box")
    radius = box.get("radius") if isinstance(box, dict) else None
    if not isinstance(radius, int | float) or not radius > 0:
        return None
    return Similarity(float(radius), np.eye(3), np.zeros(3))
