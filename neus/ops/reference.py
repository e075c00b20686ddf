"""The operators in plain torch, on any device and in any precision: the oracle of the others.

``encode`` and ``composite`` are differentiable by autograd as often as wanted; the remaining
functions are the hand-derived pieces that every backend provides (see ``neus.ops``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.grid import HASH_PRIMES, GridLayout
from neus.ops.types import EMPTY, INSIDE, Samples

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

_CORNERS = torch.tensor([[corner >> axis & 1 for axis in range(3)] for corner in range(8)])


def encode(
    x: Float[Tensor, "n 3"], table: Float[Tensor, "rows f"], grid: GridLayout, active_levels: int
) -> Float[Tensor, "n active"]:
    """Trilinear features of the first ``active_levels`` levels, level by level."""
    rows, fractions = _corner_rows(x, grid, active_levels)
    weights, _ = _corner_weights(fractions)
    return (weights[..., None] * table[rows]).sum(dim=2).flatten(1)


@dataclass(frozen=True)
class Linearized:
    """Features E(x) together with their Jacobian J = dE/dx."""

    features: Float[Tensor, "n active"]
    jacobian: Float[Tensor, "n width 3"]

    def jvp(self, v: Float[Tensor, "n 3"]) -> Float[Tensor, "n active"]:
        """J v: the derivative of the features along v."""
        return torch.einsum("nfk,nk->nf", self.jacobian, v)

    def vjp(self, gy: Float[Tensor, "n active"]) -> Float[Tensor, "n 3"]:
        """J^T gy: the gradient of <gy, E(x)> with respect to x."""
        return torch.einsum("nfk,nf->nk", self.jacobian, gy)


def linearize(
    x: Float[Tensor, "n 3"], table: Float[Tensor, "rows f"], grid: GridLayout, active_levels: int
) -> Linearized:
    """The encoding at x and its Jacobian, from one gather."""
    rows, fractions = _corner_rows(x, grid, active_levels)
    weights, weight_gradients = _corner_weights(fractions)
    corners = table[rows]
    scale = torch.as_tensor(grid.scale[:active_levels], device=x.device).to(x.dtype)
    features = torch.einsum("nlc,nlcf->nlf", weights, corners).flatten(1)
    jacobian = torch.einsum("nlck,nlcf,l->nlfk", weight_gradients, corners, scale).flatten(1, 2)
    return Linearized(features, jacobian)


def encode_scatter(
    x: Float[Tensor, "n 3"],
    dy: Float[Tensor, "n active"],
    gy: Float[Tensor, "n active"],
    v: Float[Tensor, "n 3"],
    grid: GridLayout,
    active_levels: int,
) -> Float[Tensor, "rows f"]:
    """Gradient of ``<dy, E(x)> + <gy, J(x) v>`` with respect to the table, in one pass.

    The first term is the usual first-order one; the second carries the gradient through dE/dx.
    """
    rows, fractions = _corner_rows(x, grid, active_levels)
    weights, weight_gradients = _corner_weights(fractions)
    scale = torch.as_tensor(grid.scale[:active_levels], device=x.device).to(x.dtype)
    slopes = torch.einsum("nlck,nk,l->nlc", weight_gradients, v, scale)
    dy, gy = (t.reshape(len(x), active_levels, grid.features) for t in (dy, gy))
    updates = weights[..., None] * dy[:, :, None] + slopes[..., None] * gy[:, :, None]
    gradient = x.new_zeros(grid.rows, grid.features)
    return gradient.index_add_(0, rows.flatten(), updates.flatten(0, 2))


def softplus_with_slope(
    z: Float[Tensor, "c n"], sharpness: float
) -> tuple[Float[Tensor, "c n"], Float[Tensor, "c n"]]:
    """``log(1 + exp(k z)) / k`` and its derivative, the sigmoid of ``k z``."""
    scaled = sharpness * z
    return torch.logaddexp(scaled, torch.zeros_like(scaled)) / sharpness, torch.sigmoid(scaled)


def softplus_backward(
    slope: Float[Tensor, "c n"],
    value_bar: Float[Tensor, "c n"],
    sensitivity: Float[Tensor, "c n"],
    sloped_bar: Float[Tensor, "c n"],
    sharpness: float,
) -> tuple[Float[Tensor, "c n"], Float[Tensor, "c n"]]:
    """Backward of ``(a, q) = (softplus(z), sensitivity * softplus'(z))`` at slope = softplus'(z).

    Returns the gradients with respect to z and to ``sensitivity``, given those of a (``value_bar``)
    and q (``sloped_bar``); softplus'' = k softplus' (1 - softplus').
    """
    curvature = sharpness * slope * (1 - slope)
    z_bar = value_bar * slope + sloped_bar * sensitivity * curvature
    return z_bar, sloped_bar * slope


def march_rays(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    step: float,
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> Samples:
    """Samples at a fixed step inside the unit sphere, in the cells that may hold the surface.

    A ray enters the sphere, takes a sample every ``step`` (the first after ``jitter * step``) in
    SURFACE cells, skips EMPTY ones and ends at its first INSIDE cell. Rays are taken in order as
    long as all their samples fit into ``capacity``; the rest are dropped.
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
    taken = within & ~ended & (state != EMPTY)
    counts = taken.sum(dim=1)
    ends = counts.cumsum(dim=0)
    rays = len(origins) if capacity is None else int((ends <= capacity).sum())
    ray_index, sample = taken[:rays].nonzero(as_tuple=True)
    offsets = torch.cat([ends.new_zeros(1), ends[:rays]])
    return Samples(ray_index, t[ray_index, sample], offsets)


