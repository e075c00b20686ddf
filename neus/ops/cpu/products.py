"""Matrix products on tiles of samples, and the storage of weights and their gradients for them.

Channel counts are rounded up to whole quads of
rows; the padding holds zeros in weights and in tiles alike.
"""

from __future__ import annotations

import numba as nb

from neus.ops.cpu.compilation import index, kernel
from neus.ops.cpu.vector_code import COLUMNS, LANES, ROWS, TILE, accumulate_block, multiply_rows

BLOCK = ROWS * COLUMNS


def padded(channels: int) -> int:
    """Channels rounded up to a whole number of quads."""
    return -(-channels // ROWS) * ROWS


@kernel
def pack(weight, rows, inner, packed):
    """Store ``weight[o, i]`` as quads of rows, padded with zeros."""
    for row in range(rows):
        quad = packed[row // ROWS * ROWS * inner :]
        for k in range(inner):
            inside = row < weight.shape[0] and k < weight.shape[1]
            quad[k * ROWS + row % ROWS] = weight[row, k] if inside else nb.float32(0)


@kernel
def multiply(
    packed, packed_at, biases, biases_at, rows, inner, inputs, inputs_at, outputs, outputs_at
):
    """``outputs = W inputs + bias`` for a tile; every array is flat and has its start index."""
    for first in range(0, rows, ROWS):
        for lane in range(0, TILE, LANES):
            multiply_rows(  # pyright: ignore[reportCallIssue]
                packed, packed_at + first * inner, inner,
                inputs, inputs_at + lane,
                biases, biases_at + first,
                outputs, outputs_at + first * TILE + lane,
            )  # fmt: skip


@kernel
def accumulate(left, left_at, rows, right, right_at, columns, total, total_at):
    """Add ``left right^T``, summed over the tile, to ``total``, stored as blocks ``[.., 2, 4]``."""
    for first in range(0, rows, ROWS):
        for column in range(0, columns, COLUMNS):
            accumulate_block(  # pyright: ignore[reportCallIssue]
                left, left_at + first * TILE,
                right, right_at + column * TILE,
                total, total_at + first * columns + column * ROWS,
            )  # fmt: skip


@kernel
def accumulate_rows(left, left_at, rows, total, total_at):
    """Add every channel of a tile to ``total[channel]``, sample by sample."""
    for i in range(rows * TILE):
        total[index(total_at + i)] += left[index(left_at + i)]


@kernel
def unpack_sum(totals, columns, gradient):
    """``gradient[o, i]`` from the blocks of all slabs, ``totals[slab]``."""
    for row in range(gradient.shape[0]):
        for column in range(gradient.shape[1]):
            block = row // ROWS * ROWS * columns + column // COLUMNS * BLOCK
            place = block + column % COLUMNS * ROWS + row % ROWS
            total = nb.float32(0)
            for slab in range(totals.shape[0]):
                total += totals[slab, place]
            gradient[row, column] = total


@kernel
def sum_lanes(totals, gradient):
    """``gradient[o]`` from the samples of all slabs, as :func:`accumulate_rows` left them."""
    for row in range(gradient.shape[0]):
        total = nb.float32(0)
        for slab in range(totals.shape[0]):
            for sample in range(TILE):
                total += totals[slab, row * TILE + sample]
        gradient[row] = total
