"""Triton kernels of a network's products: few channels, many points, one pass over memory.

Matrices are channel-major, ``[channels, n]``. cuBLAS takes two to four times as long as its traffic
for such shapes in float32, and activations are passes of their own there; here a tile holds all
channels of a block of points, and what follows a product is done while it is on the chip.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false, reportArgumentType=false

from __future__ import annotations

import triton
import triton.language as tl

from neus.ops.cuda.activation import sigmoid, softplus

PLAIN, SOFTPLUS, RELU, GATED = range(4)
"""What follows a product: nothing, an activation, or zeros where ``second`` is not positive."""
_SOFTPLUS, _RELU, _GATED = tl.constexpr(SOFTPLUS), tl.constexpr(RELU), tl.constexpr(GATED)


@triton.jit(do_not_specialize=["count"])
def product_kernel(
    weight, x, bias, out, second, sharpness, count, rows_count, inner_count,
    weight_row, weight_inner, x_channel, out_channel, second_channel,
    ROWS: tl.constexpr, INNER: tl.constexpr, BIASED: tl.constexpr, AFTER: tl.constexpr,
    PRECISION: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """``weight @ x`` and what follows; softplus writes its slope to ``second``."""
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row, inner = tl.arange(0, ROWS), tl.arange(0, INNER)
    at = weight + row[:, None] * weight_row + inner[None, :] * weight_inner
    within = (row[:, None] < rows_count) & (inner[None, :] < inner_count)
    w = tl.load(at, mask=within, other=0.0)
    there = points[None, :] < count
    at = x + inner[:, None] * x_channel + points[None, :]
    v = tl.load(at, mask=(inner[:, None] < inner_count) & there, other=0.0)
    z = tl.dot(w, v, input_precision=PRECISION)
    if BIASED:
        z += tl.load(bias + row, mask=row < rows_count, other=0.0)[:, None]
    written = (row[:, None] < rows_count) & there
    at = out + row[:, None] * out_channel + points[None, :]
    beside = second + row[:, None] * second_channel + points[None, :]
    if AFTER == _SOFTPLUS:
        scaled = z * sharpness
        tl.store(at, softplus(scaled, sharpness), mask=written)
        tl.store(beside, sigmoid(scaled), mask=written)
    elif AFTER == _RELU:
        tl.store(at, tl.maximum(z, 0.0), mask=written)
    elif AFTER == _GATED:
        open = tl.load(beside, mask=written, other=0.0) > 0
        tl.store(at, tl.where(open, z, 0.0), mask=written)
    else:
        tl.store(at, z, mask=written)


@triton.jit(do_not_specialize=["count", "share_count"])
def outer_kernel(
    a, b, products, sums, count, share_count, rows_count, columns_count, a_channel, b_channel,
    ROWS: tl.constexpr, COLUMNS: tl.constexpr, PRECISION: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """This program's share of ``a @ b.T``, and of the sums of a over the points."""
    program = tl.program_id(0)
    row, column = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    first = program * share_count
    product = tl.zeros((ROWS, COLUMNS), tl.float32)
    total = tl.zeros((ROWS,), tl.float32)
    for start in range(0, share_count, BLOCK):
        points = first + start + tl.arange(0, BLOCK)
        there = (points < count) & (points < first + share_count)
        at = a + row[:, None] * a_channel + points[None, :]
        left = tl.load(at, mask=(row[:, None] < rows_count) & there[None, :], other=0.0)
        at = b + column[:, None] * b_channel + points[None, :]
        right = tl.load(at, mask=(column[:, None] < columns_count) & there[None, :], other=0.0)
        product = tl.dot(left, tl.trans(right), acc=product, input_precision=PRECISION)
        total += tl.sum(left, axis=1)
    at = products + (program * rows_count + row[:, None]) * columns_count + column[None, :]
    written = (row[:, None] < rows_count) & (column[None, :] < columns_count)
    tl.store(at, product, mask=written)
    tl.store(sums + program * rows_count + row, total, mask=row < rows_count)
