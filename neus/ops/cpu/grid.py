"""The hash grid on the CPU: encoding of tiles of samples, and the scatter into the table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from neus.ops.cpu import grid_kernels
from neus.ops.cpu.products import padded
from neus.ops.cpu.threads import on_all_threads
from neus.ops.cpu.vector_code import TILE
from neus.ops.grid import GridLayout

if TYPE_CHECKING:
    from jaxtyping import Float


def encoded_tiles(
    x: Float[Tensor, "n 3"],
    table: Float[Tensor, "rows 2"],
    grid: GridLayout,
    active_levels: int,
    with_jacobian: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """[x; E(x); 0] as ``[tile, channel, sample]``, and dE/dx as ``[tile, c, 3, sample]`` if wanted.

    The Jacobian is taken in the grid's coordinates, which run from 0 to 1.
    """
    tiles, features = -(-len(x) // TILE), active_levels * grid.features
    inputs = np.empty((tiles, padded(3 + features), TILE), np.float32)
    jacobian = np.empty((tiles if with_jacobian else 0, features, 3, TILE), np.float32)
    words = table.detach().numpy().view(np.uint64)[:, 0]
    points, layout = x.detach().numpy(), (*kernel_layout(grid), active_levels)
    on_all_threads(grid_kernels.encode, points, words, *layout, inputs, jacobian)
    return inputs, jacobian


def add_scatter(
    operands: tuple[np.ndarray, ...],
    grid: GridLayout,
    active_levels: int,
    gradient: Float[Tensor, "rows 2"],
) -> None:
    """Add d/dtable of ``<inputs_bar, [x; E]> + <to_inputs, [0; J direction]>`` to ``gradient``.

    ``operands`` are inputs, inputs_bar, to_inputs and directions, all tiles.
    """
    layout = (*kernel_layout(grid), active_levels)
    on_all_threads(grid_kernels.scatter, *operands, *layout, gradient.numpy())


def kernel_layout(
    grid: GridLayout,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.uint32]:
    """What the kernels need to know of a grid."""
    mask = np.uint32(grid.hashed_rows - 1)
    return grid.scale, grid.resolution, grid.dense, grid.offsets, mask
