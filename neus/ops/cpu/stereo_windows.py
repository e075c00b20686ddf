"""numba kernels that score planes: the window of a reference pixel under a plane, in each source.

``LANES`` pixels are worked on side by side, one hypothesis each. All that is known of a lane lies
in one array of rows, ``lanes``, so that the compiler sees that nothing overlaps. A source's picture
is packed: a 64-bit word holds a pixel and its three neighbours to the right and below, 16 bits
each, so that a tap reads once. Where the taps lie and what they sum up to is computed in vectors
(``stereo_vectors``); only the reading is scalar.
"""

from __future__ import annotations

import math

import numpy as np

from neus.ops.cpu.compilation import index, kernel
from neus.ops.cpu.stereo_vectors import LANES, VECTOR, place_taps, sum_taps
from neus.ops.cpu.vector_code import START
from neus.ops.stereo import MOST_COUNTED

# Rows of ``lanes``, as places where they begin: the pixel; the plane that is tried (inverse depth,
# slopes) and its cost; the window's mean and variance; and what a source makes of it.
X, Y, TRIED, COST, MEAN, VARIANCE = 0, LANES, 2 * LANES, 5 * LANES, 6 * LANES, 7 * LANES
_AT, _SUMS, _SINGLE, _PENALTY = 8 * LANES, 17 * LANES, 20 * LANES, 21 * LANES
_SEES, _WITHIN, _BEST = 22 * LANES, 23 * LANES, 24 * LANES
NOW, LEAST = (24 + MOST_COUNTED) * LANES, (27 + MOST_COUNTED) * LANES
"""The plane that a lane has, and its cost."""
ROWS = 28 + MOST_COUNTED

_F32, _I32, _U64 = np.float32, np.int32, np.uint64
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_NEAR_ZERO = np.float32(1e-6)
_LEVELS = np.float32(65535)


@kernel
def pack(worker, workers, grey, height, width, words):
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
def window_of(grey, active, offsets, contrast, lanes, weights, centred):
    """Weights (their sum is 1) and weighted, centred grey ``[tap, lane]`` of reference windows.

    A tap weighs ``1 / (1 + (difference from the centre / contrast)^2)``, and nothing off the mask.
    """
    height, width = grey.shape
    taps = len(offsets) // 2
    for i in range(LANES):
        x, y = _I32(lanes[X + i]), _I32(lanes[Y + i])
        centre, total, total_grey = grey[y, x], _ZERO, _ZERO
        for tap in range(taps):
            u, v = x + _I32(offsets[2 * tap]), y + _I32(offsets[2 * tap + 1])
            weight, value = _ZERO, centre
            if u >= 0 and u < width and v >= 0 and v < height and active[v, u]:
                value = grey[v, u]
                difference = (value - centre) / contrast
                weight = _ONE / (_ONE + difference * difference)
            weights[index(tap * LANES + i)] = weight
            centred[index(tap * LANES + i)] = value
            total += weight
            total_grey += weight * value
        average, spread = total_grey / total, _ZERO
        share = _ONE / total
        for tap in range(taps):
            weight = weights[index(tap * LANES + i)] * share
            value = centred[index(tap * LANES + i)] - average
            weights[index(tap * LANES + i)] = weight
            centred[index(tap * LANES + i)] = weight * value
            spread += weight * value * value
        lanes[MEAN + i], lanes[VARIANCE + i] = average, spread


@kernel
def _homographies(path, s, lanes):
    """The homography of each lane's plane about its pixel: value, and change along x and y."""
    for k in range(3):
        a, b, c, shift = path[s, 3 * k], path[s, 3 * k + 1], path[s, 3 * k + 2], path[s, 9 + k]
        row = _AT + 3 * k * LANES
        for i in range(LANES):
            value = a * lanes[index(X + i)] + b * lanes[index(Y + i)] + c
            lanes[index(row + i)] = value + shift * lanes[index(TRIED + i)]
            lanes[index(row + LANES + i)] = a + shift * lanes[index(TRIED + LANES + i)]
            lanes[index(row + 2 * LANES + i)] = b + shift * lanes[index(TRIED + 2 * LANES + i)]


