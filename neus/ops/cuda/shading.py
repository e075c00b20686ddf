"""Opacity and colour of samples on CUDA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda import precision
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
    alpha, normals, norms = section(
        out[:places, 0], gradient[:places], directions, ray, step, inv_s, cos_anneal
    )
    beyond = torch.sqrt((gradient[places:] ** 2).sum(dim=1) + 1e-12)
    encoded = encoded_directions.T[:, ray]
    inputs = torch.cat([out[:places].T, normals.T, x[:places].T, encoded])
    colours = ColourNetwork.apply(inputs, len(weights), *weights, *biases)
    return alpha, colours.T, torch.cat([norms, beyond])


class ColourNetwork(torch.autograd.Function):
    """ReLU between the layers and a sigmoid at the end, channel-major: ``[c, n] -> [3, n]``.

    Written out so that its products are TF32 in the backward pass, too, whatever holds there.
    """

    @staticmethod
    def forward(ctx, inputs, layers, *parameters):  # pyright: ignore
        weights, biases = parameters[:layers], parameters[layers:]
        values = [inputs]
        with precision.tf32_matmuls():
            for weight, bias in zip(weights, biases, strict=True):
                values.append(torch.addmm(bias[:, None], weight, values[-1]))
                if len(values) <= layers:
                    values[-1].relu_()
        values[-1].sigmoid_()
        ctx.save_for_backward(*values, *weights)
        return values[-1]

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, colours_bar):  # pyright: ignore
        layers = len(ctx.saved_tensors) // 2
        values, weights = ctx.saved_tensors[: layers + 1], ctx.saved_tensors[layers + 1 :]
        bar = torch.ops.aten.sigmoid_backward(colours_bar, values[-1])
        weight_bars, bias_bars = [], []
        with precision.tf32_matmuls():
            for i in reversed(range(layers)):
                weight_bars.insert(0, bar @ values[i].T)
                bias_bars.insert(0, bar.sum(dim=1))
                bar = weights[i].T @ bar
                if i:
                    bar = torch.ops.aten.threshold_backward(bar, values[i], 0)
        return bar, None, *weight_bars, *bias_bars
