"""The point at which a set of cameras looks, and how much they show of what is around it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.scene.cameras import Cameras

if TYPE_CHECKING:
    from jaxtyping import Float

MIN_SPREAD = 1e-4
"""Mean squared sine between axes and their common direction, below which they count as parallel:
0.6 degrees."""
LEAST_MISS = 1e-4
"""Of the cameras' distance from their middle: axes that pass the focus no farther weigh alike."""


def focus_point(camera_to_world: Float[np.ndarray, "n 3 4"]) -> Float[np.ndarray, "3"] | None:
    """The point with the least sum of distances to all optical axes, in the cameras' frame.

    Least absolute and not least squares, so that a camera that looks astray has little say; by
    iteratively reweighted least squares. None if the axes are parallel or meet behind most of the
    cameras: they look past each other, or outwards.
    """
    centres, axes = camera_to_world[:, :, 3], camera_to_world[:, :, 2]
    across = np.eye(3) - axes[:, :, None] * axes[:, None, :]
    if np.linalg.eigvalsh(across.mean(axis=0))[0] < MIN_SPREAD:
        return None
    extent = np.linalg.norm(centres - centres.mean(axis=0), axis=1).max()
    weights = np.ones(len(centres))
    focus = np.zeros(3)
    for _ in range(30):
        weighted = weights[:, None, None] * across
        focus = np.linalg.solve(weighted.sum(axis=0), np.einsum("nij,nj->i", weighted, centres))
        distances = np.linalg.norm(np.einsum("nij,nj->ni", across, focus - centres), axis=1)
        weights = 1 / np.maximum(distances, LEAST_MISS * extent)
    depths = ((focus - centres) * axes).sum(axis=1)
    return focus if np.median(depths) > 0 else None


def looks_away(camera_to_world: Float[np.ndarray, "n 3 4"]) -> bool:
    """Whether the cameras look away from each other, and at one point with y and z turned round.

    So do poses with OpenCV's axes that are read as OpenGL's, or the other way round.
    """
    flipped = camera_to_world * np.array([1.0, -1.0, -1.0, 1.0])
    return focus_point(camera_to_world) is None and focus_point(flipped) is not None


def whole_radius(cameras: Cameras, centre: Float[np.ndarray, "3"]) -> float:
    """Radius of the largest sphere about ``centre`` that most images show as a whole.

    The median over the cameras of the distance to the nearest side plane of the view pyramid;
    zero or less if most cameras do not see the centre.
    """
    radii = []
    for i in range(len(cameras)):
        rotation = cameras.camera_to_world[i, :, :3]
        fx, fy, cx, cy = cameras.intrinsics[i][[0, 1, 0, 1], [0, 1, 2, 2]]
        width, height = cameras.widths[i], cameras.heights[i]
        inward = np.array(
            [[fx, 0, cx], [-fx, 0, width - cx], [0, fy, cy], [0, -fy, height - cy]]
        )  # normals of the left, right, top and bottom planes, in camera axes
        inward /= np.linalg.norm(inward, axis=1, keepdims=True)
        radii.append((inward @ rotation.T @ (centre - cameras.centres[i])).min())
    return float(np.median(radii))
