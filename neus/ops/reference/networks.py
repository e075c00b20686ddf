"""The networks of distance and colour in plain torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.grid import GridLayout
from neus.ops.reference.grid import encode, encode_scatter, linearize, to_grid
from neus.ops.reference.rays import section
from neus.ops.reference.table import TableGradient
from neus.ops.types import Samples

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
    table_gradient: TableGradient | None = None,
) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
    """Output of the SDF network (column 0 is the distance) and the distance's gradient, at x.

    x, in the scene frame within [-1, 1]^3, gets no gradient. The network, softplus of the given
    sharpness between its layers, sees x and the features of the first ``active_levels`` levels;
    ``weights`` are ``[out, in]``, and columns of the first past the active ones are ignored. Both
    results are differentiable once with respect to table, weights and biases. Where
    ``table_gradient`` is given, the table's gradient is added to it and not returned to autograd.
    """
    settings = (grid, active_levels, sharpness, table_gradient)
    return _SdfAndGradient.apply(x, table, settings, len(weights), *weights, *biases)


def sdf_distance(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows f"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
) -> Float[Tensor, "n"]:
    """The signed distance of :func:`sdf_and_gradient` alone, without a graph."""
    with torch.no_grad():
        u = torch.cat([x.T, encode(to_grid(x), table, grid, active_levels).T])
        first = weights[0][:, : len(u)]
        for weight, bias in zip((first, *weights[1:-1]), biases[:-1], strict=True):
            z = torch.addmm(bias[:, None], weight, u)
            u, _ = softplus_with_slope(z, sharpness)
        return (weights[-1][:1] @ u)[0] + biases[-1][0]


def shade(
    out: Float[Tensor, "n o"],
    gradient: Float[Tensor, "n 3"],
    x: Float[Tensor, "n 3"],
    samples: Samples,
    directions: Float[Tensor, "r 3"],
    encoded_directions: Float[Tensor, "r c"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    step: float | Tensor,
    inv_s: Float[Tensor, ""],
    cos_anneal: float | Tensor,
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"], Float[Tensor, "n"]]:
    """Opacity and colour of the samples, which are the first m of the n points.

    ``out`` and ``gradient`` are those of :func:`sdf_and_gradient` at all points x. The colour is
    that of a ReLU network with a sigmoid at its end, which sees [out, normal, x, encoded direction
    of the ray] (IDR; NeuS, section 3.1). Returned are the opacity of each sample's section
    (:func:`neus.ops.alpha.section_alpha`), the colours, and the gradient's norms at all points;
    differentiable once with respect to out, gradient, weights, biases and inv_s. What the padding
    of the samples gets is undefined, and must get no gradient.
    """
    places, ray = len(samples.t), samples.ray_index
    alpha, normals, norms = section(
        out[:places, 0], gradient[:places], directions, ray, step, inv_s, cos_anneal
    )
    beyond = torch.sqrt((gradient[places:] ** 2).sum(dim=1) + 1e-12)
    values = torch.cat([out[:places], normals, x[:places], encoded_directions[ray]], dim=1)
    colours = colour_network(values, weights, biases)
    return alpha, colours, torch.cat([norms, beyond])


def colour_network(
    inputs: Float[Tensor, "n c"], weights: Sequence[Tensor], biases: Sequence[Tensor]
) -> Float[Tensor, "n 3"]:
    """ReLU between the layers and a sigmoid at the end."""
    *hidden, (weight, bias) = zip(weights, biases, strict=True)
    for hidden_weight, hidden_bias in hidden:
        inputs = torch.relu(torch.addmm(hidden_bias, inputs, hidden_weight.T))
    return torch.sigmoid(torch.addmm(bias, inputs, weight.T))


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
) -> Float[Tensor, "c n"]:
    """Gradient with respect to z of ``(a, q) = (softplus(z), sensitivity * softplus'(z))``.

    ``value_bar`` and ``sloped_bar`` are the gradients of a and q, ``slope`` is softplus'(z);
    softplus'' = k softplus' (1 - softplus').
    """
    return value_bar * slope + sloped_bar * sensitivity * sharpness * slope * (1 - slope)


class _SdfAndGradient(torch.autograd.Function):
    """(out, d out_0 / dx) as one function that is differentiable once.

    Autograd would differentiate the gradient by a second backward pass through everything; here
    both passes are written out. With input u_0 = [x; E(x)], layers z_i = W_i u_{i-1} + b_i,
    u_i = softplus(z_i), slopes s_i = softplus'(z_i) and output W u_D + b, the gradient is the
    chain v_D = W[0], q_i = v_i s_i, v_{i-1} = W_i^T q_i, and g = v_0[x] + J^T v_0[E].

    Backward, given the gradients of both outputs, first runs along the gradient chain in its
    direction of computation reversed, then through the layers; the table is touched once, by
    ``encode_scatter`` with the first-order and the second-order term together.
    Matrices are channel-major, ``[channels, n]``.
    """

    @staticmethod
    def forward(ctx, x, table, settings, layers, *parameters):  # pyright: ignore
        grid, active_levels, sharpness, _ = settings
        weights, biases = parameters[:layers], parameters[layers:]
        at_x = linearize(to_grid(x), table, grid, active_levels)
        values, slopes = [torch.cat([x.T, at_x.features.T])], []
        first = weights[0][:, : len(values[0])]
        for weight, bias in zip((first, *weights[1:-1]), biases[:-1], strict=True):
            z = torch.addmm(bias[:, None], weight, values[-1])
            value, slope = softplus_with_slope(z, sharpness)
            values.append(value)
            slopes.append(slope)
        out = torch.addmm(biases[-1][:, None], weights[-1], values[-1])

        sensitivities, sloped = [weights[-1][0, :, None].expand_as(slopes[-1])], []
        for weight, slope in zip((*weights[-2:0:-1], first), reversed(slopes), strict=True):
            sloped.append(sensitivities[-1] * slope)
            sensitivities.append(weight.T @ sloped[-1])
        to_input = sensitivities.pop()
        gradient = to_input[:3].T + 0.5 * at_x.vjp(to_input[3:].T)

        ctx.save_for_backward(x, table, *weights)
        ctx.saved = (settings, at_x, values, slopes)
        ctx.chain = (sensitivities[::-1], sloped[::-1], to_input)
        return out.T, gradient

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar, gradient_bar):  # pyright: ignore
        x, _, *weights = ctx.saved_tensors
        (grid, active_levels, sharpness, table_gradient), at_x, values, slopes = ctx.saved
        sensitivities, sloped, to_input = ctx.chain
        out_bar = out_bar.T.contiguous()
        half_bar = 0.5 * gradient_bar
        first = weights[0][:, : len(to_input)]
        layer_weights = (first, *weights[1:-1])
        weight_bars: list[Tensor] = [torch.empty(0)] * len(weights)
        bias_bars: list[Tensor] = [torch.empty(0)] * len(weights)

        chain_bar = torch.cat([gradient_bar.T, at_x.jvp(half_bar).T])
        sloped_bars = []
        for i, weight in enumerate(layer_weights):
            sloped_bars.append(weight @ chain_bar)
            weight_bars[i] = sloped[i] @ chain_bar.T
            chain_bar = sloped_bars[i] * slopes[i]

        weight_bars[-1] = out_bar @ values[-1].T
        weight_bars[-1][0] += chain_bar.sum(dim=1)
        bias_bars[-1] = out_bar.sum(dim=1)
        value_bar = weights[-1].T @ out_bar
        for i in reversed(range(len(layer_weights))):
            z_bar = softplus_backward(
                slopes[i], value_bar, sensitivities[i], sloped_bars[i], sharpness
            )
            weight_bars[i].addmm_(z_bar, values[i].T)
            bias_bars[i] = z_bar.sum(dim=1)
            value_bar = layer_weights[i].T @ z_bar

        table_bar = encode_scatter(
            to_grid(x),
            value_bar[3:].T,
            to_input[3:].T,
            half_bar,
            grid,
            active_levels,
            None if table_gradient is None else table_gradient.dense,
        )
        missing = weights[0].shape[1] - first.shape[1]
        weight_bars[0] = torch.nn.functional.pad(weight_bars[0], (0, missing))
        given = table_bar if table_gradient is None else None
        return None, given, None, None, *weight_bars, *bias_bars
