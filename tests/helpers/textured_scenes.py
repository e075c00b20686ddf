"""A textured plane or ball, photographed from a cone of cameras in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from neus.images.files import to_uint8, write_image
from neus.scene import Cameras, Frame, Scene, Similarity, load_scene, look_at
from neus.scene.writing import write_transforms

RADIUS = 0.6
"""Of the ball, and half the side of the square plane."""


@dataclass(frozen=True)
class Truth:
    """Of one view: depth along the optical axis (0: nothing is hit) and camera-frame normals."""

    depth: np.ndarray
    normal: np.ndarray

    @property
    def hit(self) -> np.ndarray:
        return self.depth > 0


def cone_of_cameras(count: int, *, width: int, height: int, focal: float) -> Cameras:
    """Cameras three units from the origin on a spiral within 35 degrees of +z."""
    angle, tilt = 2.4 * np.arange(count), np.radians(35) * np.sqrt((np.arange(count) + 0.5) / count)
    centres = 3 * np.stack(
        [np.sin(tilt) * np.cos(angle), np.sin(tilt) * np.sin(angle), np.cos(tilt)], axis=1
    )
    poses = np.stack([look_at(c, np.zeros(3), np.array([0.1, 1.0, 0.2])) for c in centres])
    K = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    sizes = np.full(count, width), np.full(count, height)
    return Cameras(np.tile(K, (count, 1, 1)), poses, *sizes)


def texture(points: np.ndarray, shortest: float, seed: int = 0) -> np.ndarray:
    """A sum of waves in space, no shorter than ``shortest``; values about 0.5."""
    rng = np.random.default_rng(seed)
    waves = rng.normal(size=(24, 3))
    waves /= np.linalg.norm(waves, axis=1, keepdims=True)
    waves *= 2 * np.pi / (shortest * rng.uniform(1, 4, size=(24, 1)))
    phases = rng.uniform(0, 2 * np.pi, 24)
    return 0.5 + 0.06 * np.sin(points @ waves.T + phases).sum(axis=-1)


def look(cameras: Cameras, view: int, shape: str) -> tuple[Truth, np.ndarray]:
    """What a view sees, and the points that it hits ``[h, w, 3]``."""
    origins, directions = cameras.rays(view, cameras.pixel_grid(view))
    if shape == "plane":
        t = -origins[:, 2] / directions[:, 2]
        points = origins + t[:, None] * directions
        hit = np.asarray((np.abs(points[:, :2]) < RADIUS).all(axis=1))
        normals = np.tile([0.0, 0, 1], (len(points), 1))
    else:
        middle = -(origins * directions).sum(axis=1)
        squared = middle**2 - (origins**2).sum(axis=1) + RADIUS**2
        hit = np.asarray(squared > 0)
        points = origins + (middle - np.sqrt(np.maximum(squared, 0)))[:, None] * directions
        normals = points / RADIUS
    pose = cameras.camera_to_world[view]
    depth = np.where(hit, (points - pose[:, 3]) @ pose[:, 2], 0)
    normals = np.where(hit[:, None], normals @ pose[:, :3], 0)
    size = int(cameras.heights[view]), int(cameras.widths[view])
    return Truth(depth.reshape(size), normals.reshape(*size, 3)), points.reshape(*size, 3)


def textured_scene(
    folder: Path,
    shape: str,
    *,
    views: int = 9,
    width: int = 96,
    height: int = 72,
    focal: float = 120.0,
    contrast: float = 1.0,
    noise: float = 0.0,
    masks: bool = True,
    test: tuple[int, ...] = (),
) -> tuple[Scene, list[Truth]]:
    """A scene on disk and the truth of each of its views.

    Args:
        folder: the scene's.
        shape: "plane" or "ball".
        contrast: 0 for no texture.
        noise: standard deviation of what is added to each pixel's grey.
        test: held-out views.
    """
    cameras = cone_of_cameras(views, width=width, height=height, focal=focal)
    rng, truths, frames = np.random.default_rng(1), [], []
    for view in range(views):
        truth, points = look(cameras, view, shape)
        grey = 0.5 + contrast * (texture(points, 4 * 3 / focal) - 0.5)
        grey = np.where(truth.hit, grey, 0.1) + noise * rng.normal(size=truth.hit.shape)
        image = folder / "images" / f"{view:03}.png"
        write_image(image, to_uint8(np.repeat(grey[..., None], 3, axis=2)))
        mask = folder / "masks" / f"{view:03}.png" if masks else None
        if mask is not None:
            write_image(mask, np.where(truth.hit, np.uint8(255), np.uint8(0)))
        truths.append(truth)
        frames.append(Frame(f"{view:03}", image, mask))
    to_source, empty = Similarity(2.0, np.eye(3), np.array([1.0, 2, 3])), np.zeros((0, 3))
    scene = Scene(tuple(frames), cameras, to_source, "mm", test, empty, empty.astype(np.uint8))
    write_transforms(scene, folder)
    return load_scene(folder), truths
