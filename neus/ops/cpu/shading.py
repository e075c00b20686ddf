"""Opacity and colour of samples as one function, fused over tiles of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu import shading_kernels
from neus.ops.cpu.networks import PackedNetwork
from neus.ops.cpu.threads import on_all_threads, workers
from neus.ops.cpu.vector_code import TILE
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
    step: float,
    inv_s: Float[Tensor, ""],
    cos_anneal: float,
) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"], Float[Tensor, "n"]]:
    constants = (samples, directions, encoded_directions, step, cos_anneal, len(weights))
    alpha, colours, norms = _Shade.apply(out.T, gradient.T, x, inv_s, constants, *weights, *biases)
    return alpha, colours.T, norms


class _Shade(torch.autograd.Function):
    """Channel-major: out ``[o, n]``, gradient ``[3, n]`` -> alpha ``[m]``, colours ``[3, m]``."""

    @staticmethod
    def forward(ctx, out, gradient, x, inv_s, constants, *parameters):  # pyright: ignore
        samples, directions, encoded, step, cos_anneal, layers = constants
        weights, biases = parameters[:layers], parameters[layers:]
        network = PackedNetwork.of(weights, biases)
        slots, count = len(samples.t), int(samples.offsets[-1])
        widths = np.array([network.columns[0], *network.rows])
        values = np.empty(-(-slots // TILE) * (layers - 1) * network.rows[0] * TILE, np.float32)
        alpha, colours = torch.zeros(slots), torch.zeros(3, slots)
        norms = torch.empty(gradient.shape[1])
        geometry = tuple(
            t.detach().contiguous().numpy()
            for t in (out, gradient, x, samples.ray_index, directions, encoded)
        )
        scalars = (count, *(np.float32(value) for value in (step, float(inv_s), cos_anneal)))
        on_all_threads(
            shading_kernels.shade, *geometry, *scalars, network.forward, network.starts,
            network.biases, widths,
            values, alpha.numpy()[None], colours.numpy(), norms.numpy()[None],
        )  # fmt: skip
        ctx.save_for_backward(*weights)
        ctx.arrays = (geometry, scalars, network, widths, values, colours.numpy())
        return alpha, colours, norms

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, alpha_bar, colours_bar, norms_bar):  # pyright: ignore
        geometry, scalars, network, widths, values, colours = ctx.arrays
        threads = workers()
        totals = network.zero_totals(threads)
        out_bar, gradient_bar = (torch.empty(array.shape) for array in geometry[:2])
        inv_s_totals = np.zeros(threads, np.float32)
        bars = (alpha_bar[None], colours_bar, norms_bar[None])
        on_all_threads(
            shading_kernels.shade_backward, *geometry, *scalars, network.forward,
            network.backward, network.starts, widths, values, colours,
            *(bar.contiguous().numpy() for bar in bars), out_bar.numpy(), gradient_bar.numpy(),
            inv_s_totals, *totals,
        )  # fmt: skip
        weight_bars, bias_bars = network.gradients(ctx.saved_tensors, totals)
        inv_s_bar = torch.tensor(inv_s_totals.sum())
        return out_bar, gradient_bar, None, inv_s_bar, None, *weight_bars, *bias_bars
