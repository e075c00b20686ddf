"""What a model looks like from anywhere, in one colour or another."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from neus.images import to_uint8
from neus.models import TrainedModel, View, geometry_pictures
from neus.ops.types import SURFACE
from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

SHOWN = ("colour", "normals", "depth", "occupancy")
RAYS = 1 << 13
"""That are followed before it is asked whether anybody still wants the picture."""


@dataclass(frozen=True)
class Camera:
    """Where somebody looks from.

    Attributes:
        camera_to_world: ``[3, 4]`` in the scene frame; x right, y down, z forward.
        field_of_view: from the top of the picture to its bottom, in radians.
        aspect: of width to height.
    """

    camera_to_world: Float[np.ndarray, "3 4"]
    field_of_view: float
    aspect: float

    def pinhole(self, longest: int) -> Cameras:
        """A camera whose picture's longer side has so many pixels."""
        width = longest if self.aspect >= 1 else max(round(longest * self.aspect), 1)
        height = max(round(longest / self.aspect), 1) if self.aspect >= 1 else longest
        focal = height / 2 / math.tan(self.field_of_view / 2)
        intrinsics = np.array([[focal, 0, width / 2], [0, focal, height / 2], [0, 0, 1]])
        sizes = np.array([width]), np.array([height])
        return Cameras(intrinsics[None], self.camera_to_world[None], *sizes)


def rendered(
    trained: TrainedModel,
    cameras: Cameras,
    shown: str,
    is_wanted: Callable[[], bool] = lambda: True,
) -> tuple[UInt8[np.ndarray, "h w 3"], Float[np.ndarray, "h w"]] | None:
    """A picture of the only camera, and its depths (0 where nothing is seen).

    Args:
        shown: ``colour``, ``normals`` or ``depth``.
        is_wanted: asked between stripes; None comes back as soon as it says no.
    """
    width, height = int(cameras.widths[0]), int(cameras.heights[0])
    rows = max(RAYS // width, 1)
    stripes = []
    for top in range(0, height, rows):
        if not is_wanted():
            return None
        stripes.append(trained.view(_stripe(cameras, top, min(rows, height - top)), 0))
    names = [field.name for field in fields(View)]
    view = View(**{name: np.concatenate([getattr(s, name) for s in stripes]) for name in names})
    if shown == "colour":
        return to_uint8(view.rgb), view.depth
    normals, depth = geometry_pictures(view, cameras, 0)
    return (normals if shown == "normals" else depth), view.depth


def _stripe(cameras: Cameras, top: int, rows: int) -> Cameras:
    """Some rows of a camera's picture, as a camera of their own."""
    intrinsics = cameras.intrinsics.copy()
    intrinsics[:, 1, 2] -= top
    return Cameras(intrinsics, cameras.camera_to_world, cameras.widths, np.array([rows]))


def occupied_cells(trained: TrainedModel) -> tuple[Float[np.ndarray, "n 3"], float]:
    """Centres of the cells that may hold a surface, in the scene frame, and their side."""
    state = trained.occupancy.state.cpu().numpy()
    side = 2 / len(state)
    return (np.argwhere(state == SURFACE) + 0.5) * side - 1, side
