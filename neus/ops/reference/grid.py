"""The multiresolution hash grid in plain torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.grid import HASH_PRIMES, GridLayout

if TYPE_CHECKING:
    from jaxtyping import Float

_CORNERS = torch.tensor([[corner >> axis & 1 for axis in range(3)] for corner in range(8)])


def to_grid(x: Tensor) -> Tensor:
    """Scene coordinates in [-1, 1] to the grid's [0, 1]."""
    return (0.5 * x + 0.5).clamp(0, 1)


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
    gradient: Float[Tensor, "rows f"] | None = None,
) -> Float[Tensor, "rows f"]:
    """Gradient of ``<dy, E(x)> + <gy, J(x) v>`` with respect to the table, in one pass.

    The first term is the usual first-order one; the second carries the gradient through dE/dx.
    Added to ``gradient`` where that is given.
    """
    rows, fractions = _corner_rows(x, grid, active_levels)
    weights, weight_gradients = _corner_weights(fractions)
    scale = torch.as_tensor(grid.scale[:active_levels], device=x.device).to(x.dtype)
    slopes = torch.einsum("nlck,nk,l->nlc", weight_gradients, v, scale)
    dy, gy = (t.reshape(len(x), active_levels, grid.features) for t in (dy, gy))
    updates = weights[..., None] * dy[:, :, None] + slopes[..., None] * gy[:, :, None]
    if gradient is None:
        gradient = x.new_zeros(grid.rows, grid.features)
    return gradient.index_add_(0, rows.flatten(), updates.flatten(0, 2))


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
