"""The signed distance and its gradient as one function, fused over tiles of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu import sdf_kernels
from neus.ops.cpu.grid import add_scatter, encoded_tiles
from neus.ops.cpu.networks import PackedNetwork
from neus.ops.cpu.products import sum_lanes
from neus.ops.cpu.table import TableGradient
from neus.ops.cpu.threads import on_all_threads, workers
from neus.ops.cpu.vector_code import ROWS, TILE
from neus.ops.grid import GridLayout

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
    settings = (grid, active_levels, sharpness, table_gradient)
    out, gradient = _SdfAndGradient.apply(x, table, settings, len(weights), *weights, *biases)
    return out.T, gradient.T


def sdf_distance(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows 2"],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    grid: GridLayout,
    active_levels: int,
    sharpness: float,
) -> Float[Tensor, "n"]:
    inputs, _ = encoded_tiles(x, table, grid, active_levels, with_jacobian=False)
    network = _packed(weights, biases, grid, active_levels)
    distance = torch.empty(1, len(x))
    tiles, channels, _ = inputs.shape
    shape = (tiles, channels, len(weights) - 1, network.rows[0], ROWS)
    on_all_threads(
        sdf_kernels.evaluate_distance, inputs.ravel(), network.forward, network.starts,
        network.biases, shape, np.float32(sharpness), distance.numpy(),
    )  # fmt: skip
    return distance[0]


def _packed(
    weights: Sequence[Tensor], biases: Sequence[Tensor], grid: GridLayout, active_levels: int
) -> PackedNetwork:
    """The network as the active levels see it."""
    seen = 3 + active_levels * grid.features
    return PackedNetwork.of((weights[0][:, :seen], *weights[1:]), biases)


class _SdfAndGradient(torch.autograd.Function):
    """Channel-major: out ``[o, n]``, gradient ``[3, n]``."""

    @staticmethod
    def forward(ctx, x, table, call, layers, *parameters):  # pyright: ignore
        grid, active_levels, sharpness, table_gradient = call
        weights, biases = parameters[:layers], parameters[layers:]
        network = _packed(weights, biases, grid, active_levels)
        inputs, jacobian = encoded_tiles(x, table, grid, active_levels, with_jacobian=True)
        tiles, channels, _ = inputs.shape
        shape = (tiles, channels, layers - 1, network.rows[0], network.rows[-1])
        values, slopes, chains = np.empty((3, tiles * (layers - 1) * shape[3] * TILE), np.float32)
        to_inputs = np.empty_like(inputs)
        out, gradient = torch.empty(len(biases[-1]), len(x)), torch.empty(3, len(x))
        settings = (shape, np.float32(sharpness))
        top_row = weights[-1][0].detach().numpy()
        on_all_threads(
            sdf_kernels.evaluate, inputs.ravel(), jacobian, network.forward, network.backward,
            network.starts, network.biases, top_row, *settings, values, slopes, chains,
            to_inputs.ravel(), out.numpy(), gradient.numpy(),
        )  # fmt: skip
        ctx.save_for_backward(table, *weights)
        ctx.layout, ctx.table_gradient = (grid, active_levels), table_gradient
        ctx.network, ctx.settings = network, settings
        ctx.arrays = (inputs, jacobian, values, slopes, chains, to_inputs)
        return out, gradient

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, out_bar, gradient_bar):  # pyright: ignore
        table, *weights = ctx.saved_tensors
        inputs, jacobian, values, slopes, chains, to_inputs = ctx.arrays
        network, (shape, _), threads = ctx.network, ctx.settings, workers()
        inputs_bar = np.empty_like(inputs)
        directions = np.empty((len(inputs), 3, TILE), np.float32)
        weight_totals, bias_totals = network.zero_totals(threads)
        top_totals = np.zeros((threads, shape[3] * TILE), np.float32)
        on_all_threads(
            sdf_kernels.evaluate_backward, inputs.ravel(), jacobian, network.forward,
            network.backward, network.starts, *ctx.settings, values, slopes, chains,
            out_bar.contiguous().numpy(), gradient_bar.contiguous().numpy(), inputs_bar.ravel(),
            directions.ravel(), weight_totals, bias_totals, top_totals,
        )  # fmt: skip
        weight_bars, bias_bars = network.gradients(weights, (weight_totals, bias_totals))
        top_bar = torch.empty(weights[-1].shape[1])
        sum_lanes(top_totals, top_bar.numpy())
        weight_bars[-1][0] += top_bar
        grid, active_levels = ctx.layout
        operands, table_bar = (inputs, inputs_bar, to_inputs, directions), None
        if ctx.table_gradient is not None:
            ctx.table_gradient.add(operands, active_levels)
        else:
            table_bar = torch.zeros_like(table)
            add_scatter(operands, grid, active_levels, table_bar)
        return None, table_bar, None, None, *weight_bars, *bias_bars
