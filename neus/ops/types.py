"""What the operators exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float, Int

EMPTY, SURFACE, INSIDE = 0, 1, 2
"""States of an occupancy cell: skip it, sample it, end the ray in it."""


@dataclass(frozen=True)
class Samples:
    """Samples along rays, ray by ray and front to back.

    Attributes:
        ray_index: ``[m]`` the ray of each sample.
        t: ``[m]`` distance along the ray, in scene units.
        offsets: ``[r + 1]`` where each ray's samples begin; its last entry is m.
    """

    ray_index: Int[Tensor, "m"]
    t: Float[Tensor, "m"]
    offsets: Int[Tensor, "r+1"]

    @property
    def rays(self) -> int:
        """Rays that were marched; those past the capacity are not among them."""
        return len(self.offsets) - 1
