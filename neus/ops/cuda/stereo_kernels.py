"""Triton kernels of PatchMatch: planes to try, windows under them, and half a sweep.

A program takes a block of pixels of one colour, one hypothesis at a time; it goes through sources
and taps in loops, so that the scoring is compiled once.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

from __future__ import annotations

import math

import triton
import triton.language as tl

from neus.ops.stereo import DRAWS, KINDS, REFUSED, REGIONS, SHIFTS, SIDES, STEEPEST, TILTS

_DRAWS, _SIDES, _STEEPEST = tl.constexpr(DRAWS), tl.constexpr(SIDES), tl.constexpr(STEEPEST)
_TRIALS, _REFUSED = tl.constexpr(SIDES + KINDS), tl.constexpr(REFUSED)
_MEMBERS = tl.constexpr(REGIONS.shape[1])
_SHIFT, _TILT = tl.constexpr(math.log(SHIFTS[0])), tl.constexpr(math.log(TILTS[0]))
_SHIFT_SPAN = tl.constexpr(math.log(SHIFTS[1] / SHIFTS[0]))
_TILT_SPAN = tl.constexpr(math.log(TILTS[1] / TILTS[0]))


@triton.jit
def mixed(h):
    """The finaliser of MurmurHash3 on 32-bit words."""
    h = (h ^ (h >> 16)) * 0x85EBCA6B
    h = (h ^ (h >> 13)) * 0xC2B2AE35
    return h ^ (h >> 16)


@triton.jit
def uniform(seeded, draw):
    """Numbers in [0, 1); ``seeded`` is the mixed key and pixel."""
    h = mixed(seeded + (draw + tl.zeros_like(seeded)).to(tl.uint32) * 0x85157AF5)
    return (h >> 8).to(tl.float32) * 5.9604644775390625e-08


@triton.jit
def unit(x, y, z):
    norm = tl.sqrt_rn(x * x + y * y + z * z + 1e-12)
    return x / norm, y / norm, z / norm


@triton.jit
def drawn_plane(seeded, draw, kind, w, gx, gy, x, y, lens):
    """Planes to try; kind 0: another depth, 1: another normal, 2: both, 3: any plane."""
    fx, fy = tl.load(lens), tl.load(lens + 1)
    farthest, nearest, step = tl.load(lens + 4), tl.load(lens + 5), tl.load(lens + 6)
    a, b = fx * gx / w, fy * gy / w
    nx, ny, nz = unit(-a, -b, x * a + y * b - 1)
    ray = tl.sqrt_rn(x * x + y * y + 1)
    first = uniform(seeded, draw)
    size = tl.exp(first * _SHIFT_SPAN + _SHIFT)
    change = tl.where(uniform(seeded, draw + 1) < 0.5, size, -size) * step
    shifted = tl.minimum(tl.maximum(w + change, farthest), nearest)
    anywhere = farthest + first * (nearest - farthest)
    new = tl.where(kind == 3, anywhere, tl.where(kind == 1, w, shifted))
    length = tl.exp(uniform(seeded, draw + 5) * _TILT_SPAN + _TILT)
    length = tl.where(kind == 3, 1.0, length)
    tx, ty, tz = unit(
        tl.where(kind == 3, -x / ray, nx) + length * (2 * uniform(seeded, draw + 2) - 1),
        tl.where(kind == 3, -y / ray, ny) + length * (2 * uniform(seeded, draw + 3) - 1),
        tl.where(kind == 3, -1 / ray, nz) + length * (2 * uniform(seeded, draw + 4) - 1),
    )
    kept = (kind == 0) | (tx * x + ty * y + tz > -(ray * _STEEPEST))
    tx, ty, tz = tl.where(kept, nx, tx), tl.where(kept, ny, ty), tl.where(kept, nz, tz)
    towards = tl.minimum(tx * x + ty * y + tz, -1e-3)
    return new, new * tx / (fx * towards), new * ty / (fy * towards)


@triton.jit
def neighbour_plane(column, row, mask, regions, region, planes, costs, lens, height, width):
    """The planes of the pixels of a region that cost least; the inverse depth is 0 if none."""
    least = tl.zeros_like(column).to(tl.float32) + _REFUSED
    w, gx, gy = tl.zeros_like(least), tl.zeros_like(least), tl.zeros_like(least)
    for k in range(_MEMBERS):
        dx = tl.load(regions + (region * _MEMBERS + k) * 2)
        dy = tl.load(regions + (region * _MEMBERS + k) * 2 + 1)
        u, v = column + dx, row + dy
        within = mask & (u >= 0) & (u < width) & (v >= 0) & (v < height)
        cost = tl.load(costs + v * width + u, mask=within, other=_REFUSED)
        better = cost < least
        at = planes + (v * width + u) * 3
        sx = tl.load(at + 1, mask=better, other=0.0)
        sy = tl.load(at + 2, mask=better, other=0.0)
        there = tl.load(at, mask=better, other=0.0) - sx * dx - sy * dy
        w, gx, gy = tl.where(better, there, w), tl.where(better, sx, gx), tl.where(better, sy, gy)
        least = tl.where(better, cost, least)
    known = (w >= tl.load(lens + 4)) & (w <= tl.load(lens + 5))
    return tl.where(known, w, 0.0), gx, gy


@triton.jit
def reference_tap(grey, active, column, row, dx, dy, centre, contrast, mask, height, width):
    """Weight (before it is divided by their sum) and grey of a tap of the reference's windows."""
    u, v = column + dx, row + dy
    within = mask & (u >= 0) & (u < width) & (v >= 0) & (v < height)
    within = within & (tl.load(active + v * width + u, mask=within, other=0) != 0)
    value = tl.load(grey + v * width + u, mask=within, other=0.0)
    difference = (value - centre) / contrast
    return tl.where(within, 1 / (1 + difference * difference), 0.0), value


