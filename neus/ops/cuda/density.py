"""Density and colour of a field that has no surface, on CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.alpha import density_alpha
from neus.ops.cuda.grid import encode, encode_scatter
from neus.ops.cuda.products import relu_layers, relu_layers_backward
from neus.ops.cuda.shading import ColourNetwork
from neus.ops.grid import GridLayout
from neus.ops.reference import TableGradient, to_grid
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


def grid_network(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows 2"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    table_gradient: TableGradient | None = None,
) -> Float[Tensor, "n o"]:
    """See :func:`neus.ops.reference.grid_network`; the result is stored channel-major."""
    settings = (grid, active_levels, table_gradient)
    return _GridNetwork.apply(x, table, settings, len(weights), *weights, *biases).T


def shade_density(
    out: Float[Tensor, "m o"],
    lengths: Float[Tensor, "m"],
    samples: Samples,
    encoded_directions: Float[Tensor, "r c"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"]]:
    """See :func:`neus.ops.reference.shade_density`."""
    inputs = torch.cat([out.T[1:], encoded_directions.T[:, samples.ray_index]])
    colours = ColourNetwork.apply(inputs, len(weights), *weights, *biases)
    return density_alpha(out[:, 0], lengths), colours.T


class _GridNetwork(torch.autograd.Function):
    """ReLU between the layers, channel-major: out ``[o, n]``, in full float32.

    Positions reach the network unrounded, as in ``sdf_and_gradient``.
    """

    @staticmethod
    def forward(ctx, x, table, settings, layers, *parameters):  # pyright: ignore
        grid, active_levels, _ = settings
        weights, biases = parameters[:layers], parameters[layers:]
        inputs = torch.cat([x.T, encode(to_grid(x), table, grid, active_levels).T])
        seen = (weights[0][:, : len(inputs)], *weights[1:])
        values = relu_layers(seen, biases, inputs)
        ctx.save_for_backward(x, *values[:-1], *weights)
        ctx.settings = settings
        return values[-1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar):  # pyright: ignore
        x, *saved = ctx.saved_tensors
        grid, active_levels, table_gradient = ctx.settings
        layers = len(saved) // 2
        values, weights = saved[:layers], saved[layers:]
        seen = (weights[0][:, : len(values[0])], *weights[1:])
        bar, weight_bars, bias_bars = relu_layers_backward(seen, values, out_bar.contiguous())
        # The scatter knows a second term, of the derivative along a direction: none here.
        features_bar, none = bar[3:].T, x.new_zeros(1, 1)
        table_bar = encode_scatter(
            to_grid(x), features_bar, none.expand(features_bar.shape), none.expand(len(x), 3),
            grid, active_levels, None if table_gradient is None else table_gradient.dense,
        )  # fmt: skip
        missing = weights[0].shape[1] - len(values[0])
        weight_bars[0] = torch.nn.functional.pad(weight_bars[0], (0, missing))
        given = table_bar if table_gradient is None else None
        return None, given, None, None, *weight_bars, *bias_bars
