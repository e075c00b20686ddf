"""Density and colour of a field that has no surface, in plain torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.alpha import density_alpha
from neus.ops.grid import GridLayout
from neus.ops.reference.grid import encode, to_grid
from neus.ops.reference.networks import colour_network
from neus.ops.reference.table import GradientAddedTo, TableGradient
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
    table_gradient: TableGradient | None = None,
) -> Float[Tensor, "n o"]:
    """Output of a network on hash grid features, at x within [-1, 1]^3, which gets no gradient.

    The network, ReLU between its layers, sees x and the features of the first ``active_levels``
    levels; ``weights`` are ``[out, in]``, and columns of the first past the active ones are
    ignored. Differentiable once with respect to table, weights and biases. Where
    ``table_gradient`` is given, the table's gradient is added to it and not returned to autograd.
    """
    if table_gradient is not None:
        table = GradientAddedTo.apply(table, table_gradient.dense)
    u = torch.cat([x, encode(to_grid(x), table, grid, active_levels)], dim=1)
    seen = (weights[0][:, : u.shape[1]], *weights[1:])
    return relu_network(u, seen, biases)


def relu_network(
    inputs: Float[Tensor, "n c"], weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Float[Tensor, "n o"]:
    """ReLU between the layers and nothing at the end."""
    *hidden, (weight, bias) = zip(weights, biases, strict=True)
    for hidden_weight, hidden_bias in hidden:
        inputs = torch.relu(torch.addmm(hidden_bias, inputs, hidden_weight.T))
    return torch.addmm(bias, inputs, weight.T)


def shade_density(
    out: Float[Tensor, "m o"],
    lengths: Float[Tensor, "m"],
    samples: Samples,
    encoded_directions: Float[Tensor, "r c"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"]]:
    """Opacity and colour of samples from the output of :func:`grid_network` there.

    Column 0 of ``out`` is the logarithm of the density; the sample stands for a section of
    ``lengths``, in scene units. The network of colour, ReLU between its layers and a sigmoid at
    the end, sees the other columns and the encoded direction of the sample's ray.
    Differentiable with respect to ``out``, weights and biases.
    """
    inputs = torch.cat([out[:, 1:], encoded_directions[samples.ray_index]], dim=1)
    return density_alpha(out[:, 0], lengths), colour_network(inputs, weights, biases)
