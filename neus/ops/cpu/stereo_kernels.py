"""numba kernels of PatchMatch: planes to try, and sweeps over one colour of a checkerboard.

What a half-sweep reads of other pixels has the other colour, so that the order of pixels, and the
number of threads, changes nothing.
"""

from __future__ import annotations

import math

import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.cpu.stereo_vectors import LANES
from neus.ops.cpu.stereo_windows import ROWS, score, window_of
from neus.ops.stereo import DRAWS, KINDS, REFUSED, REGIONS, SHIFTS, SIDES, STEEPEST, TILTS

_F32, _U32 = np.float32, np.uint32
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_REFUSED, _STEEPEST = np.float32(REFUSED), np.float32(STEEPEST)
_SHIFT, _TILT = np.float32(math.log2(SHIFTS[0])), np.float32(math.log2(TILTS[0]))
_SHIFT_SPAN = np.float32(math.log2(SHIFTS[1] / SHIFTS[0]))
_TILT_SPAN = np.float32(math.log2(TILTS[1] / TILTS[0]))


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
            size = np.float32(2) ** (_SHIFT + _SHIFT_SPAN * uniform(key, pixel, draw))
            sign = _ONE if uniform(key, pixel, draw + 1) < _HALF else -_ONE
            w = min(max(w + sign * size * bounds[2], bounds[0]), bounds[1])
        tx, ty, tz = nx, ny, nz
        if kind != 0:
            length = np.float32(2) ** (_TILT + _TILT_SPAN * uniform(key, pixel, draw + 5))
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
    for k in range(REGIONS.shape[1]):
        u, v = x + REGIONS[region, k, 0], y + REGIONS[region, k, 1]
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
def _tries(
    trial, lanes, px, py, now, planes, costs, iteration, key, focal, principal, bounds, tried
):  # fmt: skip
    """The plane that each lane tries: of a region of neighbours, or drawn about its own.

    With iteration -1 its own, or any plane where it has none.
    """
    width = costs.shape[1]
    kind, draw = trial - SIDES, (iteration + 1) * DRAWS + 8 * (trial - SIDES)
    for i in range(LANES):
        plane = (now[i], now[LANES + i], now[2 * LANES + i])
        x, y = (px[i] - principal[0]) / focal[0], (py[i] - principal[1]) / focal[1]
        if iteration < 0:
            if plane[0] <= _ZERO:
                ahead = (bounds[1], _ZERO, _ZERO)
                plane = drawn_plane(key, lanes[i], 0, 3, ahead, x, y, focal, bounds)
        elif trial < SIDES:
            region = SIDES * (iteration % 2) + trial
            plane = _neighbour(lanes[i] % width, lanes[i] // width, region, planes, costs, bounds)
        else:
            plane = drawn_plane(key, lanes[i], draw, kind, plane, x, y, focal, bounds)
        tried[i], tried[LANES + i], tried[2 * LANES + i] = plane


@kernel
def sweep(
    worker, workers, pixels, grey, active, planes, costs, iteration, key, words, inside, heights,
    widths, turn, shift, centres, focal, principal, bounds, offsets, contrast, noise, counted,
    off_mask,
):  # fmt: skip
    """Improve the planes of ``pixels``, which have one colour; at iteration -1 score the start."""
    width, taps = grey.shape[1], len(offsets)
    weights, centred = np.empty((taps, LANES), np.float32), np.empty((taps, LANES), np.float32)
    mean, variance = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    px, py = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    now, tried = np.empty(3 * LANES, np.float32), np.empty(3 * LANES, np.float32)
    cost, least = np.empty(LANES, np.float32), np.empty(LANES, np.float32)
    rows, fractions = np.empty(ROWS * LANES, np.float32), np.empty(2 * taps * LANES, np.float32)
    places, found = np.empty(taps * LANES, np.int32), np.empty(taps * LANES, np.uint64)
    lanes = np.empty(LANES, np.int64)
    batches = (len(pixels) + LANES - 1) // LANES
    for batch in range(worker * batches // workers, (worker + 1) * batches // workers):
        for i in range(LANES):  # the last pixel fills up the last batch
            lanes[i] = pixels[min(batch * LANES + i, len(pixels) - 1)]
            row, column = lanes[i] // width, lanes[i] % width
            px[i], py[i] = _F32(column), _F32(row)
            for k in range(3):
                now[k * LANES + i] = planes[row, column, k]
            least[i] = costs[row, column]
        window_of(grey, active, lanes, offsets, contrast, weights, centred, mean, variance)
        for trial in range(SIDES + KINDS if iteration >= 0 else 1):
            _tries(
                trial, lanes, px, py, now, planes, costs, iteration, key, focal, principal, bounds,
                tried,
            )  # fmt: skip
            score(
                px, py, tried, offsets, weights.reshape(-1), centred.reshape(-1), mean, variance,
                words, inside, heights, widths, turn, shift, centres, focal, principal, noise,
                counted, off_mask, rows, fractions, places, found, cost,
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
