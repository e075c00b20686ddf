"""numba kernels of the hash grid: encoding with and without its Jacobian, and the scatter.

Samples lie in tiles (see ``vector_code``): ``inputs[tile, channel, sample]`` holds the position, in
scene coordinates, in its first three channels and the features after them. A tile is worked on in
passes: one computes rows and fractions, one gathers, one interpolates. Only the gather is scalar;
the others vectorise.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.cpu.tiles import load_points
from neus.ops.grid import HASH_PRIMES

_PRIME_Y, _PRIME_Z = nb.uint32(HASH_PRIMES[1]), nb.uint32(HASH_PRIMES[2])
_I32, _U32, _F32 = nb.int32, nb.uint32, nb.float32
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)


@kernel
def encode(
    worker, workers, x, table, scale, resolution, dense, offsets, mask, levels, inputs, jacobian
):
    """Fill ``inputs`` from ``x[n, 3]`` and, unless it is empty, ``jacobian[tile, c, 3, sample]``.

    ``table`` holds the two features of a row as one 64-bit word. The Jacobian is with respect to
    the grid's coordinates. Each thread takes one slab of tiles through all levels in turn, so that
    threads share the cache lines of one level at a time.
    """
    tiles, channels, samples = inputs.shape
    flat = inputs.reshape(-1)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        load_points(x, tile, channels, flat)
    corner = np.empty((8, samples), np.uint32)
    fraction = np.empty((3, samples), np.float32)
    words = np.empty((8, samples), np.uint64)
    values = words.view(np.float32).reshape(8, samples, 2)
    for level in range(levels):
        entries = table[offsets[level] : offsets[level + 1]]
        for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
            _locate(
                inputs[tile], scale[level], resolution[level], dense[level], len(entries),
                mask, corner, fraction,
            )  # fmt: skip
            for c in range(8):
                for i in range(samples):
                    words[c, i] = entries[corner[c, i]]
            if len(jacobian):
                _interpolate_with_slopes(
                    values, fraction, scale[level], level, inputs[tile], jacobian[tile]
                )
            else:
                _interpolate(values, fraction, level, inputs[tile])


@kernel
def scatter(
    worker, workers, inputs, inputs_bar, to_inputs, directions,
    scale, resolution, dense, offsets, mask, levels, gradient,
):  # fmt: skip
    """Add ``<dy, dE/dtable> + <gy, dJ/dtable v>`` to ``gradient``; one thread owns one level.

    dy and gy are the feature channels of ``inputs_bar`` and ``to_inputs``, v is
    ``directions[tile, 3, sample]`` in grid coordinates. No two threads write to the same row, so
    the result is the same in every run.
    """
    # Levels are dealt out in turn, so that every worker gets cheap coarse and costly fine ones.
    for level in range(worker, levels, workers):
        scatter_level(
            inputs, inputs_bar, to_inputs, directions, level,
            scale[level], resolution[level], dense[level], mask,
            gradient[offsets[level] : offsets[level + 1]],
        )  # fmt: skip


@kernel
def scatter_level(
    inputs, inputs_bar, to_inputs, directions, level, scale, resolution, dense, mask, gradient
):
    """One level of :func:`scatter`, into the level's rows."""
    samples = inputs.shape[2]
    corner = np.empty((8, samples), np.uint32)
    fraction = np.empty((3, samples), np.float32)
    update = np.empty((8, samples, 2), np.float32)
    first = 3 + 2 * level
    for tile in range(len(inputs)):
        _locate(inputs[tile], scale, resolution, dense, len(gradient), mask, corner, fraction)
        _updates(
            inputs_bar[tile], to_inputs[tile], directions[tile], first, fraction, scale, update
        )
        for i in range(samples):
            for c in range(8):
                row = corner[c, i]
                gradient[row, 0] += update[c, i, 0]
                gradient[row, 1] += update[c, i, 1]


@kernel
def _locate(positions, scale, resolution, dense, rows, mask, corner, fraction):
    """Rows (within the level) of the 8 corners and the fractions of a tile of points."""
    samples = positions.shape[1]
    cell = np.empty((3, samples), np.int32)
    for k in range(3):
        for i in range(samples):
            unit = min(max(_HALF * positions[k, i] + _HALF, _ZERO), _ONE)
            place = unit * scale + _HALF
            cell[k, i] = _I32(place)
            fraction[k, i] = place - _F32(_I32(place))
    if dense:
        _direct_rows(cell, resolution, rows, corner)
    else:
        _hashed_rows(cell, mask, corner)


