"""Small scans as other programs write them: six images of a ball, with their cameras."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neus.images import write_image
from neus.scene import OPENGL_FROM_OPENCV, Cameras
from neus.sources import read_source
from neus.sources.capture import Capture
from tests.helpers.synthetic_captures import ellipsoid_masks, ring_cameras

COUNT = 6
SIZE = (32, 24)
FOCAL = 30.0
Edit = Callable[[dict[str, Any]], None]


def cameras() -> Cameras:
    return ring_cameras(COUNT, size=SIZE, focal=FOCAL)


def masks() -> list[np.ndarray]:
    return ellipsoid_masks(cameras(), np.zeros(3), np.full(3, 0.7))


def picture(index: int) -> np.ndarray:
    """An image that is like no other."""
    rng = np.random.default_rng(index)
    return rng.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)


def opengl(pose: np.ndarray) -> np.ndarray:
    """A pose as transforms.json has it, ``[4, 4]``."""
    matrix = np.eye(4)
    matrix[:3] = pose
    matrix[:3, :3] = matrix[:3, :3] @ OPENGL_FROM_OPENCV
    return matrix


def numbered(pattern: str = "images/{:04d}.png") -> list[str]:
    return [pattern.format(i) for i in range(COUNT)]


def write_scan(
    folder: Path,
    edit: Edit = lambda content: None,
    *,
    names: Sequence[str] | None = None,
    files: Sequence[str] | None = None,
    name: str = "transforms.json",
) -> dict[str, Any]:
    """Images and a ``transforms.json`` that names them; `edit` changes it before it is written.

    Args:
        names: as the file has them.
        files: of the images, where they differ from the names.
    """
    names = numbered() if names is None else names
    for i, file in enumerate(names if files is None else files):
        write_image(folder / file, picture(i))
    content: dict[str, Any] = {
        "fl_x": FOCAL, "fl_y": FOCAL, "cx": SIZE[0] / 2, "cy": SIZE[1] / 2,
        "w": SIZE[0], "h": SIZE[1],
    }  # fmt: skip
    content["frames"] = [
        {"file_path": each, "transform_matrix": opengl(pose).tolist()}
        for each, pose in zip(names, cameras().camera_to_world, strict=False)
    ]
    edit(content)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(json.dumps(content))
    return content


def without_intrinsics(content: dict[str, Any]) -> None:
    """An edit that leaves poses alone."""
    for key in ("fl_x", "fl_y", "cx", "cy", "w", "h"):
        del content[key]


def change_poses(change: Callable[[int, np.ndarray], np.ndarray]) -> Edit:
    """An edit that changes the pose of each frame."""

    def edit(content: dict[str, Any]) -> None:
        for i, frame in enumerate(content["frames"]):
            matrix = change(i, np.array(frame["transform_matrix"]))
            frame["transform_matrix"] = matrix.tolist()

    return edit


def read(path: Path, source: str = "nerfstudio", masks: Any = "auto") -> tuple[Capture, str]:
    """What a scan is read as, and all that was said meanwhile."""
    lines: list[str] = []
    capture = read_source(source, path, masks=masks, model=None, report=lines.append)
    return capture, "\n".join(lines)


def assert_read(
    capture: Capture, *, atol: float = 1e-9, order: Sequence[int] | None = None
) -> None:
    """The cameras are those that were written."""
    expected = cameras()
    order = list(range(COUNT)) if order is None else list(order)
    scene = capture.scene
    np.testing.assert_allclose(
        scene.cameras.camera_to_world, expected.camera_to_world[order], atol=atol
    )
    np.testing.assert_allclose(scene.cameras.intrinsics, expected.intrinsics[order], atol=1e-9)
