"""What the operators exchange."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

EMPTY, SURFACE, INSIDE = 0, 1, 2
"""States of an occupancy cell: skip it, sample it, end the ray in it."""


@dataclass(frozen=True)
class Samples:
    """Samples along rays, ray by ray and front to back.

    The number of places m is fixed where a capacity is, so that a training step has the same shapes
    every time and can be recorded; places from ``offsets[-1]`` on are padding.

    Attributes:
        ray_index: ``[m]`` the ray of each sample; 0 in the padding.
        t: ``[m]`` distance along the ray, in scene units; 0 in the padding.
        offsets: ``[r + 1]`` where each ray's samples begin; its last entry is their number.
        taken: ``[r]`` whether a ray's samples are among them: all rays up to the first whose
            samples exceed the capacity.
    """

    ray_index: Int[Tensor, "m"]
    t: Float[Tensor, "m"]
    offsets: Int[Tensor, "r+1"]
    taken: Bool[Tensor, "r"]
