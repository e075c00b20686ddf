"""Triton kernels of patches in several views, and of the way to cameras.

A lane takes one patch in one view and goes through the taps; ``neus.ops.cpu.patch_kernels`` has the
formulas. The sums of both pictures are taken in one pass, less their first taps.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

from __future__ import annotations

import triton
import triton.language as tl

from neus.ops.cuda.vectors import load_vectors
from neus.ops.patches import STEEPEST, WHITE

_STEEPEST, _SCALE = tl.constexpr(STEEPEST), tl.constexpr(1 / WHITE)


@triton.jit
def _level(spacing, levels):
    """The level whose pixels come nearest to the distance between taps, in octaves."""
    wanted = tl.floor(tl.log2(tl.maximum(spacing, 1e-6)) + 0.5).to(tl.int32)
    return tl.minimum(tl.maximum(wanted, 0), levels - 1)


@triton.jit
def _picture(firsts, sizes, view, level, levels, mask):
    """Where a level of views begins, its height and its width."""
    at = view * levels + level
    return (
        tl.load(firsts + at, mask=mask, other=0),
        tl.load(sizes + 2 * at, mask=mask, other=2),
        tl.load(sizes + 2 * at + 1, mask=mask, other=2),
    )


@triton.jit
def _sampled(grey, first, height, width, x, y, mask):
    """Grey and its slopes by x and y, and whether (x, y), in pixel indices, is in the picture."""
    inside = (x >= 0) & (y >= 0) & (x <= width - 1) & (y <= height - 1)
    x, y = tl.where(inside, x, 0.0), tl.where(inside, y, 0.0)
    u, v = tl.minimum(x.to(tl.int32), width - 2), tl.minimum(y.to(tl.int32), height - 2)
    fx, fy = x - u, y - v
    at = grey + first + v * width + u
    a = tl.load(at, mask=mask, other=0).to(tl.float32)
    b = tl.load(at + 1, mask=mask, other=0).to(tl.float32)
    c = tl.load(at + width, mask=mask, other=0).to(tl.float32)
    d = tl.load(at + width + 1, mask=mask, other=0).to(tl.float32)
    upper, lower = a + fx * (b - a), c + fx * (d - c)
    across, down = (b - a) + fy * ((d - c) - (b - a)), lower - upper
    return (upper + fy * down) * _SCALE, across * _SCALE, down * _SCALE, inside


@triton.jit
def _turned(matrices, view, x, y, z, mask):
    """The vectors (x, y, z) turned by the matrices of views."""
    at = matrices + view * 9
    p = tl.load(at, mask=mask, other=1.0) * x + tl.load(at + 1, mask=mask, other=0.0) * y
    q = tl.load(at + 3, mask=mask, other=0.0) * x + tl.load(at + 4, mask=mask, other=1.0) * y
    r = tl.load(at + 6, mask=mask, other=0.0) * x + tl.load(at + 7, mask=mask, other=0.0) * y
    return (
        p + tl.load(at + 2, mask=mask, other=0.0) * z,
        q + tl.load(at + 5, mask=mask, other=0.0) * z,
        r + tl.load(at + 8, mask=mask, other=1.0) * z,
    )


@triton.jit
def patch_costs_kernel(
    t, directions, normals, views, spacings, noise_squared, pixels, firsts, sizes, to_pixel,
    to_world, centres, focal, costs, slopes, valid, variances, count, other_count, level_count,
    radius_count,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """See :func:`neus.ops.reference.patch_costs`; slopes are by ``t``."""
    pair = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = pair < count * other_count
    k, s = pair // other_count, pair % other_count
    noise = tl.load(noise_squared)
    own = tl.load(views + k * (other_count + 1), mask=mask, other=0)
    other = tl.load(views + k * (other_count + 1) + 1 + s, mask=mask, other=0)
    far_along, gap = tl.load(t + k, mask=mask, other=1.0), tl.load(spacings + k, mask=mask, other=1)
    dx, dy, dz = load_vectors(directions, 3, 1, k, mask)
    nx, ny, nz = load_vectors(normals, 3, 1, k, mask)
    cx, cy, cz = load_vectors(centres, 3, 1, own, mask)
    ox, oy, oz = load_vectors(centres, 3, 1, other, mask)
    facing = dx * nx + dy * ny + dz * nz
    good = mask & (facing < -_STEEPEST) & (far_along > 0)
    u, v, ahead = _turned(to_pixel, own, dx, dy, dz, mask)
    ahead = tl.where(mask, ahead, 1.0)
    u, v = u / ahead, v / ahead
    w = 1 / (tl.where(good, far_along * facing, -1.0))
    # Rays of depth 1: of the pixel itself, and their changes from tap to tap.
    qx, qy, qz = dx / ahead, dy / ahead, dz / ahead
    rx, ry, rz = load_vectors(to_world, 9, 3, own, mask)
    rx, ry, rz = rx * gap, ry * gap, rz * gap
    sx, sy, sz = load_vectors(to_world + 1, 9, 3, own, mask)
    sx, sy, sz = sx * gap, sy * gap, sz * gap
    h0 = qx * nx + qy * ny + qz * nz
    hx, hy = rx * nx + ry * ny + rz * nz, sx * nx + sy * ny + sz * nz
    wx = ox - cx - far_along * dx
    wy = oy - cy - far_along * dy
    wz = oz - cz - far_along * dz
    _, _, far = _turned(to_pixel, other, -wx, -wy, -wz, mask)
    length = tl.sqrt_rn(wx * wx + wy * wy + wz * wz)
    seen = good & (wx * nx + wy * ny + wz * nz > length * _STEEPEST) & (far > 0)
    scale = tl.load(focal + other, mask=mask, other=1.0) / tl.where(far > 0, far, 1.0)
    scale *= far_along * ahead / tl.load(focal + own, mask=mask, other=1.0)
    own_level, level = _level(gap, level_count), _level(gap * scale, level_count)
    own_first, own_height, own_width = _picture(firsts, sizes, own, own_level, level_count, mask)
    first, height, width = _picture(firsts, sizes, other, level, level_count, mask)
    own_shrink, shrink = tl.exp2(-own_level.to(tl.float32)), tl.exp2(-level.to(tl.float32))
    bx, by, bz = _turned(to_pixel, other, cx - ox, cy - oy, cz - oz, mask)
    px, py, pz = _turned(to_pixel, other, qx, qy, qz, mask)
    ix, iy, iz = _turned(to_pixel, other, rx, ry, rz, mask)
    jx, jy, jz = _turned(to_pixel, other, sx, sy, sz, mask)
    zero, side = tl.zeros_like(u), 2 * radius_count + 1
    a1, a2, b1, b2, both = zero, zero, zero, zero, zero
    slope_sum, slope_second, slope_both, a0, b0 = zero, zero, zero, zero, zero
    shown, met = good, seen
    for tap in range(side * side):
        i = (tap % side - radius_count).to(tl.float32)
        j = (tap // side - radius_count).to(tl.float32)
        h = h0 + i * hx + j * hy
        a, _, _, within = _sampled(
            pixels, own_first, own_height, own_width, (u + i * gap) * own_shrink - 0.5,
            (v + j * gap) * own_shrink - 0.5, good,
        )  # fmt: skip
        shown = shown & within & (h * w > 0)
        z = pz + i * iz + j * jz + w * h * bz
        met = met & (z > 1e-12)
        inverse = 1 / tl.where(z > 1e-12, z, 1.0)
        x = (px + i * ix + j * jx + w * h * bx) * inverse
        y = (py + i * iy + j * jy + w * h * by) * inverse
        b, across, down, within = _sampled(
            pixels, first, height, width, x * shrink - 0.5, y * shrink - 0.5, seen
        )
        met = met & within
        slope = (across * (bx - x * bz) + down * (by - y * bz)) * (h * inverse * shrink)
        start = tap + tl.zeros_like(own_level) == 0
        a0, b0 = tl.where(start, a, a0), tl.where(start, b, b0)
        a, b = a - a0, b - b0
        a1, a2, b1, b2, both = a1 + a, a2 + a * a, b1 + b, b2 + b * b, both + a * b
        slope_sum, slope_second = slope_sum + slope, slope_second + b * slope
        slope_both += a * slope
    share = 1.0 / (side * side)
    a1, b1, slope_sum = a1 * share, b1 * share, slope_sum * share
    variance = tl.maximum(a2 * share - a1 * a1, 0.0)
    spread = tl.maximum(b2 * share - b1 * b1, 0.0) + noise
    of_spread = 2 * (slope_second * share - b1 * slope_sum)
    root = 1 / tl.sqrt_rn((variance + noise) * spread)
    alike = (both * share - a1 * b1) * root
    slope = (slope_both * share - a1 * slope_sum) * root - 0.5 * alike * of_spread / spread
    counts = shown & met & (variance > noise)
    tl.store(costs + pair, tl.where(counts, 1 - alike, 1.0), mask=mask)
    tl.store(slopes + pair, tl.where(counts, slope * w / far_along, 0.0), mask=mask)
    tl.store(valid + pair, counts.to(tl.uint8), mask=mask)
    tl.store(variances + k, tl.where(shown, variance, 0.0), mask=mask & (s == 0))


@triton.jit
def in_sight_kernel(
    points, views, centres, free, seen, count, other_count, resolution, BLOCK: tl.constexpr
):
    """See :func:`neus.ops.reference.in_sight`."""
    pair = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = pair < count * other_count
    view = tl.load(views + pair, mask=mask, other=0)
    x, y, z = load_vectors(points, 3, 1, pair // other_count, mask)
    wx, wy, wz = load_vectors(centres, 3, 1, view, mask)
    wx, wy, wz = wx - x, wy - y, wz - z
    length = tl.where(mask, tl.sqrt_rn(wx * wx + wy * wy + wz * wz), 1.0)
    wx, wy, wz = wx / length, wy / length, wz / length
    clear, last = mask, resolution - 1
    half, step = 0.5 * resolution, 2.0 / resolution
    for i in range(resolution):
        t = i * step
        px, py, pz = x + t * wx, y + t * wy, z + t * wz
        inside = clear & (t < length) & (px * px + py * py + pz * pz < 1)
        a = tl.minimum(tl.maximum(((px + 1) * half).to(tl.int32), 0), last)
        b = tl.minimum(tl.maximum(((py + 1) * half).to(tl.int32), 0), last)
        c = tl.minimum(tl.maximum(((pz + 1) * half).to(tl.int32), 0), last)
        cell = (a * resolution + b) * resolution + c
        clear = clear & (tl.load(free + cell, mask=inside, other=1) != 0)
    tl.store(seen + pair, clear.to(tl.uint8), mask=mask)
