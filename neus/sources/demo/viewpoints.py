"""Where the photographs are taken from: rings around the sculpture, by a slightly unsteady hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.scene import Cameras, look_at

if TYPE_CHECKING:
    from jaxtyping import Float

ELEVATIONS = np.radians([8.0, 32.0, 58.0])
DISTANCE = 3.1
MARGIN = 0.04
"""Share of the half image that stays empty beyond the sculpture's outermost point."""


def place_cameras(
    views: int,
    width: int,
    height: int,
    hull: Float[np.ndarray, "p 3"],
    rng: np.random.Generator,
) -> Cameras:
    """Cameras all around the sculpture, in its frame, ring after ring.

    A ring has its share of the views by its circumference, so that neighbours are about equally
    far apart on all of them: 18 degrees of arc for 48 views. Position, aim and roll are jittered.
    All views share one focal length, the longest that shows all of ``hull`` (points whose
    convex hull holds the sculpture) in all of them;
    the principal point is the centre of the image.
    """
    poses = np.array(
        [
            _handheld_pose(azimuth, elevation, rng)
            for elevation, count in zip(ELEVATIONS, _ring_sizes(views), strict=True)
            for azimuth in _ring_azimuths(count, rng)
        ]
    )
    sizes = np.full(views, width), np.full(views, height)
    intrinsics = np.tile(np.eye(3), (views, 1, 1))
    intrinsics[:, :2, 2] = width / 2, height / 2
    cameras = Cameras(intrinsics, poses, *sizes)
    # With a focal length of one pixel a projection's offset is the tangent of its angle.
    tangents = np.abs([cameras.project(i, hull)[0] - (width / 2, height / 2) for i in range(views)])
    room = (1 - MARGIN) * np.array([width / 2, height / 2])
    intrinsics[:, [0, 1], [0, 1]] = (room / tangents.max(axis=(0, 1))).min()
    return cameras


def _ring_sizes(views: int) -> list[int]:
    """Views per ring in proportion to its circumference: largest remainders, the sum exact."""
    shares = views * np.cos(ELEVATIONS) / np.cos(ELEVATIONS).sum()
    sizes = np.floor(shares).astype(int)
    rest = np.argsort(sizes - shares, kind="stable")[: views - sizes.sum()]
    sizes[rest] += 1
    return sizes.tolist()


def _ring_azimuths(count: int, rng: np.random.Generator) -> Float[np.ndarray, "count"]:
    """A full turn in even steps from a random start, each a tenth of a step unsteady."""
    return (rng.uniform() + np.arange(count) + rng.uniform(-0.1, 0.1, count)) * (2 * np.pi / count)


def _handheld_pose(
    azimuth: float, elevation: float, rng: np.random.Generator
) -> Float[np.ndarray, "3 4"]:
    """Camera-to-world of a camera that looks at about the origin, about upright."""
    elevation = elevation + np.radians(rng.uniform(-2, 2))
    level, up = np.cos(elevation), np.sin(elevation)
    direction = np.array([level * np.cos(azimuth), level * np.sin(azimuth), up])
    pose = look_at(
        DISTANCE * rng.uniform(0.97, 1.03) * direction,
        rng.uniform(-0.02, 0.02, 3),
        np.array([0.0, 0.0, 1.0]),
    )
    roll = np.radians(rng.uniform(-4, 4))
    c, s = np.cos(roll), np.sin(roll)
    pose[:, :2] = pose[:, :2] @ np.array([[c, -s], [s, c]])
    return pose
