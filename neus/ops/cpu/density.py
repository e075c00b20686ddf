"""Density and colour of a field that has no surface, fused over tiles of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.alpha import density_alpha
from neus.ops.cpu import relu_kernels
from neus.ops.cpu.grid import add_scatter, encoded_tiles
from neus.ops.cpu.networks import PackedNetwork
from neus.ops.cpu.products import padded
from neus.ops.cpu.table import TableGradient
from neus.ops.cpu.threads import on_all_threads, workers
from neus.ops.cpu.vector_code import TILE
from neus.ops.grid import GridLayout
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
    encoded = encoded_directions.T[:, samples.ray_index]
    logits = _ReluNetwork.apply(out.T[1:], encoded, len(weights), *weights, *biases)
    return density_alpha(out[:, 0], lengths), torch.sigmoid(logits).T


class _GridNetwork(torch.autograd.Function):
    """Channel-major: out ``[o, n]``."""

    @staticmethod
    def forward(ctx, x, table, settings, layers, *parameters):  # pyright: ignore
        grid, active_levels, _ = settings
        weights, biases = parameters[:layers], parameters[layers:]
        seen = 3 + active_levels * grid.features
        network = PackedNetwork.of((weights[0][:, :seen], *weights[1:]), biases)
        inputs, _ = encoded_tiles(x, table, grid, active_levels, with_jacobian=False)
        out, values = _forward(inputs, network, len(x), len(biases[-1]))
        ctx.save_for_backward(table, *weights)
        ctx.settings, ctx.arrays = settings, (inputs, network, values)
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar):  # pyright: ignore
        table, *weights = ctx.saved_tensors
        grid, active_levels, table_gradient = ctx.settings
        inputs, network, values = ctx.arrays
        inputs_bar, gradients = _backward(inputs, network, values, out_bar, inputs.shape[1])
        weight_bars, bias_bars = network.gradients(weights, gradients)
        # The scatter knows a second term, of the derivative along a direction: none here.
        none = np.zeros((len(inputs), 3, TILE), np.float32)
        operands, table_bar = (inputs, inputs_bar, inputs_bar, none), None
        if table_gradient is not None:
            table_gradient.add(operands, active_levels)
        else:
            table_bar = torch.zeros_like(table)
            add_scatter(operands, grid, active_levels, table_bar)
        return None, table_bar, None, None, *weight_bars, *bias_bars


class _ReluNetwork(torch.autograd.Function):
    """Channel-major: ``[a, n]``, and ``[b, n]`` that gets no gradient -> ``[o, n]``."""

    @staticmethod
    def forward(ctx, first, second, layers, *parameters):  # pyright: ignore
        weights, biases = parameters[:layers], parameters[layers:]
        network = PackedNetwork.of(weights, biases)
        inputs = _tiles((first, second), network.columns[0])
        out, values = _forward(inputs, network, first.shape[1], len(biases[-1]))
        ctx.save_for_backward(*weights)
        ctx.arrays, ctx.wanted = (inputs, network, values), first.shape
        return out

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar):  # pyright: ignore
        inputs, network, values = ctx.arrays
        channels, count = ctx.wanted
        inputs_bar, gradients = _backward(inputs, network, values, out_bar, padded(channels))
        weight_bars, bias_bars = network.gradients(ctx.saved_tensors, gradients)
        flat = torch.from_numpy(inputs_bar[:, :channels]).transpose(0, 1).reshape(channels, -1)
        return flat[:, :count], None, None, *weight_bars, *bias_bars


def _tiles(parts: Sequence[Tensor], channels: int) -> np.ndarray:
    """Arrays ``[c, n]``, one below the other, as ``[tile, channel, sample]``; zeros in the rest."""
    count = parts[0].shape[1]
    tiles, row = -(-count // TILE), 0
    filled = torch.zeros(channels, tiles * TILE)
    for part in parts:
        filled[row : row + len(part), :count] = part
        row += len(part)
    return filled.view(channels, tiles, TILE).transpose(0, 1).contiguous().numpy()


def _forward(
    inputs: np.ndarray, network: PackedNetwork, count: int, outputs: int
) -> tuple[Tensor, np.ndarray]:
    """Outputs ``[o, n]``, and the hidden layers' values."""
    hidden = len(network.rows) - 1
    values = np.empty(len(inputs) * hidden * network.rows[0] * TILE, np.float32)
    out = torch.empty(outputs, count)
    on_all_threads(
        relu_kernels.relu_network, inputs.ravel(), network.forward, network.starts,
        network.biases, _widths(network), values, out.numpy(),
    )  # fmt: skip
    return out, values


def _backward(
    inputs: np.ndarray, network: PackedNetwork, values: np.ndarray, out_bar: Tensor, wanted: int
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Gradients ``[tile, wanted, sample]`` of the inputs, and sums for the parameters."""
    totals = network.zero_totals(workers())
    inputs_bar = np.empty((len(inputs), wanted, TILE), np.float32)
    on_all_threads(
        relu_kernels.relu_network_backward, inputs.ravel(), network.backward, network.starts,
        _widths(network), wanted, values, out_bar.contiguous().numpy(), inputs_bar.ravel(), *totals,
    )  # fmt: skip
    return inputs_bar, totals


def _widths(network: PackedNetwork) -> np.ndarray:
    return np.array([network.columns[0], *network.rows])
