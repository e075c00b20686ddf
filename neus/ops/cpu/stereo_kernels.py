"""numba kernels of PatchMatch: windows under planes, and sweeps over one colour of a checkerboard.

LANES pixels are worked on side by side, one hypothesis each. A window is walked tap by tap: one
pass computes where the lanes' taps lie in a source, one reads the four pixels around, one
interpolates and adds up. Only the reading is scalar; the others vectorise. A source is packed for
it: a 64-bit word holds the four pixels, 16 bits each.

What a half-sweep reads of other pixels has the other colour, so that the order of pixels, and the
number of threads, changes nothing.
"""

from __future__ import annotations

import math

import numpy as np

from neus.ops.cpu.compilation import index, kernel
from neus.ops.stereo import (
    DRAWS,
    KINDS,
    MOST_COUNTED,
    REFUSED,
    REGIONS,
    SHIFTS,
    SIDES,
    STEEPEST,
    TILTS,
)

LANES = 64
_F32, _I32, _U32, _U64 = np.float32, np.int32, np.uint32, np.uint64
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_LEVELS = np.float32(65535)
_REFUSED = np.float32(REFUSED)
_STEEPEST = np.float32(STEEPEST)
_SHIFT_LOW, _SHIFT_SPAN = (
    np.float32(math.log2(SHIFTS[0])),
    np.float32(math.log2(SHIFTS[1] / SHIFTS[0])),
)
_TILT_LOW, _TILT_SPAN = np.float32(math.log2(TILTS[0])), np.float32(math.log2(TILTS[1] / TILTS[0]))
_REGIONS = REGIONS
_MOST = MOST_COUNTED