@triton.jit
def source_tap(picture, x, y, height, width, stride, mask):
    """Grey of a source, interpolated; its border goes on for ever."""
    x = tl.minimum(tl.maximum(x, 0.0), (width - 1).to(tl.float32))
    y = tl.minimum(tl.maximum(y, 0.0), (height - 1).to(tl.float32))
    u, v = x.to(tl.int32), y.to(tl.int32)
    right, below = tl.minimum(u + 1, width - 1), tl.minimum(v + 1, height - 1)
    a = tl.load(picture + v * stride + u, mask=mask, other=0.0)
    b = tl.load(picture + v * stride + right, mask=mask, other=0.0)
    c = tl.load(picture + below * stride + u, mask=mask, other=0.0)
    d = tl.load(picture + below * stride + right, mask=mask, other=0.0)
    fx, fy = x - u, y - v
    upper, lower = a + fx * (b - a), c + fx * (d - c)
    return upper + fy * (lower - upper)


@triton.jit
def plane_cost(
    column, row, w, gx, gy, grey, active, centre, total, mean, variance, lens, constants,
    pictures, inside, sizes, path, sources, radius, spacing, height, width, tall, wide, mask,
    COUNTED: tl.constexpr,
):  # fmt: skip
    """Mean of the COUNTED least 1 - NCC, and the penalties of sources that are met off the mask."""
    contrast, noise, off_mask = (
        tl.load(constants), tl.load(constants + 1), tl.load(constants + 2),
    )  # fmt: skip
    side, px, py = 2 * radius + 1, column.to(tl.float32), row.to(tl.float32)
    axial = w - gx * (px - tl.load(lens + 2)) - gy * (py - tl.load(lens + 3))
    best0, penalty = tl.zeros_like(w) + 1, tl.zeros_like(w)
    best1, best2, best3 = best0, best0, best0
    for s in range(sources):
        t, picture = path + s * 15, pictures + s * tall * wide
        high, broad = tl.load(sizes + 2 * s), tl.load(sizes + 2 * s + 1)
        bx, by, bz = tl.load(t + 9), tl.load(t + 10), tl.load(t + 11)
        x0 = tl.load(t) * px + tl.load(t + 1) * py + tl.load(t + 2) + bx * w
        y0 = tl.load(t + 3) * px + tl.load(t + 4) * py + tl.load(t + 5) + by * w
        z0 = tl.load(t + 6) * px + tl.load(t + 7) * py + tl.load(t + 8) + bz * w
        xx, xy = tl.load(t) + bx * gx, tl.load(t + 1) + bx * gy
        yx, yy = tl.load(t + 3) + by * gx, tl.load(t + 4) + by * gy
        zx, zy = tl.load(t + 6) + bz * gx, tl.load(t + 7) + bz * gy
        first, second, both = tl.zeros_like(w), tl.zeros_like(w), tl.zeros_like(w)
        for tap in range(side * side):
            dx, dy = (tap % side - radius) * spacing, (tap // side - radius) * spacing
            weight, own = reference_tap(
                grey, active, column, row, dx, dy, centre, contrast, mask, height, width
            )
            inverse = 1 / tl.maximum(z0 + zx * dx + zy * dy, 1e-6)
            x, y = (x0 + xx * dx + xy * dy) * inverse, (y0 + yx * dx + yy * dy) * inverse
            value = source_tap(picture, x, y, high, broad, wide, mask) - mean
            weighted = weight / total * value
            first += weighted
            second += weighted * value
            both += weighted * (own - mean)
        inverse = 1 / tl.maximum(z0, 1e-6)
        x, y = x0 * inverse + 0.5, y0 * inverse + 0.5
        within = mask & (x >= 0) & (y >= 0) & (x < broad) & (y < high)
        at = inside + s * tall * wide + y.to(tl.int32) * wide + x.to(tl.int32)
        hit = tl.load(at, mask=within, other=0) != 0
        front = tl.load(lens) * gx * tl.load(t + 12) + tl.load(lens + 1) * gy * tl.load(t + 13)
        front += axial * tl.load(t + 14)
        sees = within & hit & (front < 1) & (z0 > 1e-6)
        penalty += tl.where(within & (hit == 0), off_mask, 0.0)
        spread = tl.maximum(second - first * first, 0.0) + noise
        alike = both / tl.sqrt_rn((variance + noise) * spread)
        cost = 1 - tl.where(sees, tl.maximum(alike, 0.0), 0.0)
        # The best four so far, in order.
        best0, cost = tl.minimum(best0, cost), tl.maximum(best0, cost)
        best1, cost = tl.minimum(best1, cost), tl.maximum(best1, cost)
        best2, cost = tl.minimum(best2, cost), tl.maximum(best2, cost)
        best3 = tl.minimum(best3, cost)
    sum_of_best = best0
    if COUNTED > 1:
        sum_of_best += best1
    if COUNTED > 2:
        sum_of_best += best2
    if COUNTED > 3:
        sum_of_best += best3
    return sum_of_best / COUNTED + penalty


# Pictures of all sizes share one kernel: it takes seconds to compile, and no load gets wider.
@triton.jit(
    do_not_specialize=[
        *("colour_sample", "iteration_sample", "key_sample", "sources_count", "radius_count"),
        *("spacing_count", "height_count", "width_count", "tall_count", "wide_count"),
    ]
)
def sweep_kernel(
    grey, active, planes, costs, lens, constants, pictures, inside, sizes, path, regions,
    key_sample, colour_sample, iteration_sample, sources_count, radius_count, spacing_count,
    height_count, width_count, tall_count, wide_count,
    START: tl.constexpr, COUNTED: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Improve the planes of a block of pixels of one colour or, with START, score where they begin.

    Where the start has no plane, one is drawn.
    """
    half = (width_count + 1) // 2
    number = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    row = number // half
    column = 2 * (number % half) + (row + colour_sample) % 2
    mask = (row < height_count) & (column < width_count)
    pixel = row * width_count + column
    mask = mask & (tl.load(active + pixel, mask=mask, other=0) != 0)
    x = (column - tl.load(lens + 2)) / tl.load(lens)
    y = (row - tl.load(lens + 3)) / tl.load(lens + 1)
    seeded = mixed((pixel.to(tl.uint32) * 0x9E3779B1) ^ key_sample.to(tl.uint32))
    centre = tl.load(grey + pixel, mask=mask, other=0.0)
    contrast, side = tl.load(constants), 2 * radius_count + 1
    total, mean, square = tl.zeros_like(centre), tl.zeros_like(centre), tl.zeros_like(centre)
    for tap in range(side * side):
        dx = (tap % side - radius_count) * spacing_count
        dy = (tap // side - radius_count) * spacing_count
        weight, value = reference_tap(
            grey, active, column, row, dx, dy, centre, contrast, mask, height_count, width_count
        )
        total += weight
        mean += weight * (value - centre)
        square += weight * (value - centre) * (value - centre)
    total = tl.where(mask, total, 1.0)
    shift = mean / total
    variance = tl.maximum(square / total - shift * shift, 0.0)
    mean = centre + shift
    w = tl.load(planes + 3 * pixel, mask=mask, other=1.0)
    gx = tl.load(planes + 3 * pixel + 1, mask=mask, other=0.0)
    gy = tl.load(planes + 3 * pixel + 2, mask=mask, other=0.0)
    least = tl.load(costs + pixel, mask=mask, other=0.0)
    for trial in range(1 if START else _TRIALS):
        if START:
            ahead = tl.zeros_like(w) + tl.load(lens + 5)
            tw, tx, ty = drawn_plane(
                seeded, 0, 3, ahead, tl.zeros_like(w), tl.zeros_like(w), x, y, lens
            )
            known = w > 0
            tw, tx, ty = tl.where(known, w, tw), tl.where(known, gx, tx), tl.where(known, gy, ty)
        elif trial < _SIDES:
            region = (iteration_sample % 2) * _SIDES + trial
            tw, tx, ty = neighbour_plane(
                column, row, mask, regions, region, planes, costs, lens, height_count, width_count
            )
        else:
            kind = trial - _SIDES
            draw = (iteration_sample + 1) * _DRAWS + 8 * kind
            tw, tx, ty = drawn_plane(seeded, draw, kind, w, gx, gy, x, y, lens)
        cost = plane_cost(
            column, row, tw, tx, ty, grey, active, centre, total, mean, variance, lens, constants,
            pictures, inside, sizes, path, sources_count, radius_count, spacing_count,
            height_count, width_count, tall_count, wide_count, mask, COUNTED,
        )  # fmt: skip
        better = (tw > 0) & (cost < least)
        w, gx, gy = tl.where(better, tw, w), tl.where(better, tx, gx), tl.where(better, ty, gy)
        least = tl.where(better, cost, least)
    tl.store(planes + 3 * pixel, w, mask=mask)
    tl.store(planes + 3 * pixel + 1, gx, mask=mask)
    tl.store(planes + 3 * pixel + 2, gy, mask=mask)
    tl.store(costs + pixel, least, mask=mask)
