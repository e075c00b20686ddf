"""Where a scan's photos are taken from: DTU's cone, rings around the object, or a full sphere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.scene import Cameras, look_at
from neus.sources.demo.viewpoints import place_cameras

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float

DISTANCE = 2.85
"""Of a camera from the origin, in radii of the unit sphere, as in DTU's scans."""
DTU_ROWS = (5, 6, 8, 9, 10, 11)
"""Views of each row of DTU's 49, from the steepest to the flattest."""
DTU_ELEVATIONS = (66.0, 14.0)
"""Degrees above the table of the first and the last row."""
DTU_AZIMUTH = 53.0
"""Degrees to both sides that every row reaches."""
SPHERE_ELEVATIONS = (-62.0, 80.0)
MARGIN = 0.03
"""Share of the half image that stays empty beyond the object, at zoom 1."""


def cone(views: int, rng: np.random.Generator) -> Float[np.ndarray, "views 3"]:
    """Unit directions of cameras in rows before the object, which faces x, as DTU's robot stood.

    The rows and the angles are those of the cameras of DTU's scans with 49 views.
    """
    counts = shares(np.array(DTU_ROWS, float), views)
    found = []
    for elevation, count in zip(np.linspace(*DTU_ELEVATIONS, len(DTU_ROWS)), counts, strict=True):
        azimuths = np.linspace(-DTU_AZIMUTH, DTU_AZIMUTH, count) if count > 1 else np.zeros(count)
        found += [(azimuth, elevation) for azimuth in azimuths]
    return directions(np.array(found) + rng.uniform(-0.8, 0.8, (views, 2)))


def sphere(views: int, rng: np.random.Generator) -> Float[np.ndarray, "views 3"]:
    """Unit directions all around, above and below, each with the same share of the sphere."""
    low, high = np.sin(np.radians(SPHERE_ELEVATIONS))
    heights = low + (high - low) * (np.arange(views) + 0.5) / views
    azimuths = 137.50776 * np.arange(views) + rng.uniform(0, 360)
    angles = np.stack([azimuths, np.degrees(np.arcsin(heights))], axis=1)
    return directions(angles + rng.uniform(-2, 2, (views, 2)))


RIGS: dict[str, Callable[[int, np.random.Generator], np.ndarray]] = {"cone": cone, "sphere": sphere}
"""``rings``, those of the demo, are the third."""


def cameras_of(
    rig: str,
    views: int,
    size: tuple[int, int],
    zoom: float,
    hull: Float[np.ndarray, "p 3"],
    rng: np.random.Generator,
) -> Cameras:
    """Cameras in the shape's frame.

    All share one focal length: ``zoom`` times the longest at which all of them show all of
    ``hull``, so that beyond 1 the object is cut off at the photos' edges.

    Args:
        rig: ``cone``, ``sphere`` or ``rings``.
        size: width and height of a photo, in pixels.
    """
    width, height = size
    if rig == "rings":
        cameras = place_cameras(views, width, height, hull, rng)
    else:
        aims = rng.uniform(-0.03, 0.03, (views, 3))
        ups = rng.normal((0.0, 0.0, 1.0), 0.02, (views, 3))
        places = DISTANCE * rng.uniform(0.985, 1.015, (views, 1)) * RIGS[rig](views, rng)
        poses = [look_at(*three) for three in zip(places, aims, ups, strict=True)]
        intrinsics = np.tile(np.eye(3), (views, 1, 1))
        intrinsics[:, :2, 2] = width / 2, height / 2
        cameras = Cameras(
            intrinsics, np.array(poses), np.full(views, width), np.full(views, height)
        )
        tangents = [cameras.project(i, hull)[0] - intrinsics[i, :2, 2] for i in range(views)]
        room = (1 - MARGIN) * np.array([width / 2, height / 2])
        focal = (room / np.abs(tangents).max(axis=(0, 1))).min()
        intrinsics[:, [0, 1], [0, 1]] = focal
    cameras.intrinsics[:, [0, 1], [0, 1]] *= zoom
    return cameras


def shares(weights: Float[np.ndarray, "n"], total: int) -> list[int]:
    """Whole numbers in about the proportion of ``weights``, whose sum is ``total``."""
    exact = total * weights / weights.sum()
    counts = np.floor(exact).astype(int)
    rest = np.argsort(counts - exact, kind="stable")[: total - counts.sum()]
    counts[rest] += 1
    return counts.tolist()


def directions(angles: Float[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
    """Unit vectors of azimuths and elevations, in degrees."""
    azimuth, elevation = np.radians(angles).T
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=1)
