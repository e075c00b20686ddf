"""The signed distance and its gradient: tiny-cuda-nn's grid, torch's network, autograd."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn.functional import linear, softplus

from neus.ops import reference
from neus.ops.grid import GridLayout
from neus.ops.reference.table import GradientAddedTo
from neus.ops.tcnn.grid import encode
from neus.ops.tcnn.packages import row_major_gradient

if TYPE_CHECKING:
    from jaxtyping import Float


def sdf_and_gradient(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows f"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
    table_gradient: reference.TableGradient | None = None,
) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
    """See :func:`neus.ops.reference.sdf_and_gradient`."""
    settings = (grid, active_levels, sharpness)
    if not len(x):
        return reference.sdf_and_gradient(x, table, weights, biases, *settings, table_gradient)
    differentiable = torch.is_grad_enabled()
    if table_gradient is not None:
        table = GradientAddedTo.apply(table, table_gradient.dense)
    with torch.enable_grad():
        # Two leaves, since beyond the box the grid's coordinates stop but the gradient does not.
        position = x.detach().requires_grad_()
        place = reference.to_grid(x.detach()).requires_grad_()
        u = torch.cat([position, encode(place, table, grid, active_levels)], dim=1)
        out = _network(u, weights, biases, sharpness)
        by_position, by_place = torch.autograd.grad(
            out[:, 0].sum(), [position, place], create_graph=differentiable
        )
        gradient = torch.add(by_position, row_major_gradient(by_place), alpha=0.5)
    return (out, gradient) if differentiable else (out.detach(), gradient.detach())


@torch.no_grad()
def sdf_distance(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows f"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
) -> Float[Tensor, "n"]:
    """See :func:`neus.ops.reference.sdf_distance`."""
    if not len(x):
        return x.new_empty(0)
    u = torch.cat([x, encode(reference.to_grid(x), table, grid, active_levels)], dim=1)
    last = (*weights[:-1], weights[-1][:1]), (*biases[:-1], biases[-1][:1])
    return _network(u, *last, sharpness)[:, 0]


def _network(
    u: Float[Tensor, "n c"], weights: Sequence[Tensor], biases: Sequence[Tensor], sharpness: float
) -> Float[Tensor, "n out"]:
    first = weights[0][:, : u.shape[1]]
    for weight, bias in zip((first, *weights[1:-1]), biases[:-1], strict=True):
        u = softplus(linear(u, weight, bias), beta=sharpness)
    return linear(u, weights[-1], biases[-1])
