"""Which way is up: from how the cameras are held, or from the ground that the object stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

LEVEL_SPREAD = 0.02
"""Mean square of the x axes beside their main direction, 8 degrees: below it they are all alike."""
THICKNESS = 0.01
"""Of the cameras' median distance from the points: how far a point of the ground may be off it."""
TRIALS = 2000
"""Planes through three random points; one in eight right is enough to find the ground."""
MAX_TILT = np.deg2rad(45)
"""Between the ground's normal and the cameras' up direction: steeper planes are walls."""
GROUND_SHARE = 0.1
"""Of the points that must lie on the ground."""


def up_direction(camera_to_world: Float[np.ndarray, "n 3 4"]) -> Float[np.ndarray, "3"]:
    """The scene's vertical, as a unit vector on the side of the image tops.

    Cameras held level have horizontal x axes, so the vertical is at right angles to all of those,
    wherever the cameras look from. Where the axes do not tell (all alike, or rolled at will) it is
    the mean of the image tops, and where these cancel out, the normal of the cameras' plane.
    """
    tops, rights = -camera_to_world[:, :, 1], camera_to_world[:, :, 0]
    mean = tops.mean(axis=0)
    spread, axes = np.linalg.eigh(rights.T @ rights / len(rights))
    if spread[1] > LEVEL_SPREAD and spread[0] < spread[1] / 10:
        vertical = axes[:, 0]
    elif np.linalg.norm(mean) > 0.1:
        return mean / np.linalg.norm(mean)
    else:
        centred = camera_to_world[:, :, 3] - camera_to_world[:, :, 3].mean(axis=0)
        vertical = np.linalg.eigh(centred.T @ centred)[1][:, 0]
    side = mean @ vertical
    if abs(side) < 1e-3:
        side = -camera_to_world[:, :, 2].mean(axis=0) @ vertical  # cameras mostly look down
    return -vertical if side < 0 else vertical


def ground_normal(
    points: Float[np.ndarray, "p 3"],
    camera_to_world: Float[np.ndarray, "n 3 4"],
    rng: np.random.Generator,
) -> Float[np.ndarray, "3"]:
    """The normal of the plane with most points, on the cameras' side, as a unit vector.

    RANSAC (Fischler and Bolles, 1981) over planes no steeper than :data:`MAX_TILT` to the cameras'
    up direction, with a threshold relative to the cameras' distance; least squares at the end.

    Raises:
        InputError: there are too few points, or no such plane holds enough of them.
    """
    up = up_direction(camera_to_world)
    threshold = THICKNESS * _median_distance(points, camera_to_world[:, :, 3])
    best = np.zeros(len(points), dtype=bool)
    for _ in range(TRIALS if len(points) >= 3 else 0):
        corners = points[rng.choice(len(points), 3, replace=False)]
        normal = np.cross(corners[1] - corners[0], corners[2] - corners[0])
        length = np.linalg.norm(normal)
        if length == 0 or abs(normal @ up) < np.cos(MAX_TILT) * length:
            continue
        near = np.abs((points - corners[0]) @ normal) < threshold * length
        if near.sum() > best.sum():
            best = near
    if best.sum() < max(10, GROUND_SHARE * len(points)):
        raise InputError(
            f"no level ground shows in the {len(points)} sparse points: photograph more of what "
            "the object stands on, or set up to cameras"
        )
    ground = points[best] - points[best].mean(axis=0)
    normal = np.linalg.eigh(ground.T @ ground)[1][:, 0]
    above = np.median((camera_to_world[:, :, 3] - points[best].mean(axis=0)) @ normal)
    return normal if above > 0 else -normal


def _median_distance(points: Float[np.ndarray, "p 3"], centres: Float[np.ndarray, "n 3"]) -> float:
    middle = np.median(points, axis=0) if len(points) else np.zeros(3)
    return float(np.median(np.linalg.norm(centres - middle, axis=1)))
