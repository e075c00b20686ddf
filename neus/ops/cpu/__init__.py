"""The operators on the CPU, in float32, as numba kernels: see ``neus.ops`` for the contract."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numba as nb
import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu import activation_kernels, grid_kernels, ray_kernels
from neus.ops.grid import GridLayout
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8


@dataclass(frozen=True)
class Linearized:
    """Features and Jacobian, both stored channel-major: ``[c, n]`` and ``[c, 3, n]``."""

    features: Float[Tensor, "n active"]
    jacobian: Float[Tensor, "active 3 n"]

    def jvp(self, v: Float[Tensor, "n 3"]) -> Float[Tensor, "n active"]:
        product = torch.empty(self.jacobian.shape[0], self.jacobian.shape[2])
        grid_kernels.jacobian_times(self.jacobian.numpy(), _channels(v), product.numpy())
        return product.T

    def vjp(self, gy: Float[Tensor, "n active"]) -> Float[Tensor, "n 3"]:
        product = torch.empty(3, self.jacobian.shape[2])
        grid_kernels.times_jacobian(_channels(gy), self.jacobian.numpy(), product.numpy())
        return product.T


def linearize(
    x: Float[Tensor, "n 3"], table: Float[Tensor, "rows 2"], grid: GridLayout, active_levels: int
) -> Linearized:
    channels = active_levels * grid.features
    features = torch.empty(channels, len(x))
    jacobian = torch.empty(channels, 3, len(x))
    grid_kernels.encode_with_jacobian(
        _channels(x),
        table.detach().numpy(),
        *_layout(grid),
        nb.get_num_threads(),
        features.numpy(),
        jacobian.numpy(),
    )
    return Linearized(features.T, jacobian)


def encode_scatter(
    x: Float[Tensor, "n 3"],
    dy: Float[Tensor, "n active"],
    gy: Float[Tensor, "n active"],
    v: Float[Tensor, "n 3"],
    grid: GridLayout,
    active_levels: int,
) -> Float[Tensor, "rows 2"]:
    gradient = torch.zeros(grid.rows, grid.features)
    threads = nb.get_num_threads()
    # prange gives each thread a run of tasks: deal the levels out so that every run mixes
    # cheap coarse levels with costly fine ones.
    order = np.concatenate([np.arange(t, active_levels, threads) for t in range(threads)])
    grid_kernels.scatter(
        _channels(x),
        _channels(dy),
        _channels(gy),
        _channels(v),
        *_layout(grid),
        order,
        gradient.numpy(),
    )
    return gradient


def softplus_with_slope(
    z: Float[Tensor, "c n"], sharpness: float
) -> tuple[Float[Tensor, "c n"], Float[Tensor, "c n"]]:
    value, slope = torch.empty_like(z), torch.empty_like(z)
    activation_kernels.softplus_with_slope(
        z.numpy(), np.float32(sharpness), value.numpy(), slope.numpy()
    )
    return value, slope


def softplus_backward(
    slope: Float[Tensor, "c n"],
    value_bar: Float[Tensor, "c n"],
    sensitivity: Float[Tensor, "c n"],
    sloped_bar: Float[Tensor, "c n"],
    sharpness: float,
) -> tuple[Float[Tensor, "c n"], Float[Tensor, "c n"]]:
    z_bar, sensitivity_bar = torch.empty_like(slope), torch.empty_like(slope)
    activation_kernels.softplus_backward(
        slope.numpy(),
        value_bar.numpy(),
        sensitivity.numpy(),
        sloped_bar.numpy(),
        np.float32(sharpness),
        z_bar.numpy(),
        sensitivity_bar.numpy(),
    )
    return z_bar, sensitivity_bar


def march_rays(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    step: float,
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> Samples:
    counts = np.empty(len(origins), np.int64)
    distances = np.empty((len(origins), math.ceil(2 / step) + 1), np.float32)
    ray_kernels.march(
        origins.contiguous().numpy(),
        directions.contiguous().numpy(),
        occupancy.numpy(),
        np.float32(step),
        jitter.numpy(),
        counts,
        distances,
    )
    offsets = np.concatenate([[0], np.cumsum(counts)])
    if capacity is not None:
        offsets = offsets[offsets <= capacity]
    ray_index = np.empty(offsets[-1], np.int64)
    t = np.empty(offsets[-1], np.float32)
    ray_kernels.pack(distances, offsets, ray_index, t)
    return Samples(*(torch.from_numpy(array) for array in (ray_index, t, offsets)))


def composite(
    alpha: Float[Tensor, "m"], values: Float[Tensor, "m c"], offsets: Int[Tensor, "r+1"]
) -> tuple[Float[Tensor, "m"], Float[Tensor, "r"], Float[Tensor, "r c"]]:
    return _Composite.apply(alpha, values, offsets)


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx, alpha, values, offsets):  # pyright: ignore
        alpha, values = alpha.contiguous(), values.contiguous()
        rays, channels = len(offsets) - 1, values.shape[1]
        weights, transmittance = torch.empty_like(alpha), torch.empty(rays)
        sums = torch.empty(rays, channels)
        ray_kernels.composite(
            *(t.numpy() for t in (alpha, values, offsets, weights, transmittance, sums))
        )
        ctx.save_for_backward(alpha, values, offsets, weights)
        return weights, transmittance, sums

    @staticmethod
    def backward(ctx, weights_bar, transmittance_bar, sums_bar):  # pyright: ignore
        alpha, values, offsets, weights = ctx.saved_tensors
        alpha_bar, values_bar = torch.empty_like(alpha), torch.empty_like(values)
        bars = (t.contiguous() for t in (weights_bar, transmittance_bar, sums_bar))
        tensors = (alpha, values, offsets, weights, *bars, alpha_bar, values_bar)
        ray_kernels.composite_backward(*(t.numpy() for t in tensors))
        return alpha_bar, values_bar, None


def _channels(t: Tensor) -> np.ndarray:
    """``[n, c]`` as a contiguous ``[c, n]`` array; free when it lies that way already."""
    return t.detach().T.contiguous().numpy()


def _layout(
    grid: GridLayout,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.uint32]:
    mask = np.uint32(grid.hashed_rows - 1)
    return grid.scale, grid.resolution, grid.dense, grid.offsets, mask