@kernel
def pack(worker, workers, grey, inside, height, width, words):
    """Pixels (x, y), (x + 1, y), (x, y + 1), (x + 1, y + 1) of each source in a word."""
    for s in range(len(grey)):
        last_y, last_x = height[s] - 1, width[s] - 1
        for y in range(worker * height[s] // workers, (worker + 1) * height[s] // workers):
            below = min(y + 1, last_y)
            for x in range(width[s]):
                right = min(x + 1, last_x)
                words[s, y, x] = (
                    _U64(grey[s, y, x] * _LEVELS + _HALF)
                    | _U64(grey[s, y, right] * _LEVELS + _HALF) << _U64(16)
                    | _U64(grey[s, below, x] * _LEVELS + _HALF) << _U64(32)
                    | _U64(grey[s, below, right] * _LEVELS + _HALF) << _U64(48)
                )


@kernel
def window_of(grey, active, pixels, radius, spacing, contrast, weights, centred, mean, variance):
    """Weights (their sum is 1) and weighted, centred grey ``[tap, lane]`` of reference windows.

    A tap weighs ``1 / (1 + (difference from the centre / contrast)^2)``, and nothing off the mask.
    """
    height, width = grey.shape
    for i in range(LANES):
        x, y = pixels[i] % width, pixels[i] // width
        centre, total, total_grey = grey[y, x], _ZERO, _ZERO
        tap = 0
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                u, v = x + dx * spacing, y + dy * spacing
                weight, value = _ZERO, centre
                if u >= 0 and u < width and v >= 0 and v < height and active[v, u]:
                    value = grey[v, u]
                    difference = (value - centre) / contrast
                    weight = _ONE / (_ONE + difference * difference)
                weights[tap, i] = weight
                centred[tap, i] = value
                total += weight
                total_grey += weight * value
                tap += 1
        average, spread = total_grey / total, _ZERO
        for k in range(tap):
            weight, value = weights[k, i] / total, centred[k, i] - average
            weights[k, i] = weight
            centred[k, i] = weight * value
            spread += weight * value * value
        mean[i], variance[i] = average, spread


@kernel
def _taps(at, dx, dy, right, bottom, stride, place, fractions):
    """Where the taps at offset (dx, dy) of all lanes lie: word and fractions."""
    for i in range(LANES):
        z = at[index(8 * LANES + i)] * dy + (
            at[index(7 * LANES + i)] * dx + at[index(6 * LANES + i)]
        )
        inverse = _ONE / max(z, np.float32(1e-6))
        x = at[index(2 * LANES + i)] * dy + (at[index(LANES + i)] * dx + at[index(i)])
        y = at[index(5 * LANES + i)] * dy + (
            at[index(4 * LANES + i)] * dx + at[index(3 * LANES + i)]
        )
        x = min(max(x * inverse, _ZERO), right)
        y = min(max(y * inverse, _ZERO), bottom)
        column, row = _I32(x), _I32(y)
        place[index(i)] = row * stride + column
        fractions[index(i)] = x - _F32(column)
        fractions[index(LANES + i)] = y - _F32(row)


@kernel
def _read(words, place, found):
    for i in range(LANES):
        found[index(i)] = words[index(place[index(i)])]


@kernel
def _add_up(found, fractions, weights, centred, tap, mean, sums):
    """Interpolate the taps of all lanes and add them to the three sums of the correlation."""
    low = np.float32(1 / 65535)
    for i in range(LANES):
        first, second = found[index(2 * i)], found[index(2 * i + 1)]
        a, b = _F32(_I32(first & _U32(65535))), _F32(_I32(first >> _U32(16)))
        c, d = _F32(_I32(second & _U32(65535))), _F32(_I32(second >> _U32(16)))
        fx, fy = fractions[index(i)], fractions[index(LANES + i)]
        upper, lower = a + fx * (b - a), c + fx * (d - c)
        value = (upper + fy * (lower - upper)) * low - mean[index(i)]
        weighted = weights[index(tap * LANES + i)] * value
        sums[index(i)] += weighted
        sums[index(LANES + i)] += weighted * value
        sums[index(2 * LANES + i)] += centred[index(tap * LANES + i)] * value


@kernel
def _homographies(px, py, planes, turn, shift, at):
    """The homography of each lane's plane about its pixel: value, and change along x and y."""
    for k in range(3):
        for i in range(LANES):
            w = planes[index(i)]
            at[index(3 * k * LANES + i)] = (
                turn[k, 0] * px[index(i)] + turn[k, 1] * py[index(i)] + turn[k, 2] + shift[k] * w
            )
            at[index((3 * k + 1) * LANES + i)] = turn[k, 0] + shift[k] * planes[index(LANES + i)]
            at[index((3 * k + 2) * LANES + i)] = (
                turn[k, 1] + shift[k] * planes[index(2 * LANES + i)]
            )


@kernel
def _visible(
    px, py, planes, at, inside, height, width, focal, principal, centre, off_mask, sees, penalty
):
    """1 where a source may see its lane's plane, else 0; what meets its picture off the mask."""
    for i in range(LANES):
        z = at[index(6 * LANES + i)]
        gx, gy = planes[index(LANES + i)], planes[index(2 * LANES + i)]
        axial = (
            planes[index(i)]
            - gx * (px[index(i)] - principal[0])
            - gy * (py[index(i)] - principal[1])
        )
        side = focal[0] * gx * centre[0] + focal[1] * gy * centre[1] + axial * centre[2]
        sees[index(i)] = _ONE if z > np.float32(1e-6) and side < _ONE else _ZERO
    for i in range(LANES):
        inverse = _ONE / max(at[i + 6 * LANES], np.float32(1e-6))
        x, y = at[i] * inverse + _HALF, at[i + 3 * LANES] * inverse + _HALF
        if x >= _ZERO and y >= _ZERO and x < width and y < height:
            if not inside[_I32(y), _I32(x)]:
                sees[i] = _ZERO
                penalty[i] += off_mask
        else:
            sees[i] = _ZERO


@kernel
def _unlikeness(sums, variance, noise, sees, cost):
    """1 - NCC of all lanes, at most 1, which it is where the source does not see the plane."""
    for i in range(LANES):
        mean = sums[index(i)]
        spread = max(sums[index(LANES + i)] - mean * mean, _ZERO) + noise
        product = (variance[index(i)] + noise) * spread
        alike = sums[index(2 * LANES + i)] / np.float32(math.sqrt(product))
        cost[index(i)] = _ONE - max(alike, _ZERO) * sees[index(i)]


@kernel
def score(
    px, py, planes, weights, centred, mean, variance, radius, spacing, words, inside, heights,
    widths, turn, shift, centres, focal, principal, noise, counted, off_mask, scratch, place, found,
    cost,
):  # fmt: skip
    """Cost of one plane a lane: the mean of its best ``counted`` sources, and their penalties."""
    at, sums = scratch[0 : 9 * LANES], scratch[9 * LANES : 12 * LANES]
    fractions = scratch[12 * LANES : 14 * LANES]
    best = scratch[14 * LANES : (14 + _MOST) * LANES]
    single = scratch[18 * LANES : 19 * LANES]
    penalty, sees = scratch[19 * LANES : 20 * LANES], scratch[20 * LANES : 21 * LANES]
    best[:] = _ONE
    penalty[:] = _ZERO
    pairs = found.view(np.uint32)
    for s in range(len(words)):
        _homographies(px, py, planes, turn[s], shift[s], at)
        sums[:] = _ZERO
        flat, stride = words[s].reshape(-1), _I32(words.shape[2])
        right, bottom = _F32(widths[s] - 1), _F32(heights[s] - 1)
        tap = 0
        for dy in range(-radius, radius + 1):
            for dx in range(-radius, radius + 1):
                _taps(
                    at,
                    _F32(dx * spacing),
                    _F32(dy * spacing),
                    right,
                    bottom,
                    stride,
                    place,
                    fractions,
                )
                _read(flat, place, found)
                _add_up(pairs, fractions, weights, centred, tap, mean, sums)
                tap += 1
        _visible(
            px, py, planes, at, inside[s], heights[s], widths[s], focal, principal, centres[s],
            off_mask, sees, penalty,
        )  # fmt: skip
        _unlikeness(sums, variance, noise, sees, single)
        for k in range(counted):
            for i in range(LANES):
                lower = min(best[index(k * LANES + i)], single[index(i)])
                single[index(i)] = max(best[index(k * LANES + i)], single[index(i)])
                best[index(k * LANES + i)] = lower
    for i in range(LANES):
        total = _ZERO
        for k in range(counted):
            total += best[k * LANES + i]
        cost[i] = total / _F32(counted) + penalty[i]


@kernel
def _mixed(h):
    """The finaliser of MurmurHash3; numba would go on in 64 bits without the casts."""
    h = _U32(_U32(h ^ (h >> _U32(16))) * _U32(0x85EBCA6B))
    h = _U32(_U32(h ^ (h >> _U32(13))) * _U32(0xC2B2AE35))
    return _U32(h ^ (h >> _U32(16)))


@kernel
def uniform(key, pixel, draw):
    """A number in [0, 1) that depends on the key, the pixel and the draw alone."""
    h = _mixed(_U32(_U32(key) ^ _U32(_U32(pixel) * _U32(0x9E3779B1))))
    h = _mixed(_U32(h + _U32(draw) * _U32(0x85157AF5)))
    return _F32(h >> _U32(8)) * np.float32(2.0**-24)


@kernel
def _tilted(key, pixel, draw, length, nx, ny, nz):
    """The unit normal with a random vector added whose components are up to ``length``."""
    nx += length * (_F32(2) * uniform(key, pixel, draw) - _ONE)
    ny += length * (_F32(2) * uniform(key, pixel, draw + 1) - _ONE)
    nz += length * (_F32(2) * uniform(key, pixel, draw + 2) - _ONE)
    norm = np.float32(math.sqrt(nx * nx + ny * ny + nz * nz + np.float32(1e-12)))
    return nx / norm, ny / norm, nz / norm


@kernel
def drawn_plane(key, pixel, draw, kind, plane, x, y, focal, bounds):
    """A plane for refinement; ``kind`` 0: another depth, 1: another normal, 2: both, 3: any plane.

    Args:
        plane: the current (inverse depth, slope x, slope y).
        x, y: of the pixel's ray at depth 1.
        bounds: farthest and nearest inverse depth, and the step of a pixel.
    """
    w, gx, gy = plane
    a, b = focal[0] * gx / w, focal[1] * gy / w
    nx, ny, nz = -a, -b, -(_ONE - x * a - y * b)
    norm = np.float32(math.sqrt(nx * nx + ny * ny + nz * nz))
    nx, ny, nz = nx / norm, ny / norm, nz / norm
    ray = np.float32(math.sqrt(x * x + y * y + _ONE))
    if kind == 3:
        w = bounds[0] + uniform(key, pixel, draw) * (bounds[1] - bounds[0])
        tx, ty, tz = _tilted(key, pixel, draw + 2, _ONE, -x / ray, -y / ray, -_ONE / ray)
    else:
        if kind != 1:
            size = np.float32(2) ** (_SHIFT_LOW + _SHIFT_SPAN * uniform(key, pixel, draw))
            sign = _ONE if uniform(key, pixel, draw + 1) < _HALF else -_ONE
            w = min(max(w + sign * size * bounds[2], bounds[0]), bounds[1])
        tx, ty, tz = nx, ny, nz
        if kind != 0:
            length = np.float32(2) ** (_TILT_LOW + _TILT_SPAN * uniform(key, pixel, draw + 5))
            tx, ty, tz = _tilted(key, pixel, draw + 2, length, nx, ny, nz)
    towards = tx * x + ty * y + tz
    if towards > -_STEEPEST * ray:
        tx, ty, tz = nx, ny, nz
        towards = min(tx * x + ty * y + tz, np.float32(-1e-3))
    return w, w * tx / (focal[0] * towards), w * ty / (focal[1] * towards)


@kernel
def _neighbour(x, y, region, planes, costs, bounds):
    """The plane at (x, y) that the best pixel of a region has; its inverse depth is 0 if none."""
    height, width = costs.shape
    least, column, row = _REFUSED, -1, -1
    for k in range(_REGIONS.shape[1]):
        u, v = x + _REGIONS[region, k, 0], y + _REGIONS[region, k, 1]
        if u >= 0 and u < width and v >= 0 and v < height and costs[v, u] < least:
            least, column, row = costs[v, u], u, v
    if column < 0:
        return _ZERO, _ZERO, _ZERO
    gx, gy = planes[row, column, 1], planes[row, column, 2]
    w = planes[row, column, 0] + gx * _F32(x - column) + gy * _F32(y - row)
    if w < bounds[0] or w > bounds[1]:
        return _ZERO, _ZERO, _ZERO
    return w, gx, gy


@kernel
def sweep(
    worker, workers, pixels, grey, active, planes, costs, iteration, key, words, inside, heights,
    widths, turn, shift, centres, focal, principal, bounds, radius, spacing, contrast, noise,
    counted, off_mask,
):  # fmt: skip
    """Improve the planes of ``pixels``, which have one colour; with iteration -1 score the start.

    Where the start has no plane, one is drawn.
    """
    width = grey.shape[1]
    taps = (2 * radius + 1) ** 2
    weights, centred = np.empty((taps, LANES), np.float32), np.empty((taps, LANES), np.float32)
    mean, variance = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    px, py = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    now, tried = np.empty(3 * LANES, np.float32), np.empty(3 * LANES, np.float32)
    cost, least = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    scratch = np.empty(21 * LANES, np.float32)
    place, found = np.empty(LANES, np.int32), np.empty(LANES, np.uint64)
    lanes = np.empty(LANES, np.int64)
    hypotheses = SIDES + KINDS if iteration >= 0 else 1
    regions = SIDES * (iteration % 2)
    batches = (len(pixels) + LANES - 1) // LANES
    for batch in range(worker * batches // workers, (worker + 1) * batches // workers):
        for i in range(LANES):  # the last pixel fills up the last batch
            lanes[i] = pixels[min(batch * LANES + i, len(pixels) - 1)]
            column, row = lanes[i] % width, lanes[i] // width
            px[i], py[i] = _F32(column), _F32(row)
            for k in range(3):
                now[k * LANES + i] = planes[row, column, k]
            least[i] = costs[row, column] if iteration >= 0 else _REFUSED
        window_of(grey, active, lanes, radius, spacing, contrast, weights, centred, mean, variance)
        for h in range(hypotheses):
            for i in range(LANES):
                plane = (now[i], now[LANES + i], now[2 * LANES + i])
                x, y = (px[i] - principal[0]) / focal[0], (py[i] - principal[1]) / focal[1]
                if iteration < 0:
                    if plane[0] <= _ZERO:
                        any_plane = (bounds[1], _ZERO, _ZERO)
                        plane = drawn_plane(key, lanes[i], 0, 3, any_plane, x, y, focal, bounds)
                elif h < SIDES:
                    plane = _neighbour(
                        lanes[i] % width, lanes[i] // width, regions + h, planes, costs, bounds
                    )
                else:
                    kind = h - SIDES
                    draw = (iteration + 1) * DRAWS + 8 * kind
                    plane = drawn_plane(key, lanes[i], draw, kind, plane, x, y, focal, bounds)
                for k in range(3):
                    tried[k * LANES + i] = plane[k]
            score(
                px, py, tried, weights.reshape(-1), centred.reshape(-1), mean, variance, radius,
                spacing, words, inside, heights, widths, turn, shift, centres, focal, principal,
                noise, counted, off_mask, scratch, place, found, cost,
            )  # fmt: skip
            for i in range(LANES):
                if tried[i] > _ZERO and cost[i] < least[i]:
                    least[i] = cost[i]
                    for k in range(3):
                        now[k * LANES + i] = tried[k * LANES + i]
        for i in range(LANES):
            row, column = lanes[i] // width, lanes[i] % width
            costs[row, column] = least[i]
            for k in range(3):
                planes[row, column, k] = now[k * LANES + i]
