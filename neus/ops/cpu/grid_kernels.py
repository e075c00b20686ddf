"""numba kernels of the hash grid: encoding with its Jacobian, products with it, and the scatter.

Arrays are channel-major (``[channels, n]``), so that every inner loop runs over contiguous points
and vectorises. Points are taken in chunks: one pass computes rows and fractions, one gathers, one
interpolates; only the gather is scalar.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from neus.ops.grid import HASH_PRIMES

_CHUNK = 128
_PRIME_Y, _PRIME_Z = nb.uint32(HASH_PRIMES[1]), nb.uint32(HASH_PRIMES[2])
_I32, _U32, _F32 = nb.int32, nb.uint32, nb.float32

# No "nnan" and "ninf": a diverged run must show its NaN. No "reassoc": LLVM picks the vector or the
# scalar version of a loop by the addresses of its arrays, and both must round alike, or a run would
# not repeat bit for bit.
OPTIONS = {
    "cache": True,
    "fastmath": {"contract", "nsz"},
    "error_model": "numpy",
    "boundscheck": False,
}


@nb.njit(inline="always", **OPTIONS)
def _locate(x, first, count, scale, resolution, dense, rows, mask, corner, fraction):
    """Rows (within the level) of the 8 corners and the fractions of ``count`` points."""
    half = _F32(0.5)
    if dense:
        plane = _I32(resolution * resolution)
        for i in range(count):
            px = x[0, first + i] * scale + half
            py = x[1, first + i] * scale + half
            pz = x[2, first + i] * scale + half
            ix, iy, iz = _I32(px), _I32(py), _I32(pz)
            fraction[0, i], fraction[1, i], fraction[2, i] = px - ix, py - iy, pz - iz
            base = _I32(ix + iy * resolution + iz * plane)
            for c in range(8):
                row = _I32(base + (c & 1) + (c >> 1 & 1) * resolution + (c >> 2) * plane)
                corner[c, i] = row - rows if row >= rows else row
    else:
        for i in range(count):
            px = x[0, first + i] * scale + half
            py = x[1, first + i] * scale + half
            pz = x[2, first + i] * scale + half
            ix, iy, iz = _I32(px), _I32(py), _I32(pz)
            fraction[0, i], fraction[1, i], fraction[2, i] = px - ix, py - iy, pz - iz
            x0 = _U32(ix)
            x1 = _U32(x0 + _U32(1))
            y0 = _U32(_U32(iy) * _PRIME_Y)
            y1 = _U32(y0 + _PRIME_Y)
            z0 = _U32(_U32(iz) * _PRIME_Z)
            z1 = _U32(z0 + _PRIME_Z)
            corner[0, i] = _I32((x0 ^ y0 ^ z0) & mask)
            corner[1, i] = _I32((x1 ^ y0 ^ z0) & mask)
            corner[2, i] = _I32((x0 ^ y1 ^ z0) & mask)
            corner[3, i] = _I32((x1 ^ y1 ^ z0) & mask)
            corner[4, i] = _I32((x0 ^ y0 ^ z1) & mask)
            corner[5, i] = _I32((x1 ^ y0 ^ z1) & mask)
            corner[6, i] = _I32((x0 ^ y1 ^ z1) & mask)
            corner[7, i] = _I32((x1 ^ y1 ^ z1) & mask)


@nb.njit(inline="always", **OPTIONS)
def _interpolate(value, fraction, count, scale, first, features, jacobian):
    """Trilinear value and its gradient from corner values ``[8, chunk]``, x varying fastest."""
    for i in range(count):
        fx, fy, fz = fraction[0, i], fraction[1, i], fraction[2, i]
        dx0, dx1 = value[1, i] - value[0, i], value[3, i] - value[2, i]
        dx2, dx3 = value[5, i] - value[4, i], value[7, i] - value[6, i]
        e0, e1 = value[0, i] + fx * dx0, value[2, i] + fx * dx1
        e2, e3 = value[4, i] + fx * dx2, value[6, i] + fx * dx3
        dy0, dy1 = e1 - e0, e3 - e2
        lower, upper = e0 + fy * dy0, e2 + fy * dy1
        features[first + i] = lower + fz * (upper - lower)
        low, high = dx0 + fy * (dx1 - dx0), dx2 + fy * (dx3 - dx2)
        jacobian[0, first + i] = scale * (low + fz * (high - low))
        jacobian[1, first + i] = scale * (dy0 + fz * (dy1 - dy0))
        jacobian[2, first + i] = scale * (upper - lower)


@nb.njit(parallel=True, **OPTIONS)
def encode_with_jacobian(
    x, table, scale, resolution, dense, offsets, mask, slabs, features, jacobian
):
    """Fill ``features[2 l + f, n]`` and ``jacobian[2 l + f, 3, n]``.

    Each thread takes one slab of points through all levels in turn, so that threads share the
    cache lines of one level at a time.
    """
    points, levels = x.shape[1], features.shape[0] // 2
    for slab in nb.prange(slabs):
        corner = np.empty((8, _CHUNK), np.int32)
        fraction = np.empty((3, _CHUNK), np.float32)
        value = np.empty((2, 8, _CHUNK), np.float32)
        begin, end = slab * points // slabs, (slab + 1) * points // slabs
        for level in range(levels):
            entries = table[offsets[level] : offsets[level + 1]]
            rows = _I32(offsets[level + 1] - offsets[level])
            for first in range(begin, end, _CHUNK):
                count = min(_CHUNK, end - first)
                _locate(
                    x, first, count, scale[level], resolution[level], dense[level], rows, mask,
                    corner, fraction,
                )  # fmt: skip
                for c in range(8):
                    for i in range(count):
                        row = corner[c, i]
                        value[0, c, i] = entries[row, 0]
                        value[1, c, i] = entries[row, 1]
                for f in range(2):
                    channel = 2 * level + f
                    _interpolate(
                        value[f], fraction, count, scale[level], first,
                        features[channel], jacobian[channel],
                    )  # fmt: skip


@nb.njit(parallel=True, **OPTIONS)
def scatter(x, dy, gy, v, scale, resolution, dense, offsets, mask, order, gradient):
    """Add ``<dy, dE/dtable> + <gy, dJ/dtable v>`` to ``gradient``; one thread owns one level.

    No two threads write to the same row, so the result is the same in every run.
    """
    points = x.shape[1]
    one = _F32(1)
    for task in nb.prange(len(order)):
        level = order[task]
        rows_gradient = gradient[offsets[level] : offsets[level + 1]]
        rows = _I32(offsets[level + 1] - offsets[level])
        step = scale[level]
        corner = np.empty((8, _CHUNK), np.int32)
        fraction = np.empty((3, _CHUNK), np.float32)
        update = np.empty((8, 2, _CHUNK), np.float32)
        for first in range(0, points, _CHUNK):
            count = min(_CHUNK, points - first)
            _locate(
                x, first, count, step, resolution[level], dense[level], rows, mask,
                corner, fraction,
            )  # fmt: skip
            for c in range(8):
                for i in range(count):
                    n = first + i
                    wx = fraction[0, i] if c & 1 else one - fraction[0, i]
                    wy = fraction[1, i] if c & 2 else one - fraction[1, i]
                    wz = fraction[2, i] if c & 4 else one - fraction[2, i]
                    sx = step * v[0, n] if c & 1 else -step * v[0, n]
                    sy = step * v[1, n] if c & 2 else -step * v[1, n]
                    sz = step * v[2, n] if c & 4 else -step * v[2, n]
                    weight = wx * wy * wz
                    slope = sx * wy * wz + wx * (sy * wz + sz * wy)
                    channel = 2 * level
                    update[c, 0, i] = weight * dy[channel, n] + slope * gy[channel, n]
                    update[c, 1, i] = weight * dy[channel + 1, n] + slope * gy[channel + 1, n]
            for i in range(count):
                for c in range(8):
                    row = corner[c, i]
                    rows_gradient[row, 0] += update[c, 0, i]
                    rows_gradient[row, 1] += update[c, 1, i]


@nb.njit(parallel=True, **OPTIONS)
def jacobian_times(jacobian, v, product):
    """``product[c, n] = sum_k jacobian[c, k, n] v[k, n]``."""
    channels, _, points = jacobian.shape
    for c in nb.prange(channels):
        for n in range(points):
            product[c, n] = (
                jacobian[c, 0, n] * v[0, n]
                + jacobian[c, 1, n] * v[1, n]
                + jacobian[c, 2, n] * v[2, n]
            )


@nb.njit(parallel=True, **OPTIONS)
def times_jacobian(gy, jacobian, product):
    """``product[k, n] = sum_c gy[c, n] jacobian[c, k, n]``."""
    channels, _, points = jacobian.shape
    blocks = (points + 511) // 512
    for block in nb.prange(blocks):
        begin, end = block * 512, min(block * 512 + 512, points)
        for k in range(3):
            for n in range(begin, end):
                product[k, n] = _F32(0)
            for c in range(channels):
                for n in range(begin, end):
                    product[k, n] += gy[c, n] * jacobian[c, k, n]
