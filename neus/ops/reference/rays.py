"""Marching, sections and compositing along rays in plain torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.alpha import section_alpha
from neus.ops.types import EMPTY, INSIDE, Samples

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


def march_rays(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    step: float | Tensor,
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> Samples:
    """Samples at a fixed step inside the unit sphere, in the cells that may hold the surface.

    A ray enters the sphere, takes a sample every ``step`` (the first after ``jitter * step``) in
    SURFACE cells, skips EMPTY ones and ends at its first INSIDE cell. Rays are taken in order as
    long as all their samples fit into ``capacity``, which is then the number of places; without
    it there is a place for every sample.
    """
    near, far, hits = _sphere_interval(origins, directions)
    count = int(torch.ceil((far - near).max() / step)) + 1 if hits.any() else 1
    t = near[:, None] + step * (jitter[:, None] + torch.arange(count, device=near.device))
    points = origins[:, None] + directions[:, None] * t[..., None]
    resolution = occupancy.shape[0]
    cells = ((points * 0.5 + 0.5) * resolution).long().clamp_(0, resolution - 1)
    state = occupancy[cells[..., 0], cells[..., 1], cells[..., 2]]
    within = hits[:, None] & (t < far[:, None])
    ended = ((state == INSIDE) & within).long().cumsum(dim=1) > 0
    wanted = within & ~ended & (state != EMPTY)
    ends = wanted.sum(dim=1).cumsum(dim=0)
    taken = ends <= (ends[-1:] if capacity is None else capacity)
    ray_index, sample = (wanted & taken[:, None]).nonzero(as_tuple=True)
    padding = 0 if capacity is None else capacity - len(ray_index)
    return Samples(
        torch.nn.functional.pad(ray_index, (0, padding)),
        torch.nn.functional.pad(t[ray_index, sample], (0, padding)),
        torch.cat([ends.new_zeros(1), ends.clamp(max=len(ray_index))]),
        taken,
    )


def section(
    sdf: Float[Tensor, "m"],
    gradient: Float[Tensor, "m 3"],
    directions: Float[Tensor, "r 3"],
    ray_index: Tensor,
    step: float | Tensor,
    inv_s: Float[Tensor, ""],
    cos_anneal: float | Tensor,
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"], Float[Tensor, "m"]]:
    """Opacity, unit normal and norm of the gradient of each sample."""
    x, y, z = gradient.unbind(dim=1)
    norms = torch.sqrt(x * x + y * y + z * z + 1e-12)
    normals = gradient / norms[:, None]
    cosine = (normals * directions[ray_index]).sum(dim=1)
    return section_alpha(sdf, cosine, step, inv_s, cos_anneal), normals, norms


def composite(
    alpha: Float[Tensor, "m"], values: Float[Tensor, "m c"], offsets: Tensor
) -> tuple[Float[Tensor, "m"], Float[Tensor, "r"], Float[Tensor, "r c"]]:
    """Front-to-back compositing along rays (Mildenhall et al. 2020, eq. 3).

    Returns the weights ``alpha_i * prod_{j<i} (1 - alpha_j)``, the transmittance that is left at
    the end of each ray, and the weighted sums of ``values``. Exact also where alpha is 1. Places
    past ``offsets[-1]`` get the weight 0.
    """
    counts = offsets.diff()
    rays, longest = len(counts), max(int(counts.max()), 1) if len(counts) else 1
    ray_index = torch.repeat_interleave(torch.arange(rays, device=alpha.device), counts)
    used = len(ray_index)
    place = torch.arange(used, device=alpha.device) - offsets[:-1][ray_index]
    dense = alpha.new_zeros(rays, longest).index_put((ray_index, place), alpha[:used])
    through = torch.cumprod(1 - dense, dim=1)
    before = torch.cat([torch.ones_like(through[:, :1]), through[:, :-1]], dim=1)
    weights = (dense * before)[ray_index, place]
    sums = values.new_zeros(rays, values.shape[1]).index_add(
        0, ray_index, weights[:, None] * values[:used]
    )
    return torch.nn.functional.pad(weights, (0, len(alpha) - used)), through[:, -1], sums


def _sphere_interval(
    origins: Float[Tensor, "r 3"], directions: Float[Tensor, "r 3"]
) -> tuple[Float[Tensor, "r"], Float[Tensor, "r"], Tensor]:
    """Where rays of unit direction enter and leave the unit sphere, and whether they meet it."""
    middle = -(origins * directions).sum(dim=1)
    squared = middle**2 - (origins**2).sum(dim=1) + 1
    half = squared.clamp(min=0).sqrt()
    near, far = (middle - half).clamp(min=0), middle + half
    return near, far, (squared > 0) & (far > 0)
