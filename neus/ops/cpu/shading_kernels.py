"""numba kernels from distance and gradient to opacity and colour, fused over tiles of samples.

Sections as in ``neus.ops.alpha``, colours by a network of ReLU layers and a sigmoid. Rows of
a tile of network inputs, in this order: the SDF network's output, the normal, the position, the
encoded viewing direction. Only the first two get gradients.
"""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from neus.ops.cpu.activation_kernels import one_minus_exp, relu, relu_backward, sigmoid
from neus.ops.cpu.compilation import index, inlined, kernel
from neus.ops.cpu.products import accumulate, accumulate_rows, multiply
from neus.ops.cpu.tiles import load_channels, store_channels
from neus.ops.cpu.vector_code import ROWS, START, TILE

_F32 = nb.float32
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_TINY = np.float32(1e-12)
_SOFTENING = np.float32(1e-5)
_Y, _Z, _NORM, _COSINE, _ALPHA, _GEOMETRY = (np.int64(TILE * i) for i in range(1, 7))
"""Where the rows of a tile's geometry begin, after that of the normal's x, and their size."""
_NORM_BAR, _ALPHA_BAR, _COSINE_BAR, _BARS = (np.int64(TILE * i) for i in range(4))
"""Where the gradients of the same begin."""


@kernel
def shade(
    worker, workers, out, gradient, x, ray_index, directions, encoded,
    count, step, inv_s, cos_anneal, forward, starts, biases, widths, values, alpha, colours, norms,
):  # fmt: skip
    """Fill ``norms[1, n]``, and for the first ``count`` samples ``alpha[1, m]``, ``colours[3, m]``.

    ``values`` takes the hidden layers' outputs for the backward pass, ``layers - 1`` tiles of the
    hidden width one after the other for each tile of samples; ``widths`` are the padded channel
    counts from the inputs to the colour.
    """
    tiles, layers = -(-gradient.shape[1] // TILE), len(starts)
    size = widths[1] * TILE
    inputs = np.zeros(widths[0] * TILE, np.float32)
    geometry = np.empty(_GEOMETRY, np.float32)
    result = np.empty(widths[layers] * TILE, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        first = tile * TILE
        _load_normals(gradient, first, geometry)
        store_channels(geometry, _NORM, first, norms)
        if first < count:
            _load_inputs(out, geometry, x, ray_index, encoded, first, inputs)
            _cosines(geometry, ray_index, directions, first)
            for i in range(TILE):
                previous, _, difference, _ = _section(
                    inputs[i], geometry[_COSINE + i], step, inv_s, cos_anneal
                )
                geometry[_ALPHA + i] = difference / (previous + _SOFTENING)
            store_channels(geometry, _ALPHA, first, alpha)
            here, bias = tile * (layers - 1) * size, START
            for layer in range(layers):
                rows, last = widths[layer + 1], layer == layers - 1
                below, below_at = (inputs, START) if layer == 0 else (values, here - size)
                above, above_at = (result, START) if last else (values, here)
                multiply(
                    forward, starts[layer], biases, bias, rows, widths[layer], below, below_at,
                    above, above_at,
                )  # fmt: skip
                if not last:
                    relu(values, here, size)
                here, bias = here + size, bias + rows
            for i in range(3 * TILE):
                result[i] = sigmoid(result[i])
            store_channels(result, START, first, colours)


@kernel
def shade_backward(
    worker, workers, out, gradient, x, ray_index, directions, encoded,
    count, step, inv_s, cos_anneal, forward, backward, starts, widths, values, colours,
    alpha_bar, colours_bar, norms_bar, out_bar, gradient_bar, inv_s_totals,
    weight_totals, bias_totals,
):  # fmt: skip
    """Fill ``out_bar``, ``gradient_bar`` and, worker by worker, the sums for the parameters."""
    tiles, layers, channels = -(-gradient.shape[1] // TILE), len(starts), out.shape[0]
    size, normal_at = widths[1] * TILE, channels * TILE
    # Of the inputs only the SDF's output and the normal are wanted.
    wanted = (channels + 3 + ROWS - 1) // ROWS * ROWS
    weight_total, bias_total = weight_totals[worker], bias_totals[worker]
    inputs = np.zeros(widths[0] * TILE, np.float32)
    inputs_bar = np.empty(wanted * TILE, np.float32)
    geometry = np.empty(_GEOMETRY, np.float32)
    bars = np.empty(_BARS, np.float32)
    result = np.zeros(3 * TILE, np.float32)
    widest = max(size, max(widths[0], widths[layers]) * TILE)
    bar, next_bar = np.zeros(widest, np.float32), np.empty(widest, np.float32)
    none, inv_s_total = np.zeros(widest, np.float32), np.zeros(TILE, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        first = tile * TILE
        _load_normals(gradient, first, geometry)
        load_channels(norms_bar, first, bars, _NORM_BAR)
        _clear(inputs_bar, START, wanted * TILE)
        if first < count:
            _load_inputs(out, geometry, x, ray_index, encoded, first, inputs)
            load_channels(colours, first, result, START)
            load_channels(colours_bar, first, bar, START)
            for i in range(3 * TILE):
                bar[i] *= result[i] * (_ONE - result[i])
            _clear(bar, 3 * TILE, widths[layers] * TILE)
            here, bias = ((tile + 1) * (layers - 1) - 1) * size, bias_total.size
            for layer in range(layers - 1, -1, -1):
                rows, inner, start = widths[layer + 1], widths[layer], starts[layer]
                below, below_at = (inputs, START) if layer == 0 else (values, here)
                bias -= rows * TILE
                accumulate(bar, START, rows, below, below_at, inner, weight_total, start)
                accumulate_rows(bar, START, rows, bias_total, bias)
                if layer == 0:
                    multiply(
                        backward, start, none, START, wanted, rows, bar, START, inputs_bar, START
                    )
                else:
                    multiply(backward, start, none, START, inner, rows, bar, START, next_bar, START)
                    relu_backward(values, here, size, next_bar)
                    bar, next_bar = next_bar, bar
                here -= size
            load_channels(alpha_bar, first, bars, _ALPHA_BAR)
            _cosines(geometry, ray_index, directions, first)
            _section_backward(
                inputs, geometry, bars, step, inv_s, cos_anneal, inputs_bar,
                inv_s_total,
            )  # fmt: skip
            for i in range(min(TILE, len(ray_index) - first)):
                ray = ray_index[first + i]
                for k in range(3):
                    along = bars[_COSINE_BAR + i] * directions[ray, k]
                    inputs_bar[normal_at + k * TILE + i] += along
        store_channels(inputs_bar, START, first, out_bar)
        _normalize_backward(geometry, bars, inputs_bar, normal_at)
        store_channels(inputs_bar, normal_at, first, gradient_bar)
    for i in range(TILE):
        inv_s_totals[worker] += inv_s_total[i]


@kernel
def _clear(tile, begin, end):
    for i in range(begin, end):
        tile[index(i)] = _ZERO


@kernel
def _load_normals(gradient, first, geometry):
    """Unit normals and norms of a tile of gradients."""
    load_channels(gradient, first, geometry, START)
    for i in range(TILE):
        x, y, z = geometry[i], geometry[_Y + i], geometry[_Z + i]
        length = _F32(math.sqrt(x * x + y * y + z * z + _TINY))
        inverse = _ONE / length
        geometry[i], geometry[_Y + i] = x * inverse, y * inverse
        geometry[_Z + i] = z * inverse
        geometry[_NORM + i] = length


@kernel
def _normalize_backward(geometry, bars, normals_bar, at):
    """Turn ``normals_bar`` into the gradient with respect to the vectors before normalisation."""
    for i in range(TILE):
        x, y, z = geometry[i], geometry[_Y + i], geometry[_Z + i]
        inverse = _ONE / geometry[_NORM + i]
        ix, iy, iz = index(at + i), index(at + TILE + i), index(at + 2 * TILE + i)
        bx, by, bz = normals_bar[ix], normals_bar[iy], normals_bar[iz]
        along = bars[_NORM_BAR + i] - inverse * (x * bx + y * by + z * bz)
        normals_bar[ix] = inverse * bx + along * x
        normals_bar[iy] = inverse * by + along * y
        normals_bar[iz] = inverse * bz + along * z


@kernel
def _load_inputs(out, geometry, x, ray_index, encoded, first, inputs):
    """[out; normal; x; encoded direction of the ray; 0] of a tile of samples."""
    normal_at = out.shape[0] * TILE
    load_channels(out, first, inputs, START)
    for k in range(3):
        row = normal_at + k * TILE
        for i in range(TILE):
            inputs[index(row + i)] = geometry[index(k * TILE + i)]
    for i in range(min(TILE, len(ray_index) - first)):
        place, ray = normal_at + 3 * TILE + i, ray_index[first + i]
        for k in range(3):
            inputs[place + k * TILE] = x[first + i, k]
        for c in range(encoded.shape[1]):
            inputs[place + (3 + c) * TILE] = encoded[ray, c]


@kernel
def _cosines(geometry, ray_index, directions, first):
    for i in range(min(TILE, len(ray_index) - first)):
        ray = ray_index[first + i]
        geometry[_COSINE + i] = (
            geometry[i] * directions[ray, 0]
            + geometry[_Y + i] * directions[ray, 1]
            + geometry[_Z + i] * directions[ray, 2]
        )


@inlined
def _section(sdf, cosine, step, inv_s, cos_anneal):
    """The logistic P and F at a section's ends, P - F, and half its length times the slope.

    P - F = P (1 - F) (1 - exp(2 inv_s half)): the difference of two nearly equal numbers, as a soft
    surface has them, would lose most of its digits.
    """
    softened = max(_HALF - _HALF * cosine, _ZERO)
    slope = -((_ONE - cos_anneal) * softened + cos_anneal * max(-cosine, _ZERO))
    half = slope * (_HALF * step)
    previous, following = sigmoid((sdf - half) * inv_s), sigmoid((sdf + half) * inv_s)
    beyond = sigmoid(-(sdf + half) * inv_s)
    return previous, following, previous * beyond * one_minus_exp(_F32(2) * half * inv_s), half


@kernel
def _section_backward(sdf, geometry, bars, step, inv_s, cos_anneal, sdf_bar, inv_s_total):
    """Backward of alpha = (P - F) / (P + e), with sums rearranged so that nothing cancels.

    At the section's ends alpha changes by ``start`` and ``end``, of opposite sign; their sum, by
    which it changes as both ends move, is (P - F) (e (1 - P - F) - P F) / (P + e)^2.
    """
    for i in range(TILE):
        cosine = geometry[_COSINE + i]
        previous, following, difference, half = _section(sdf[i], cosine, step, inv_s, cos_anneal)
        inverse = _ONE / (previous + _SOFTENING)
        bar = bars[_ALPHA_BAR + i] if difference > 0 else _ZERO
        start = (following + _SOFTENING) * inverse * inverse * previous * (_ONE - previous)
        end = -inverse * following * (_ONE - following)
        outside = _ONE - previous - following
        both = difference * inverse * inverse * (_SOFTENING * outside - previous * following)
        sdf_bar[i] += bar * both * inv_s
        inv_s_total[i] += bar * (both * sdf[i] + (end - start) * half)
        slope_bar = bar * (end - start) * inv_s * (_HALF * step)
        softened = _HALF * (_ONE - cos_anneal) if cosine < _ONE else _ZERO
        bars[_COSINE_BAR + i] = slope_bar * (softened + (cos_anneal if cosine < 0 else _ZERO))