@kernel
def _visible(path, s, last_x, last_y, stride, lens, lanes, cells):
    """Which lanes' planes a source may see from their front, and the pixels they fall on."""
    fx, fy, cx, cy = lens[0], lens[1], lens[2], lens[3]
    ox, oy, oz = fx * path[s, 12], fy * path[s, 13], path[s, 14]
    for i in range(LANES):
        z = lanes[index(_AT + 6 * LANES + i)]
        gx, gy = lanes[index(TRIED + LANES + i)], lanes[index(TRIED + 2 * LANES + i)]
        left, up = lanes[index(X + i)] - cx, lanes[index(Y + i)] - cy
        side = gx * ox + gy * oy + (lanes[index(TRIED + i)] - gx * left - gy * up) * oz
        inverse = _ONE / max(z, _NEAR_ZERO)
        x = lanes[index(_AT + i)] * inverse + _HALF
        y = lanes[index(_AT + 3 * LANES + i)] * inverse + _HALF
        lies = x >= _ZERO and y >= _ZERO and x < last_x + _ONE and y < last_y + _ONE
        lanes[index(_WITHIN + i)] = _ONE if lies else _ZERO
        lanes[index(_SEES + i)] = _ONE if z > _NEAR_ZERO and side < _ONE else _ZERO
        u, v = (x, y) if lies else (_ZERO, _ZERO)  # also where x or y is no number
        cells[index(i)] = _I32(v) * stride + _I32(u)


@kernel
def _off_mask(inside, first, cells, off_mask, lanes):
    """Planes that fall off a source's mask are not seen by it, and pay for it."""
    for i in range(LANES):
        hit = _ONE if inside[index(first + cells[index(i)])] else _ZERO
        lanes[index(_SEES + i)] *= lanes[index(_WITHIN + i)] * hit
        lanes[index(_PENALTY + i)] += off_mask * (lanes[index(_WITHIN + i)] * (_ONE - hit))


@kernel
def _window_sums(
    offsets, last_x, last_y, stride, words, first, weights, centred, fractions, places, found,
    pairs, lanes,
):  # fmt: skip
    """Sums of the correlation of all lanes' windows with a source; ``pairs`` views ``found``."""
    taps = len(offsets) // 2
    for lane in range(0, LANES, VECTOR):
        place_taps(  # pyright: ignore[reportCallIssue]
            lanes, _AT + lane, offsets, START, taps, last_x, last_y, stride,
            places, lane, fractions, lane,
        )  # fmt: skip
    for i in range(taps * LANES):
        found[index(i)] = words[index(first + places[index(i)])]
    for lane in range(0, LANES, VECTOR):
        sum_taps(  # pyright: ignore[reportCallIssue]
            pairs, 2 * lane, fractions, lane, weights, lane, centred, lane, lanes, MEAN + lane,
            taps, lanes, _SUMS + lane,
        )  # fmt: skip


@kernel
def _keep_best(noise, counted, lanes):
    """1 - NCC of all lanes, at most 1, sorted into the best so far, the least first."""
    for i in range(LANES):
        mean = lanes[index(_SUMS + i)]
        spread = max(lanes[index(_SUMS + LANES + i)] - mean * mean, _ZERO) + noise
        product = (lanes[index(VARIANCE + i)] + noise) * spread
        alike = lanes[index(_SUMS + 2 * LANES + i)] / np.float32(math.sqrt(product))
        lanes[index(_SINGLE + i)] = _ONE - max(alike, _ZERO) * lanes[index(_SEES + i)]
    for k in range(counted):
        best = _BEST + k * LANES
        for i in range(LANES):
            now, new = lanes[index(best + i)], lanes[index(_SINGLE + i)]
            lanes[index(best + i)] = min(now, new)
            lanes[index(_SINGLE + i)] = max(now, new)


@kernel
def score(
    offsets, weights, centred, words, inside, heights, widths, stride, path, lens, noise, counted,
    off_mask, fractions, places, found, lanes,
):  # fmt: skip
    """Cost of the plane that each lane tries: the mean of its best sources, and their penalties.

    ``words`` and ``inside`` hold the sources one after the other; ``path[s, 15]`` is turn, shift
    and centre of :class:`neus.ops.stereo.Sources`. ``fractions``, ``places`` and ``found`` are
    scratch.
    """
    pairs, size = found.view(np.uint32), len(words) // len(path)
    for i in range(LANES):
        lanes[index(_PENALTY + i)] = _ZERO
        for k in range(counted):
            lanes[index(_BEST + k * LANES + i)] = _ONE
    for s in range(len(path)):
        last_x, last_y = _F32(widths[s] - 1), _F32(heights[s] - 1)
        _homographies(path, s, lanes)
        _visible(path, s, last_x, last_y, stride, lens, lanes, places)
        _off_mask(inside, s * size, places, off_mask, lanes)
        _window_sums(
            offsets, last_x, last_y, stride, words, s * size, weights, centred, fractions, places,
            found, pairs, lanes,
        )  # fmt: skip
        _keep_best(noise, counted, lanes)
    for i in range(LANES):
        total = _ZERO
        for k in range(counted):
            total += lanes[index(_BEST + k * LANES + i)]
        lanes[index(COST + i)] = total / _F32(counted) + lanes[index(_PENALTY + i)]
