"""Triton kernels of the hash grid: encoding with its Jacobian, products with it, and the scatter.

A program takes a block of points through ONE level. Blocks are the fast axis of the launch grid, so
that all that run at a time gather from the same level: its rows (4 MiB at 2^19 entries) stay in the
L2 cache, where all levels together would not. Outputs are channel-major (``[channels, n]``), so
that neighbouring threads write neighbouring addresses. A row's two features travel as one 8-byte
load, and on sm_90 and later as one 8-byte atomic.

Offsets within a channel are 32-bit, between channels 64-bit: n may have up to 2^31 / 64 points.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportGeneralTypeIssues=false

from __future__ import annotations

import triton
import triton.language as tl

from neus.ops.cuda.vectors import load_vectors
from neus.ops.grid import HASH_PRIMES

_PRIME_Y, _PRIME_Z = tl.constexpr(HASH_PRIMES[1]), tl.constexpr(HASH_PRIMES[2])


@triton.jit
def cells_and_fractions(x, y, z, scale):
    """Grid cells of positions in [0, 1]^3, and where in the cell they lie."""
    px, py, pz = x * scale + 0.5, y * scale + 0.5, z * scale + 0.5
    ix, iy, iz = px.to(tl.int32), py.to(tl.int32), pz.to(tl.int32)
    fx, fy, fz = px - ix.to(tl.float32), py - iy.to(tl.float32), pz - iz.to(tl.float32)
    return ix.to(tl.uint32), iy.to(tl.uint32), iz.to(tl.uint32), fx, fy, fz


@triton.jit
def corner_row(corner, ix, iy, iz, resolution, rows, first, dense):
    """Table row of a cell's corner 0 to 7, x varying fastest.

    A direct index exceeds the level's rows by less than their number, on the box's far faces alone;
    one subtraction wraps it. uint32 products wrap modulo 2^32, as the hash wants.
    """
    cx, cy, cz = ix + (corner & 1), iy + (corner >> 1 & 1), iz + (corner >> 2)
    direct = cx + resolution * (cy + resolution * cz)
    direct = tl.where(direct >= rows, direct - rows, direct)
    hashed = (cx ^ (cy * _PRIME_Y) ^ (cz * _PRIME_Z)) & (rows - 1)
    return first + tl.where(dense != 0, direct, hashed).to(tl.int32)


@triton.jit
def _level(shapes, level):
    """Resolution, rows, first row and whether the level is dense."""
    at = shapes + level * 4
    resolution, rows = tl.load(at).to(tl.uint32), tl.load(at + 1).to(tl.uint32)
    return resolution, rows, tl.load(at + 2), tl.load(at + 3)


@triton.jit(do_not_specialize=["count"])
def encode_kernel(
    x, table, scales, shapes, features, jacobian, count, x_point, x_axis,
    JACOBIAN: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Fill ``features[2 l + f, n]`` and, with JACOBIAN, ``jacobian[2 l + f, 3, n]``."""
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    level = tl.program_id(1)
    mask = points < count
    scale = tl.load(scales + level)
    resolution, rows, first, dense = _level(shapes, level)
    px, py, pz = load_vectors(x, x_point, x_axis, points, mask)
    ix, iy, iz, fx, fy, fz = cells_and_fractions(px, py, pz, scale)
    pair = tl.arange(0, 2)
    value0 = tl.zeros((BLOCK,), tl.float32)
    value1, x0, x1, y0, y1, z0, z1 = value0, value0, value0, value0, value0, value0, value0
    for corner in tl.static_range(8):
        row = corner_row(corner, ix, iy, iz, resolution, rows, first, dense)
        entry = tl.load(table + (row[:, None] * 2 + pair), mask=mask[:, None], other=0.0)
        e0, e1 = tl.split(entry)
        wx = fx if corner & 1 else 1 - fx
        wy = fy if corner & 2 else 1 - fy
        wz = fz if corner & 4 else 1 - fz
        weight = wx * wy * wz
        value0 += weight * e0
        value1 += weight * e1
        if JACOBIAN:
            dx = wy * wz if corner & 1 else -wy * wz
            dy = wx * wz if corner & 2 else -wx * wz
            dz = wx * wy if corner & 4 else -wx * wy
            x0 += dx * e0
            x1 += dx * e1
            y0 += dy * e0
            y1 += dy * e1
            z0 += dz * e0
            z1 += dz * e1
    channel = level.to(tl.int64) * 2 * count
    tl.store(features + channel + points, value0, mask=mask)
    tl.store(features + channel + count + points, value1, mask=mask)
    if JACOBIAN:
        at = jacobian + channel * 3 + points
        tl.store(at, scale * x0, mask=mask)
        tl.store(at + count, scale * y0, mask=mask)
        tl.store(at + 2 * count, scale * z0, mask=mask)
        at += 3 * count
        tl.store(at, scale * x1, mask=mask)
        tl.store(at + count, scale * y1, mask=mask)
        tl.store(at + 2 * count, scale * z1, mask=mask)


