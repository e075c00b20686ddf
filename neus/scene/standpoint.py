"""From where to look at what a set of cameras shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.scene.cameras import Cameras
from neus.scene.vertical import up_direction

if TYPE_CHECKING:
    from jaxtyping import Float

ONE_SIDE = 0.05
"""Length of the level part of the mean direction of view, below which cameras stand all around."""


def standpoint(cameras: Cameras) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
    """Up, and front: from the object to the side that the cameras look at.

    Front is at right angles to up, against the cameras' mean direction of view; where they stand
    all around, it is the first camera's.

    Returns:
        Unit vectors in the frame of the cameras.
    """
    up = up_direction(cameras.camera_to_world)
    towards = -cameras.optical_axes.mean(axis=0)
    front = towards - (towards @ up) * up
    if np.linalg.norm(front) < ONE_SIDE:
        first = -cameras.optical_axes[0]
        front = first - (first @ up) * up
    if np.linalg.norm(front) < 1e-6:  # it looks straight down: its image's top is as good a side
        top = cameras.ups[0]
        front = top - (top @ up) * up
    if np.linalg.norm(front) < 1e-6:
        front = np.cross(up, np.eye(3)[np.abs(up).argmin()])
    return up, front / np.linalg.norm(front)