def composite(
    alpha: Float[Tensor, "m"], values: Float[Tensor, "m c"], offsets: Tensor
) -> tuple[Float[Tensor, "m"], Float[Tensor, "r"], Float[Tensor, "r c"]]:
    """Front-to-back compositing along rays (Mildenhall et al. 2020, eq. 3).

    Returns the weights ``alpha_i * prod_{j<i} (1 - alpha_j)``, the transmittance that is left at
    the end of each ray, and the weighted sums of ``values``. Exact also where alpha is 1.
    """
    counts = offsets.diff()
    rays, longest = len(counts), max(int(counts.max()), 1) if len(counts) else 1
    ray_index = torch.repeat_interleave(torch.arange(rays, device=alpha.device), counts)
    place = torch.arange(len(alpha), device=alpha.device) - offsets[:-1][ray_index]
    dense = alpha.new_zeros(rays, longest).index_put((ray_index, place), alpha)
    through = torch.cumprod(1 - dense, dim=1)
    before = torch.cat([torch.ones_like(through[:, :1]), through[:, :-1]], dim=1)
    weights = (dense * before)[ray_index, place]
    sums = values.new_zeros(rays, values.shape[1]).index_add(
        0, ray_index, weights[:, None] * values
    )
    return weights, through[:, -1], sums


def _sphere_interval(
    origins: Float[Tensor, "r 3"], directions: Float[Tensor, "r 3"]
) -> tuple[Float[Tensor, "r"], Float[Tensor, "r"], Tensor]:
    """Where rays of unit direction enter and leave the unit sphere, and whether they meet it."""
    middle = -(origins * directions).sum(dim=1)
    squared = middle**2 - (origins**2).sum(dim=1) + 1
    half = squared.clamp(min=0).sqrt()
    near, far = (middle - half).clamp(min=0), middle + half
    return near, far, (squared > 0) & (far > 0)


def _corner_rows(x: Tensor, grid: GridLayout, active_levels: int) -> tuple[Tensor, Tensor]:
    """Table rows ``[n, levels, 8]`` of the corners around x and fractions ``[n, levels, 3]``.

    Cells are found in float32 in every precision, so that a float64 oracle picks the same ones.
    """
    scale = torch.as_tensor(grid.scale[:active_levels], device=x.device)
    position = x.detach().float()[:, None] * scale[:, None] + 0.5
    cell = position.floor().long()
    fractions = x[:, None] * scale[:, None].to(x.dtype) + 0.5 - cell.to(x.dtype)
    corner = cell[:, :, None] + _CORNERS.to(x.device)
    size = torch.as_tensor(grid.resolution[:active_levels], device=x.device).long()[:, None]
    direct = corner[..., 0] + size * (corner[..., 1] + size * corner[..., 2])
    hashed = corner[..., 0]
    for axis in (1, 2):
        hashed = hashed ^ (corner[..., axis] * HASH_PRIMES[axis])
    dense = torch.as_tensor(grid.dense[:active_levels], device=x.device)[:, None]
    count = torch.as_tensor(grid.offsets, device=x.device).diff()[:active_levels, None]
    first = torch.as_tensor(grid.offsets[:active_levels], device=x.device)[:, None]
    return torch.where(dense, direct % count, hashed & (grid.hashed_rows - 1)) + first, fractions


def _corner_weights(fractions: Tensor) -> tuple[Tensor, Tensor]:
    """Trilinear weights ``[n, levels, 8]`` and their gradients ``[n, levels, 8, 3]`` per cell."""
    upper = _CORNERS.to(fractions.device).bool()
    per_axis = torch.where(upper, fractions[:, :, None], 1 - fractions[:, :, None])
    sign = torch.where(upper, 1.0, -1.0).to(fractions.dtype)
    x, y, z = per_axis.unbind(dim=-1)
    gradients = sign * torch.stack([y * z, x * z, x * y], dim=-1)
    return x * y * z, gradients
