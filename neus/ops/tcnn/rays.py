"""Marching and compositing along rays by nerfacc 0.5."""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from neus.ops import reference
from neus.ops.types import EMPTY, INSIDE, SURFACE, Samples

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8


def march_rays(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    step: float | Tensor,
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> Samples:
    """See :func:`neus.ops.reference.march_rays`.

    nerfacc knows cells that are occupied or not, and no rays that end in one: it samples the solid
    as well as the surface, and what lies in or behind an INSIDE cell is then dropped.
    """
    if not len(origins):
        return reference.march_rays(origins, directions, occupancy, step, jitter, capacity)
    length = float(step)
    near, far = _sphere_interval(origins, directions)
    start = near + length * (jitter - 0.5)  # samples are at the middle of nerfacc's intervals
    estimator = _estimator(origins.device)
    estimator.binaries = (occupancy != EMPTY)[None]
    ray_index, begin, end = estimator.sampling(
        origins,
        directions,
        near_plane=-length,
        t_min=start,
        t_max=far,
        render_step_size=length,
    )
    t = 0.5 * (begin + end)
    state = _states(origins[ray_index] + directions[ray_index] * t[:, None], occupancy)
    kept = (state == SURFACE) & ~_at_or_behind(state == INSIDE, ray_index, len(origins))
    return _packed(ray_index[kept], t[kept], len(origins), capacity)


def composite(
    alpha: Float[Tensor, "m"], values: Float[Tensor, "m c"], offsets: Int[Tensor, "r+1"]
) -> tuple[Float[Tensor, "m"], Float[Tensor, "r"], Float[Tensor, "r c"]]:
    """See :func:`neus.ops.reference.composite`; padding gets weight 0 and gradient 0.

    nerfacc's backward pass divides by 1 - alpha, so gradients are wrong where alpha is 1. The
    alpha of a section stays below 1 - 1e-5.
    """
    if not len(alpha):
        return reference.composite(alpha, values, offsets)
    nerfacc, rays = import_module("nerfacc"), len(offsets) - 1
    begins = offsets.long()  # the padding makes one more ray
    counts = torch.cat([begins[1:], begins.new_full((1,), len(alpha))]) - begins
    ray_index = torch.repeat_interleave(
        torch.arange(rays + 1, device=alpha.device), counts, output_size=len(alpha)
    )
    alpha = torch.where(ray_index < rays, alpha, 0)
    weights, arriving = nerfacc.render_weight_from_alpha(
        alpha, packed_info=torch.stack([begins, counts], dim=1)
    )
    sums = nerfacc.accumulate_along_rays(weights, values, ray_indices=ray_index, n_rays=rays + 1)
    # What is left at the end, not as 1 - sum(weights): its logarithm counts, down to nothing.
    last = (begins[1:] - 1).clamp(min=0)
    left = torch.where(counts[:-1] > 0, arriving[last] * (1 - alpha[last]), 1)
    return weights, left, sums[:-1]


@lru_cache(maxsize=1)
def _estimator(device: torch.device) -> Any:
    """nerfacc's grid over [-1, 1]^3.

    Sampling reads its cells' states, which are replaced each time with those of another resolution,
    and its box. What it would hold to update cells by itself, 36 bytes a cell, stays tiny.
    """
    box = [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]
    return import_module("nerfacc").OccGridEstimator(box, resolution=1).to(device)


def _sphere_interval(
    origins: Float[Tensor, "r 3"], directions: Float[Tensor, "r 3"]
) -> tuple[Float[Tensor, "r"], Float[Tensor, "r"]]:
    """Where rays enter and leave the unit sphere; ``far <= near`` where they do not meet it."""
    middle = -(origins * directions).sum(dim=1)
    squared = middle**2 - (origins**2).sum(dim=1) + 1
    half = squared.clamp(min=0).sqrt()
    near = (middle - half).clamp(min=0)
    return near, torch.where(squared > 0, middle + half, near)


def _states(points: Float[Tensor, "m 3"], occupancy: UInt8[Tensor, "g g g"]) -> UInt8[Tensor, "m"]:
    resolution = occupancy.shape[0]
    cells = ((points * 0.5 + 0.5) * resolution).long().clamp_(0, resolution - 1)
    return occupancy[cells[:, 0], cells[:, 1], cells[:, 2]]


def _at_or_behind(
    marked: Bool[Tensor, "m"], ray_index: Int[Tensor, "m"], rays: int
) -> Bool[Tensor, "m"]:
    """Whether a sample or one before it on the same ray is marked."""
    so_far = marked.long().cumsum(dim=0)
    counts = torch.bincount(ray_index, minlength=rays)
    before = torch.nn.functional.pad(so_far, (1, 0))[counts.cumsum(dim=0) - counts]
    return so_far > before[ray_index]


def _packed(
    ray_index: Int[Tensor, "m"], t: Float[Tensor, "m"], rays: int, capacity: int | None
) -> Samples:
    """The samples of all rays up to the first that exceeds the capacity, and padding."""
    ends = torch.bincount(ray_index, minlength=rays).cumsum(dim=0)
    taken = ends <= (ends[-1] if capacity is None else capacity)
    kept = taken[ray_index]
    ray_index, t = ray_index[kept], t[kept]
    padding = 0 if capacity is None else capacity - len(t)
    return Samples(
        torch.nn.functional.pad(ray_index, (0, padding)),
        torch.nn.functional.pad(t, (0, padding)),
        torch.cat([ends.new_zeros(1), ends.clamp(max=len(t))]),
        taken,
    )