@triton.jit(do_not_specialize=["count"])
def scatter_kernel(
    x, dy, gy, v, scales, shapes, gradient, count, x_point, x_axis, dy_point, dy_channel,
    gy_point, gy_channel, v_point, v_axis, BLOCK: tl.constexpr,
):  # fmt: skip
    """Add ``<dy, dE/dtable> + <gy, dJ/dtable v>`` to ``gradient``, by atomics.

    Their order, and so the last bits of the sums, differs from run to run.
    """
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    level = tl.program_id(1)
    mask = points < count
    scale = tl.load(scales + level)
    resolution, rows, first, dense = _level(shapes, level)
    px, py, pz = load_vectors(x, x_point, x_axis, points, mask)
    ix, iy, iz, fx, fy, fz = cells_and_fractions(px, py, pz, scale)
    vx, vy, vz = load_vectors(v, v_point, v_axis, points, mask)
    vx, vy, vz = vx * scale, vy * scale, vz * scale
    dy_at = dy + (level * 2).to(tl.int64) * dy_channel + points * dy_point
    gy_at = gy + (level * 2).to(tl.int64) * gy_channel + points * gy_point
    dy0 = tl.load(dy_at, mask=mask, other=0.0)
    dy1 = tl.load(dy_at + dy_channel, mask=mask, other=0.0)
    gy0 = tl.load(gy_at, mask=mask, other=0.0)
    gy1 = tl.load(gy_at + gy_channel, mask=mask, other=0.0)
    # Padding, which all lies at one place, and samples without weight must not queue for a row.
    carries = mask & ((dy0 != 0) | (dy1 != 0) | (vx != 0) | (vy != 0) | (vz != 0))
    pair = tl.arange(0, 2)
    for corner in tl.static_range(8):
        row = corner_row(corner, ix, iy, iz, resolution, rows, first, dense)
        wx = fx if corner & 1 else 1 - fx
        wy = fy if corner & 2 else 1 - fy
        wz = fz if corner & 4 else 1 - fz
        sx = vx if corner & 1 else -vx
        sy = vy if corner & 2 else -vy
        sz = vz if corner & 4 else -vz
        weight = wx * wy * wz
        slope = sx * wy * wz + wx * (sy * wz + sz * wy)
        update = tl.join(weight * dy0 + slope * gy0, weight * dy1 + slope * gy1)
        at = gradient + (row[:, None] * 2 + pair)
        tl.atomic_add(at, update, mask=carries[:, None], sem="relaxed")


@triton.jit(do_not_specialize=["count", "channels"])
def jacobian_times_kernel(
    jacobian, v, product, count, channels, v_point, v_axis, BLOCK: tl.constexpr
):
    """``product[c, n] = sum_k jacobian[c, k, n] v[n, k]``."""
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = points < count
    vx, vy, vz = load_vectors(v, v_point, v_axis, points, mask)
    for _ in tl.range(channels, loop_unroll_factor=2):
        jx, jy, jz = load_vectors(jacobian, 1, count, points, mask)
        tl.store(product + points, jx * vx + jy * vy + jz * vz, mask=mask)
        jacobian += 3 * count
        product += count


@triton.jit(do_not_specialize=["count", "channels"])
def times_jacobian_kernel(
    gy, jacobian, product, count, channels, gy_point, gy_channel, BLOCK: tl.constexpr
):
    """``product[k, n] = sum_c gy[n, c] jacobian[c, k, n]``."""
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = points < count
    x = tl.zeros((BLOCK,), tl.float32)
    y, z = x, x
    for _ in tl.range(channels, loop_unroll_factor=2):
        g = tl.load(gy + points * gy_point, mask=mask, other=0.0)
        jx, jy, jz = load_vectors(jacobian, 1, count, points, mask)
        x += g * jx
        y += g * jy
        z += g * jz
        gy += gy_channel
        jacobian += 3 * count
    tl.store(product + points, x, mask=mask)
    tl.store(product + count + points, y, mask=mask)
    tl.store(product + 2 * count + points, z, mask=mask)
