"""numba kernels of PatchMatch: planes to try, and sweeps over one colour of a checkerboard.

What a half-sweep reads of other pixels has the other colour, so that the order of pixels, and the
number of threads, changes nothing.
"""

from __future__ import annotations

import math

import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.cpu.stereo_vectors import LANES
from neus.ops.cpu.stereo_windows import COST, LEAST, NOW, ROWS, TRIED, X, Y, score, window_of
from neus.ops.stereo import DRAWS, KINDS, REFUSED, REGIONS, SHIFTS, SIDES, STEEPEST, TILTS

_F32, _I32, _U32 = np.float32, np.int32, np.uint32
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_REFUSED, _STEEPEST = np.float32(REFUSED), np.float32(STEEPEST)
_SHIFT, _TILT = np.float32(math.log(SHIFTS[0])), np.float32(math.log(TILTS[0]))
_SHIFT_SPAN = np.float32(math.log(SHIFTS[1] / SHIFTS[0]))
_TILT_SPAN = np.float32(math.log(TILTS[1] / TILTS[0]))


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
def drawn_plane(key, pixel, draw, kind, plane, x, y, lens):
    """A plane for refinement; ``kind`` 0: another depth, 1: another normal, 2: both, 3: any plane.

    Args:
        plane: the current (inverse depth, slope x, slope y).
        x, y: of the pixel's ray at depth 1.
        lens: fx, fy, cx, cy, farthest and nearest inverse depth, and the step of a pixel.
    """
    w, gx, gy = plane
    a, b = lens[0] * gx / w, lens[1] * gy / w
    nx, ny, nz = -a, -b, -(_ONE - x * a - y * b)
    norm = np.float32(math.sqrt(nx * nx + ny * ny + nz * nz))
    nx, ny, nz = nx / norm, ny / norm, nz / norm
    ray = np.float32(math.sqrt(x * x + y * y + _ONE))
    if kind == 3:
        w = lens[4] + uniform(key, pixel, draw) * (lens[5] - lens[4])
        tx, ty, tz = _tilted(key, pixel, draw + 2, _ONE, -x / ray, -y / ray, -_ONE / ray)
    else:
        if kind != 1:
            size = np.float32(math.exp(_SHIFT + _SHIFT_SPAN * uniform(key, pixel, draw)))
            sign = _ONE if uniform(key, pixel, draw + 1) < _HALF else -_ONE
            w = min(max(w + sign * size * lens[6], lens[4]), lens[5])
        tx, ty, tz = nx, ny, nz
        if kind != 0:
            length = np.float32(math.exp(_TILT + _TILT_SPAN * uniform(key, pixel, draw + 5)))
            tx, ty, tz = _tilted(key, pixel, draw + 2, length, nx, ny, nz)
    towards = tx * x + ty * y + tz
    if towards > -_STEEPEST * ray:
        tx, ty, tz = nx, ny, nz
        towards = min(tx * x + ty * y + tz, np.float32(-1e-3))
    return w, w * tx / (lens[0] * towards), w * ty / (lens[1] * towards)


@kernel
def _neighbour(x, y, region, planes, costs, lens):
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
    if w < lens[4] or w > lens[5]:
        return _ZERO, _ZERO, _ZERO
    return w, gx, gy


@kernel
def _try(trial, planes, costs, iteration, key, lens, lanes):
    """Set the plane that each lane tries: of a region of neighbours, or drawn about its own.

    At iteration -1 its own, or any plane where it has none.
    """
    width = costs.shape[1]
    kind, draw = trial - SIDES, (iteration + 1) * DRAWS + 8 * (trial - SIDES)
    for i in range(LANES):
        column, row = _I32(lanes[X + i]), _I32(lanes[Y + i])
        plane = (lanes[NOW + i], lanes[NOW + LANES + i], lanes[NOW + 2 * LANES + i])
        x, y = (lanes[X + i] - lens[2]) / lens[0], (lanes[Y + i] - lens[3]) / lens[1]
        pixel = row * width + column
        if iteration < 0:
            if plane[0] <= _ZERO:
                ahead = (lens[5], _ZERO, _ZERO)
                plane = drawn_plane(key, pixel, 0, 3, ahead, x, y, lens)
        elif trial < SIDES:
            region = SIDES * (iteration % 2) + trial
            plane = _neighbour(column, row, region, planes, costs, lens)
        else:
            plane = drawn_plane(key, pixel, draw, kind, plane, x, y, lens)
        lanes[TRIED + i], lanes[TRIED + LANES + i], lanes[TRIED + 2 * LANES + i] = plane


@kernel
def _keep_better(lanes):
    for i in range(LANES):
        if lanes[TRIED + i] > _ZERO and lanes[COST + i] < lanes[LEAST + i]:
            lanes[LEAST + i] = lanes[COST + i]
            for k in range(3):
                lanes[NOW + k * LANES + i] = lanes[TRIED + k * LANES + i]


@kernel
def sweep(
    worker, workers, pixels, grey, active, planes, costs, iteration, key, words, inside, heights,
    widths, stride, path, lens, offsets, contrast, noise, counted, off_mask,
):  # fmt: skip
    """Improve the planes of ``pixels``, which have one colour; at iteration -1 score the start."""
    width, taps = grey.shape[1], len(offsets) // 2
    weights, centred = np.empty(taps * LANES, np.float32), np.empty(taps * LANES, np.float32)
    lanes, fractions = np.empty(ROWS * LANES, np.float32), np.empty(2 * taps * LANES, np.float32)
    places, found = np.empty(taps * LANES, np.int32), np.empty(taps * LANES, np.uint64)
    batches = (len(pixels) + LANES - 1) // LANES
    for batch in range(worker * batches // workers, (worker + 1) * batches // workers):
        for i in range(LANES):  # the last pixel fills up the last batch
            pixel = pixels[min(batch * LANES + i, len(pixels) - 1)]
            row, column = pixel // width, pixel % width
            lanes[X + i], lanes[Y + i] = _F32(column), _F32(row)
            for k in range(3):
                lanes[NOW + k * LANES + i] = planes[row, column, k]
            lanes[LEAST + i] = costs[row, column]
        window_of(grey, active, offsets, contrast, lanes, weights, centred)
        for trial in range(SIDES + KINDS if iteration >= 0 else 1):
            _try(trial, planes, costs, iteration, key, lens, lanes)
            score(
                offsets, weights, centred, words, inside, heights, widths, stride, path, lens,
                noise, counted, off_mask, fractions, places, found, lanes,
            )  # fmt: skip
            _keep_better(lanes)
        for i in range(LANES):
            row, column = _I32(lanes[Y + i]), _I32(lanes[X + i])
            costs[row, column] = lanes[LEAST + i]
            for k in range(3):
                planes[row, column, k] = lanes[NOW + k * LANES + i]
