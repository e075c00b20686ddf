"""Opacity and colour of samples on CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda import precision
from neus.ops.cuda.products import relu_layers, relu_layers_backward
from neus.ops.cuda.sections import section
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


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
    """See :func:`neus.ops.reference.shade`."""
    places, ray = len(samples.t), samples.ray_index
    # Along channels, and once each: the gradients then add up as contiguous matrices, and few.
    inside = out.T[:, :places]
    at_samples, beyond = gradient.T.split([places, len(out) - places], dim=1)
    alpha, normals, norms = section(
        inside[0], at_samples.T, directions, ray, step, inv_s, cos_anneal
    )
    beyond_norms = torch.sqrt((beyond**2).sum(dim=0) + 1e-12)
    encoded = encoded_directions.T[:, ray]
    inputs = torch.cat([inside, normals.T, x[:places].T, encoded])
    colours = ColourNetwork.apply(inputs, len(weights), *weights, *biases)
    return alpha, colours.T, torch.cat([norms, beyond_norms])


class ColourNetwork(torch.autograd.Function):
    """ReLU between the layers and a sigmoid at the end, channel-major: ``[c, n] -> [3, n]``.

    Its products are TF32, see ``precision``.
    """

    @staticmethod
    def forward(ctx, inputs, layers, *parameters):  # pyright: ignore
        weights, biases = parameters[:layers], parameters[layers:]
        values = relu_layers(weights, biases, inputs, precision.ROUNDED)
        values[-1].sigmoid_()
        ctx.save_for_backward(*values, *weights)
        return values[-1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, colours_bar):  # pyright: ignore
        layers = len(ctx.saved_tensors) // 2
        values, weights = ctx.saved_tensors[: layers + 1], ctx.saved_tensors[layers + 1 :]
        bar = torch.ops.aten.sigmoid_backward(colours_bar, values[-1]).contiguous()
        bar, weight_bars, bias_bars = relu_layers_backward(
            weights, values[:-1], bar, precision.ROUNDED
        )
        return bar, None, *weight_bars, *bias_bars
