"""Which views a view is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

LEAST_OVERLAP = 0.1
"""Share of the sphere's points before one view that another has to see, too."""


def angles_between(cameras: Cameras) -> Float[np.ndarray, "n n"]:
    """Degrees between all views, as seen from the scene's centre, which is the origin."""
    distance = np.linalg.norm(cameras.centres, axis=1, keepdims=True)
    towards = cameras.centres / np.maximum(distance, 1e-9)
    return np.degrees(np.arccos(np.clip(towards @ towards.T, -1, 1)))


def overlapping(cameras: Cameras) -> Bool[np.ndarray, "n n"]:
    """``[i, j]``: what view i sees of the inner sphere is in view j's picture, too."""
    axis = np.linspace(-0.75, 0.75, 9)
    points = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3)
    points = points[np.linalg.norm(points, axis=1) < 0.8]
    seen = np.stack(
        [cameras.in_image(i, *cameras.project(i, points)) for i in range(len(cameras))]
    ).astype(np.float64)
    common = seen @ seen.T
    return common >= LEAST_OVERLAP * np.maximum(seen.sum(axis=1, keepdims=True), 1)


def choose_sources(
    cameras: Cameras,
    *,
    near: int,
    wide: int,
    narrowest: float,
    wide_from: float,
    widest: float,
) -> list[list[int]]:
    """For each view the others to match it with, the nearest first.

    Small baselines look alike but tell little of depth, wide ones the reverse: the ``near`` nearest
    views beyond ``narrowest`` degrees, and the ``wide`` nearest of the rest beyond ``wide_from``.
    Where too few lie beyond ``narrowest``, the widest of those below fill up.

    Args:
        cameras: of the training views, in the scene frame.
        near, wide: how many.
        narrowest, wide_from, widest: degrees as seen from the scene's centre.
    """
    angles, overlap = angles_between(cameras), overlapping(cameras)
    chosen = []
    for i in range(len(cameras)):
        others = [
            j
            for j in np.argsort(angles[i], kind="stable").tolist()
            if j != i and overlap[i, j] and angles[i, j] <= widest
        ]
        close = [j for j in others if angles[i, j] >= narrowest][:near]
        far = [j for j in others if angles[i, j] >= wide_from and j not in close][:wide]
        below = [j for j in reversed(others) if angles[i, j] < narrowest]
        chosen.append((close + far + below)[: max(near, len(close) + len(far))])
    return chosen
