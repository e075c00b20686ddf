"""A cloud as stereo finds it, of a surface that is known exactly."""

from __future__ import annotations

import numpy as np

from neus.scene import Cameras
from neus.stereo import StereoPoints

RADIUS = 0.6
FOOTPRINT = 0.02


def points_on_the_sphere(
    cameras: Cameras, count: int = 400, radius: float = RADIUS
) -> StereoPoints:
    """Points spread over a sphere in scene units, each seen by the views in front of it."""
    normal = np.random.default_rng(0).normal(size=(count, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    position = radius * normal
    towards = cameras.centres[None] - position[:, None]
    sees = (towards * normal[:, None]).sum(axis=2) > 0.2
    normal, position, sees = (part[sees.any(axis=1)] for part in (normal, position, sees))
    return StereoPoints(
        position=position.astype(np.float32),
        normal=normal.astype(np.float32),
        colour=np.zeros((len(position), 3), np.uint8),
        confidence=np.ones(len(position), np.float32),
        footprint=np.full(len(position), FOOTPRINT, np.float32),
        first=np.concatenate([[0], np.cumsum(sees.sum(axis=1))]),
        views=np.nonzero(sees)[1].astype(np.int32),
    )
