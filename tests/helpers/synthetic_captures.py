"""Captures with known answers: rings of cameras, silhouettes of ellipsoids, scans on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neus.images.files import write_image
from neus.scene.cameras import Cameras, look_at
from neus.scene.reading import Frame, Scene
from neus.scene.similarity import Similarity

UP = np.array([0.0, 0.0, 1.0])


def ring_cameras(
    count: int = 12,
    *,
    distance: float = 4.0,
    elevations: tuple[float, float] = (10.0, 50.0),
    azimuths: tuple[float, float] = (0.0, 360.0),
    focus: np.ndarray | None = None,
    size: tuple[int, int] = (120, 90),
    focal: float = 110.0,
) -> Cameras:
    """Cameras at two alternating elevations (degrees) that look at ``focus``, z up."""
    focus = np.zeros(3) if focus is None else focus
    azimuth = np.deg2rad(np.linspace(*azimuths, count, endpoint=azimuths[1] - azimuths[0] < 360))
    elevation = np.deg2rad(np.resize(elevations, count))
    level, height = np.cos(elevation), np.sin(elevation)
    directions = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), height], axis=1)
    poses = np.stack([look_at(focus + distance * d, focus, UP) for d in directions])
    width, height = size
    intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
    return Cameras(
        np.tile(intrinsics, (count, 1, 1)), poses, np.full(count, width), np.full(count, height)
    )


def ellipsoid_masks(
    cameras: Cameras, centre: np.ndarray, half_axes: np.ndarray
) -> list[np.ndarray]:
    """Silhouettes of an axis-aligned ellipsoid, 0 or 255: where the ray meets it."""
    masks = []
    for i in range(len(cameras)):
        origins, directions = cameras.rays(i, cameras.pixel_grid(i))
        o, d = (origins - centre) / half_axes, directions / half_axes
        a, b, c = (d * d).sum(1), (o * d).sum(1), (o * o).sum(1) - 1
        hit = (b * b >= a * c) & (b < 0)
        masks.append(np.where(hit, 255, 0).astype(np.uint8).reshape(cameras.heights[i], -1))
    return masks


def ellipsoid_points(count: int, centre: np.ndarray, half_axes: np.ndarray) -> np.ndarray:
    """Points on the surface of an axis-aligned ellipsoid."""
    directions = np.random.default_rng(0).normal(size=(count, 3))
    return centre + half_axes * directions / np.linalg.norm(directions, axis=1, keepdims=True)


def scene_on_disk(
    folder: Path, cameras: Cameras, masks: list[np.ndarray] | None, points: np.ndarray | None = None
) -> Scene:
    """A scene in the source frame whose images (noise) and masks lie below ``folder``."""
    rng = np.random.default_rng(1)
    frames = []
    for i in range(len(cameras)):
        image = rng.integers(0, 256, (cameras.heights[i], cameras.widths[i], 3), dtype=np.uint8)
        write_image(folder / "image" / f"{i:06d}.png", image)
        if masks is not None:
            write_image(folder / "mask" / f"{i:03d}.png", masks[i])
        mask = folder / "mask" / f"{i:03d}.png" if masks is not None else None
        frames.append(Frame(f"{i:06d}", folder / "image" / f"{i:06d}.png", mask))
    points = np.zeros((0, 3)) if points is None else points
    colours = rng.integers(0, 256, points.shape, dtype=np.uint8)
    return Scene(tuple(frames), cameras, Similarity.identity(), "mm", (), points, colours)
