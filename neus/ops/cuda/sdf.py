"""The SDF network with the distance's gradient on CUDA, differentiable once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda.activation import softplus_backward_with_sum
from neus.ops.cuda.grid import Linearized, encode_scatter, encode_with_jacobian
from neus.ops.cuda.products import layer, outer, softplus_layer
from neus.ops.grid import GridLayout
from neus.ops.reference import TableGradient, to_grid

if TYPE_CHECKING:
    from jaxtyping import Float


def sdf_and_gradient(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows 2"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
    table_gradient: TableGradient | None = None,
) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
    """See :func:`neus.ops.reference.sdf_and_gradient`; both results are stored channel-major."""
    settings = (grid, active_levels, sharpness, table_gradient)
    return _SdfAndGradient.apply(x, table, settings, len(weights), *weights, *biases)


class _SdfAndGradient(torch.autograd.Function):
    """As in ``neus.ops.reference.networks``, which derives it, with fewer passes over memory.

    Features and J v are written into their places among the network's inputs, without a copy. The
    last hidden layer's part of the gradient chain is v = W[0] for all points, so that
    W^T (v s) = (diag(v) W)^T s: weights are scaled instead of activations. Sums over points come
    with passes that read them anyway.
    """

    @staticmethod
    def forward(ctx, x, table, settings, layers, *parameters):  # pyright: ignore
        grid, active_levels, sharpness, _ = settings
        weights, biases = parameters[:layers], parameters[layers:]
        inputs, at_x = _inputs(x, table, grid, active_levels)
        layer_weights = (weights[0][:, : len(inputs)], *weights[1:-1])
        values, slopes = [inputs], []
        for weight, bias in zip(layer_weights, biases[:-1], strict=True):
            value, slope = softplus_layer(weight, bias, values[-1], sharpness)
            values.append(value)
            slopes.append(slope)
        out = layer(weights[-1], biases[-1], values[-1])
        to_distance = weights[-1][0, :, None]
        chain = [layer((to_distance * layer_weights[-1]).T, None, slopes[-1])]
        for weight, slope in zip(layer_weights[-2::-1], slopes[-2::-1], strict=True):
            chain.append(layer(weight.T, None, chain[-1] * slope))
        gradient = torch.add(chain[-1][:3], at_x.vjp(chain[-1][3:].T).T, alpha=0.5)
        ctx.save_for_backward(x, *weights)
        ctx.saved = (settings, at_x, values, slopes, chain[::-1])
        return out.T, gradient.T

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar, gradient_bar):  # pyright: ignore
        x, *weights = ctx.saved_tensors
        settings, at_x, values, slopes, (to_input, *sensitivities) = ctx.saved
        grid, active_levels, sharpness, table_gradient = settings
        layer_weights = (weights[0][:, : len(to_input)], *weights[1:-1])
        half_bar, out_bar = 0.5 * gradient_bar, out_bar.T.contiguous()
        to_distance = weights[-1][0, :, None]
        weight_bars: list[Tensor] = []
        chain_bar = torch.empty_like(to_input)
        chain_bar[:3] = gradient_bar.T
        at_x.jvp(half_bar, out=chain_bar[3:])
        sloped_bars = []
        for i, weight in enumerate(layer_weights):
            last = i == len(layer_weights) - 1
            sloped = slopes[i] if last else sensitivities[i] * slopes[i]
            weight_bar, _ = outer(sloped, chain_bar)
            weight_bars.append(to_distance * weight_bar if last else weight_bar)
            sloped_bars.append(layer(weight, None, chain_bar))
            if not last:
                chain_bar = sloped_bars[i] * slopes[i]

        last_weight_bar, last_bias_bar = outer(out_bar, values[-1])
        bias_bars = [last_bias_bar]
        value_bar = layer(weights[-1].T, None, out_bar)
        sensitivities.append(to_distance.expand_as(slopes[-1]))
        for i in reversed(range(len(layer_weights))):
            z_bar, chain_sum = softplus_backward_with_sum(
                slopes[i], value_bar, sensitivities[i], sloped_bars[i], sharpness
            )
            if i == len(layer_weights) - 1:
                last_weight_bar[0] += chain_sum
            weight_bar, bias_bar = outer(z_bar, values[i])
            weight_bars[i] += weight_bar
            bias_bars.insert(0, bias_bar)
            value_bar = layer(layer_weights[i].T, None, z_bar)

        given = encode_scatter(
            to_grid(x),
            value_bar[3:].T,
            to_input[3:].T,
            half_bar,
            grid,
            active_levels,
            None if table_gradient is None else table_gradient.dense,
        )
        missing = weights[0].shape[1] - len(to_input)
        weight_bars[0] = torch.nn.functional.pad(weight_bars[0], (0, missing))
        table_bar = given if table_gradient is None else None
        return None, table_bar, None, None, *weight_bars, last_weight_bar, *bias_bars


def _inputs(
    x: Tensor, table: Tensor, grid: GridLayout, active_levels: int
) -> tuple[Tensor, Linearized]:
    """The network's inputs ``[3 + active, n]``: x and the features that the kernel writes there."""
    inputs = x.new_empty(3 + active_levels * grid.features, len(x))
    inputs[:3] = x.T
    return inputs, encode_with_jacobian(to_grid(x), table, grid, active_levels, inputs[3:])
