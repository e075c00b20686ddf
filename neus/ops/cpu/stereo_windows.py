"""numba kernels that score planes: the window of a reference pixel under a plane, in each source.

``LANES`` pixels are worked on side by side, one hypothesis each. A source's pictures are packed: a
64-bit word holds a pixel and its three neighbours to the right and below, 16 bits each, so that a
tap reads once. Where the taps lie and what they sum up to is computed in vectors
(``stereo_vectors``); only the reading is scalar.
"""

from __future__ import annotations

import math

import numpy as np

from neus.ops.cpu.compilation import index, kernel
from neus.ops.cpu.stereo_vectors import LANES, VECTOR, place_taps, sum_taps
from neus.ops.cpu.vector_code import START
from neus.ops.stereo import MOST_COUNTED

_F32, _I32, _U64 = np.float32, np.int32, np.uint64
_ZERO, _ONE, _HALF = np.float32(0), np.float32(1), np.float32(0.5)
_NEAR_ZERO = np.float32(1e-6)
_LEVELS = np.float32(65535)
_MOST = MOST_COUNTED
ROWS = 20 + _MOST
"""Rows of LANES numbers that :func:`score` needs besides those of the taps."""


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
def window_of(grey, active, pixels, offsets, contrast, weights, centred, mean, variance):
    """Weights (their sum is 1) and weighted, centred grey ``[tap, lane]`` of reference windows.

    ``offsets[taps, 2]`` holds the taps' (dx, dy).

    A tap weighs ``1 / (1 + (difference from the centre / contrast)^2)``, and nothing off the mask.
    """
    height, width = grey.shape
    for i in range(LANES):
        x, y = pixels[i] % width, pixels[i] // width
        centre, total, total_grey = grey[y, x], _ZERO, _ZERO
        for tap in range(len(offsets)):
            u, v = x + _I32(offsets[tap, 0]), y + _I32(offsets[tap, 1])
            weight, value = _ZERO, centre
            if u >= 0 and u < width and v >= 0 and v < height and active[v, u]:
                value = grey[v, u]
                difference = (value - centre) / contrast
                weight = _ONE / (_ONE + difference * difference)
            weights[tap, i] = weight
            centred[tap, i] = value
            total += weight
            total_grey += weight * value
        average, spread = total_grey / total, _ZERO
        for k in range(len(offsets)):
            weight, value = weights[k, i] / total, centred[k, i] - average
            weights[k, i] = weight
            centred[k, i] = weight * value
            spread += weight * value * value
        mean[i], variance[i] = average, spread


@kernel
def _window_sums(
    at, offsets, taps, right, bottom, stride, words, weights, centred, mean, scratch, places, found,
    pairs, sums,
):  # fmt: skip
    """Sums of the correlation of all lanes' windows with a source; ``pairs`` views ``found``."""
    for lane in range(0, LANES, VECTOR):
        place_taps(  # pyright: ignore[reportCallIssue]
            at, lane, offsets, START, taps, right, bottom, stride, places, lane, scratch, lane
        )  # fmt: skip
    for i in range(taps * LANES):
        found[index(i)] = words[index(places[index(i)])]
    for lane in range(0, LANES, VECTOR):
        sum_taps(  # pyright: ignore[reportCallIssue]
            pairs, 2 * lane, scratch, lane, weights, lane, centred, lane, mean, lane, taps,
            sums, lane,
        )  # fmt: skip


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
    px, py, planes, at, last_x, last_y, stride, focal, principal, centre, sees, within, cells
):
    """Which lanes' planes a source may see from their front, and the pixels they fall on."""
    for i in range(LANES):
        z = at[index(6 * LANES + i)]
        gx, gy = planes[index(LANES + i)], planes[index(2 * LANES + i)]
        left, up = px[index(i)] - principal[0], py[index(i)] - principal[1]
        side = focal[0] * gx * centre[0] + focal[1] * gy * centre[1]
        side += (planes[index(i)] - gx * left - gy * up) * centre[2]
        sees[index(i)] = _ONE if z > _NEAR_ZERO and side < _ONE else _ZERO
        inverse = _ONE / max(z, _NEAR_ZERO)
        x, y = at[index(i)] * inverse + _HALF, at[index(3 * LANES + i)] * inverse + _HALF
        u, v = min(max(x, _ZERO), last_x), min(max(y, _ZERO), last_y)
        lies = x >= _ZERO and y >= _ZERO and x < last_x + _ONE and y < last_y + _ONE
        within[index(i)] = _ONE if lies else _ZERO
        cells[index(i)] = _I32(v) * stride + _I32(u)


@kernel
def _masked(inside, cells, within, off_mask, sees, penalty, hit):
    """Planes that fall off a source's mask are not seen by it, and pay for it."""
    for i in range(LANES):
        hit[index(i)] = _ONE if inside[index(cells[index(i)])] else _ZERO
    for i in range(LANES):
        sees[index(i)] *= within[index(i)] * hit[index(i)]
        penalty[index(i)] += off_mask * (within[index(i)] * (_ONE - hit[index(i)]))


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
def _keep_best(counted, single, best):
    """Sort a cost a lane into the rows of the best so far, the least first."""
    for k in range(counted):
        for i in range(LANES):
            now, new = best[index(k * LANES + i)], single[index(i)]
            best[index(k * LANES + i)] = min(now, new)
            single[index(i)] = max(now, new)


@kernel
def score(
    px, py, planes, offsets, weights, centred, mean, variance, words, inside, heights, widths, turn,
    shift, centres, focal, principal, noise, counted, off_mask, rows, fractions, places, found,
    cost,
):  # fmt: skip
    """Cost of one plane a lane: the mean of its best ``counted`` sources, and their penalties.

    ``planes[3 * LANES]`` holds inverse depths and their two slopes; ``rows``, ``fractions``,
    ``places`` and ``found`` are scratch.
    """
    at, sums = rows[0 : 9 * LANES], rows[9 * LANES : 12 * LANES]
    single, penalty = rows[12 * LANES : 13 * LANES], rows[13 * LANES : 14 * LANES]
    sees, within = rows[14 * LANES : 15 * LANES], rows[15 * LANES : 16 * LANES]
    hit, best = rows[16 * LANES : 17 * LANES], rows[17 * LANES :]
    taps, stride, pairs = len(offsets), _I32(words.shape[2]), found.view(np.uint32)
    best[:] = _ONE
    penalty[:] = _ZERO
    for s in range(len(words)):
        last_x, last_y = _F32(widths[s] - 1), _F32(heights[s] - 1)
        _homographies(px, py, planes, turn[s], shift[s], at)
        _visible(
            px, py, planes, at, last_x, last_y, stride, focal, principal, centres[s], sees, within,
            places,
        )  # fmt: skip
        _masked(inside[s].reshape(-1), places, within, off_mask, sees, penalty, hit)
        _window_sums(
            at, offsets.reshape(-1), taps, last_x, last_y, stride, words[s].reshape(-1), weights,
            centred, mean, fractions, places, found, pairs, sums,
        )  # fmt: skip
        _unlikeness(sums, variance, noise, sees, single)
        _keep_best(counted, single, best)
    for i in range(LANES):
        total = _ZERO
        for k in range(counted):
            total += best[k * LANES + i]
        cost[i] = total / _F32(counted) + penalty[i]
