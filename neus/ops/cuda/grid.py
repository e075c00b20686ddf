"""The hash grid on CUDA: see ``neus.ops`` for the contract, ``grid_kernels`` for the kernels."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cuda import grid_kernels as kernels
from neus.ops.cuda.launch import blocks
from neus.ops.grid import GridLayout

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# One point a thread: its eight gathers are independent, which hides their latency without the
# registers that several points would take. Without contraction to FMA a point on a cell's border
# falls into the same cell in every kernel and in the reference; the kernels wait for memory, so
# the extra instructions cost nothing.
GATHER = {"BLOCK": 128, "num_warps": 4, "enable_fp_fusion": False}

# These stream the Jacobian. Its rows begin at any multiple of n, at no alignment for wider loads.
STREAM = {"BLOCK": 128, "num_warps": 4}


@dataclass(frozen=True)
class Linearized:
    """Features and Jacobian, both stored channel-major: ``[c, n]`` and ``[c, 3, n]``.

    The Jacobian costs 12 bytes a channel and point to keep; a second gather would cost more.
    """

    features: Float[Tensor, "n active"]
    jacobian: Float[Tensor, "active 3 n"]

    def jvp(
        self, v: Float[Tensor, "n 3"], out: Float[Tensor, "active n"] | None = None
    ) -> Float[Tensor, "n active"]:
        """J v, written to ``out`` where that is given."""
        channels, _, count = self.jacobian.shape
        product = v.new_empty(channels, count) if out is None else out
        if count:
            kernels.jacobian_times_kernel[(blocks(count, STREAM["BLOCK"]),)](
                self.jacobian, v, product, count, channels, *v.stride(), **STREAM
            )
        return product.T

    def vjp(self, gy: Float[Tensor, "n active"]) -> Float[Tensor, "n 3"]:
        channels, _, count = self.jacobian.shape
        product = gy.new_empty(3, count)
        if count:
            kernels.times_jacobian_kernel[(blocks(count, STREAM["BLOCK"]),)](
                gy, self.jacobian, product, count, channels, *gy.stride(), **STREAM
            )
        return product.T


def linearize(
    x: Float[Tensor, "n 3"], table: Float[Tensor, "rows 2"], grid: GridLayout, active_levels: int
) -> Linearized:
    features = x.new_empty(active_levels * grid.features, len(x))
    return encode_with_jacobian(x, table, grid, active_levels, features)


def encode_with_jacobian(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows 2"],
    grid: GridLayout,
    active_levels: int,
    features: Float[Tensor, "active n"],
) -> Linearized:
    """``linearize`` with a place for the features, contiguous."""
    jacobian = x.new_empty(active_levels * grid.features, 3, len(x))
    _encode(x, table, grid, active_levels, features, jacobian)
    return Linearized(features.T, jacobian)


def encode(
    x: Float[Tensor, "n 3"], table: Float[Tensor, "rows 2"], grid: GridLayout, active_levels: int
) -> Float[Tensor, "n active"]:
    """Features alone, for what needs no gradient: the occupancy grid and rendered distances."""
    features = x.new_empty(active_levels * grid.features, len(x))
    _encode(x, table, grid, active_levels, features, None)
    return features.T


def encode_scatter(
    x: Float[Tensor, "n 3"],
    dy: Float[Tensor, "n active"],
    gy: Float[Tensor, "n active"],
    v: Float[Tensor, "n 3"],
    grid: GridLayout,
    active_levels: int,
    gradient: Float[Tensor, "rows 2"] | None = None,
) -> Float[Tensor, "rows 2"]:
    """Adds into ``gradient``, or into zeros, and returns it."""
    if gradient is None:
        gradient = x.new_zeros(grid.rows, grid.features)
    if len(x):
        kernels.scatter_kernel[_programs(len(x), active_levels)](
            x,
            dy,
            gy,
            v,
            *level_constants(grid, x.device),
            gradient,
            len(x),
            *x.stride(),
            *dy.stride(),
            *gy.stride(),
            *v.stride(),
            **GATHER,
        )
    return gradient


# Kept on the device, since a copy to it can be neither captured in a CUDA graph nor hidden. Four
# numbers a level would be too many constants to compile in: every schedule of active levels and
# every layout would be a kernel of its own.
@lru_cache(maxsize=8)
def level_constants(
    grid: GridLayout, device: torch.device
) -> tuple[Float[Tensor, "levels"], Int[Tensor, "levels 4"]]:
    """Scales, and resolution, rows, first row and density of each level, on the device."""
    shapes = np.stack(
        [grid.resolution, np.diff(grid.offsets), grid.offsets[:-1], grid.dense], axis=1
    )
    return (
        torch.from_numpy(grid.scale).to(device),
        torch.from_numpy(shapes.astype(np.int32)).to(device),
    )


def _encode(
    x: Tensor,
    table: Tensor,
    grid: GridLayout,
    active_levels: int,
    features: Tensor,
    jacobian: Tensor | None,
) -> None:
    if len(x):
        kernels.encode_kernel[_programs(len(x), active_levels)](
            x,
            table,
            *level_constants(grid, x.device),
            features,
            features if jacobian is None else jacobian,
            len(x),
            *x.stride(),
            JACOBIAN=jacobian is not None,
            **GATHER,
        )


def _programs(count: int, active_levels: int) -> tuple[int, int]:
    return blocks(count, GATHER["BLOCK"]), active_levels