@kernel
def _direct_rows(cell, resolution, rows, corner):
    rows, side, plane = _I32(rows), _I32(resolution), _I32(resolution * resolution)
    for c in range(8):
        shift = _I32((c & 1) + (c >> 1 & 1) * side + (c >> 2) * plane)
        for i in range(cell.shape[1]):
            row = _I32(_I32(cell[0, i] + shift) + _I32(side * cell[1, i]))
            row = _I32(row + _I32(plane * cell[2, i]))
            corner[c, i] = _U32(_I32(row - rows)) if row >= rows else _U32(row)


@kernel
def _hashed_rows(cell, mask, corner):
    for c in range(8):
        dx, dy, dz = _U32(c & 1), _U32(c >> 1 & 1), _U32(c >> 2)
        for i in range(cell.shape[1]):
            hy = _U32(_U32(_U32(cell[1, i]) + dy) * _PRIME_Y)
            hz = _U32(_U32(_U32(cell[2, i]) + dz) * _PRIME_Z)
            corner[c, i] = (_U32(_U32(cell[0, i]) + dx) ^ hy ^ hz) & mask


@kernel
def _interpolate(value, fraction, level, inputs):
    """Trilinear features from the corners' values, x varying fastest."""
    for f in range(2):
        for i in range(fraction.shape[1]):
            fx, fy, fz = fraction[0, i], fraction[1, i], fraction[2, i]
            e0 = value[0, i, f] + fx * (value[1, i, f] - value[0, i, f])
            e1 = value[2, i, f] + fx * (value[3, i, f] - value[2, i, f])
            e2 = value[4, i, f] + fx * (value[5, i, f] - value[4, i, f])
            e3 = value[6, i, f] + fx * (value[7, i, f] - value[6, i, f])
            lower, upper = e0 + fy * (e1 - e0), e2 + fy * (e3 - e2)
            inputs[3 + 2 * level + f, i] = lower + fz * (upper - lower)


@kernel
def _interpolate_with_slopes(value, fraction, scale, level, inputs, jacobian):
    """:func:`_interpolate`, and the derivatives along the three axes."""
    for f in range(2):
        for i in range(fraction.shape[1]):
            fx, fy, fz = fraction[0, i], fraction[1, i], fraction[2, i]
            dx0, dx1 = value[1, i, f] - value[0, i, f], value[3, i, f] - value[2, i, f]
            dx2, dx3 = value[5, i, f] - value[4, i, f], value[7, i, f] - value[6, i, f]
            e0, e1 = value[0, i, f] + fx * dx0, value[2, i, f] + fx * dx1
            e2, e3 = value[4, i, f] + fx * dx2, value[6, i, f] + fx * dx3
            dy0, dy1 = e1 - e0, e3 - e2
            lower, upper = e0 + fy * dy0, e2 + fy * dy1
            inputs[3 + 2 * level + f, i] = lower + fz * (upper - lower)
            low, high = dx0 + fy * (dx1 - dx0), dx2 + fy * (dx3 - dx2)
            jacobian[2 * level + f, 0, i] = scale * (low + fz * (high - low))
            jacobian[2 * level + f, 1, i] = scale * (dy0 + fz * (dy1 - dy0))
            jacobian[2 * level + f, 2, i] = scale * (upper - lower)


@kernel
def _updates(dy, gy, v, first, fraction, scale, update):
    """What each corner's row receives: ``weight dy + (slope of the weight along v) gy``.

    The level's channels of dy and gy begin at ``first``.
    """
    for c in range(8):
        for i in range(fraction.shape[1]):
            wx = fraction[0, i] if c & 1 else _ONE - fraction[0, i]
            wy = fraction[1, i] if c & 2 else _ONE - fraction[1, i]
            wz = fraction[2, i] if c & 4 else _ONE - fraction[2, i]
            sx = v[0, i] if c & 1 else -v[0, i]
            sy = v[1, i] if c & 2 else -v[1, i]
            sz = v[2, i] if c & 4 else -v[2, i]
            weight = wx * wy * wz
            slope = scale * (sx * wy * wz + wx * (sy * wz + sz * wy))
            update[c, i, 0] = weight * dy[first, i] + slope * gy[first, i]
            update[c, i, 1] = weight * dy[first + 1, i] + slope * gy[first + 1, i]
