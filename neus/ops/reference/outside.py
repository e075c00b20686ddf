"""Marching outside the unit sphere in plain torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.contraction import contract
from neus.ops.outside import MOST_DEPTH, growth
from neus.ops.types import EMPTY, Samples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8


def march_outside(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    density: Float[Tensor, "g g g"],
    ratio: float,
    far: float,
    lit: Bool[Tensor, "r"],
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> tuple[Samples, Float[Tensor, "m"]]:
    """Samples outside the unit sphere, and the lengths of the sections that they stand for.

    Sections begin where a ray leaves the sphere and grow by ``1 + ratio``, the first being
    ``ratio`` long: about as the distance from the origin does. They end at ``far`` times the
    sphere's radius beyond. With ``b`` the least distance of a ray's line from the origin, at the
    distance ``middle``, the way out is ``middle + sqrt(1 - b^2)``. A ray that misses the sphere
    begins at ``middle - sqrt(b^2 - 1)``, which joins that without a leap and shows the more of
    what stands beside the object the farther the ray passes. No ray begins behind its origin.

    ``occupancy`` and ``density``, per unit of length, cover the space of
    :func:`neus.ops.contraction.contract`. Sections whose sample lies in an EMPTY cell are skipped,
    and a ray ends where the others have come to an optical depth of MOST_DEPTH. Rays that are not
    ``lit``, since no light comes through from there, get no samples. ``jitter`` within [0, 1)
    places the samples in their sections, and ``capacity`` counts as in :func:`march_rays`; lengths
    are 0 in the padding.
    """
    start = outside_start(origins, directions)
    scale = (1 + ratio) ** jitter[:, None] * growth(ratio, far, origins.device).to(origins.dtype)
    t = start[:, None] + (scale - 1)
    points = origins[:, None] + directions[:, None] * t[..., None]
    resolution = occupancy.shape[0]
    cells = ((contract(points) * 0.5 + 0.5) * resolution).long().clamp_(0, resolution - 1)
    cell = cells[..., 0], cells[..., 1], cells[..., 2]
    wanted = (occupancy[cell] != EMPTY) & lit[:, None]
    depth = torch.where(wanted, density[cell] * (ratio * scale), 0)
    wanted &= depth.cumsum(dim=1) - depth < MOST_DEPTH
    ends = wanted.sum(dim=1).cumsum(dim=0)
    taken = ends <= (ends[-1:] if capacity is None else capacity)
    ray_index, place = (wanted & taken[:, None]).nonzero(as_tuple=True)
    padding = 0 if capacity is None else capacity - len(ray_index)
    ray, distance, length = (
        torch.nn.functional.pad(values, (0, padding))
        for values in (ray_index, t[ray_index, place], ratio * scale[ray_index, place])
    )
    offsets = torch.cat([ends.new_zeros(1), ends.clamp(max=len(ray_index))])
    return Samples(ray, distance, offsets, taken), length


def outside_start(
    origins: Float[Tensor, "r 3"], directions: Float[Tensor, "r 3"]
) -> Float[Tensor, "r"]:
    """Where along rays of unit direction the outside begins, see :func:`march_outside`."""
    middle = -(origins * directions).sum(dim=1)
    squared = middle**2 - (origins**2).sum(dim=1) + 1
    root = squared.abs().sqrt()
    return (middle + torch.where(squared > 0, root, -root)).clamp(min=0)
