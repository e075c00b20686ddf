"""Density and colour of a field that has no surface: tiny-cuda-nn's grid and networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops import reference
from neus.ops.alpha import density_alpha
from neus.ops.grid import GridLayout
from neus.ops.reference.table import GradientAddedTo
from neus.ops.tcnn.grid import encode
from neus.ops.tcnn.shading import colour_network, relu_network
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


def grid_network(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows f"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    table_gradient: reference.TableGradient | None = None,
) -> Float[Tensor, "n o"]:
    """See :func:`neus.ops.reference.grid_network`."""
    if not len(x):
        settings = (grid, active_levels, table_gradient)
        return reference.grid_network(x, table, weights, biases, *settings)
    if table_gradient is not None:
        table = GradientAddedTo.apply(table, table_gradient.dense)
    u = torch.cat([x, encode(reference.to_grid(x), table, grid, active_levels)], dim=1)
    return relu_network(u, (weights[0][:, : u.shape[1]], *weights[1:]), biases)


def shade_density(
    out: Float[Tensor, "m o"],
    lengths: Float[Tensor, "m"],
    samples: Samples,
    encoded_directions: Float[Tensor, "r c"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"]]:
    """See :func:`neus.ops.reference.shade_density`."""
    inputs = torch.cat([out[:, 1:], encoded_directions[samples.ray_index]], dim=1)
    network = colour_network if len(out) else reference.colour_network
    return density_alpha(out[:, 0], lengths), network(inputs, weights, biases)
