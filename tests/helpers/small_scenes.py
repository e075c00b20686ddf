"""A scene of a few grey photos, on disk."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np

from neus.images.files import write_image
from neus.scene import Frame, Scene
from neus.scene.cameras import Cameras, look_at
from neus.scene.similarity import Similarity
from neus.scene.writing import write_transforms
from tests.helpers.places import ROOT


def program(name: str) -> Callable[[list[str]], int]:
    return runpy.run_path(str(ROOT / "scripts" / f"{name}.py"))["main"]


def small_scene(folder: Path, count: int = 8, test: tuple[int, ...] = (0, 4)) -> Path:
    """Grey photos with masks of their left half, two held out; 3 mm to the scene's unit."""
    centres = np.random.default_rng(0).normal(size=(count, 3))
    centres *= 3 / np.linalg.norm(centres, axis=1, keepdims=True)
    poses = np.stack([look_at(c, np.zeros(3), np.array([0.1, 0.2, 1])) for c in centres])
    intrinsics = np.tile(np.array([[40.0, 0, 16], [0, 40, 12], [0, 0, 1]]), (count, 1, 1))
    frames = tuple(
        Frame(f"{i:03}", folder / "images" / f"{i:03}.png", folder / "masks" / f"{i:03}.png")
        for i in range(count)
    )
    mask = np.zeros((24, 32), np.uint8)
    mask[:, :16] = 255
    for frame in frames:
        write_image(frame.image, np.full((24, 32, 3), 100, np.uint8))
        assert frame.mask is not None
        write_image(frame.mask, mask)
    cameras = Cameras(intrinsics, poses, np.full(count, 32), np.full(count, 24))
    to_source = Similarity(3.0, np.eye(3), np.array([1.0, 2, 3]))
    no_points = np.zeros((0, 3))
    write_transforms(
        Scene(frames, cameras, to_source, "mm", test, no_points, no_points.astype(np.uint8)),
        folder,
    )
    return folder
