"""numba kernels of the SDF network with its gradient, fused over tiles of samples.

The notation is that of ``neus.ops.reference.networks``: inputs u_0 = [x; E(x)], layers z_i = W_i
u_{i-1} + b_i, u_i = softplus(z_i) with slopes s_i, the chain v_D = W[0], q_i = v_i s_i, v_{i-1} =
W_i^T q_i. A tile stays in the processor's cache from the first layer to the last.

All arrays over samples are flat, tile after tile: ``inputs``, ``to_inputs`` and ``inputs_bar`` hold
``channels`` rows a tile, ``values``, ``slopes`` and ``chains`` (v_1 to v_D) ``layers * width``.
Networks are given packed (see ``networks``): layer i begins at ``starts[i]`` of ``forward`` (W_i)
and of ``backward`` (W_i^T); channel counts are padded.
"""

from __future__ import annotations

import numpy as np

from neus.ops.cpu.activation_kernels import multiply_elements, softplus, softplus_backward
from neus.ops.cpu.compilation import index, kernel
from neus.ops.cpu.products import accumulate, accumulate_rows, multiply
from neus.ops.cpu.tiles import load_channels, store_channels
from neus.ops.cpu.vector_code import START, TILE

_ZERO, _HALF = np.float32(0), np.float32(0.5)


@kernel
def evaluate(
    worker, workers, inputs, jacobian, forward, backward, starts, biases, top_row, shape, sharpness,
    values, slopes, chains, to_inputs, out, gradient,
):  # fmt: skip
    """Fill ``out[o, n]``, ``gradient[3, n]`` and what the backward pass needs.

    ``shape`` is (tiles, channels, layers, width, outputs); one worker is the work of one thread.
    """
    tiles, channels, layers, width, outputs = shape
    size = width * TILE
    z, none = np.empty(size, np.float32), np.zeros(max(channels, width), np.float32)
    result = np.empty(outputs * TILE, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        here, at = tile * layers * size, tile * channels * TILE
        last = here + (layers - 1) * size
        for layer in range(layers):
            below, below_at, inner = values, here + (layer - 1) * size, width
            if layer == 0:
                below, below_at, inner = inputs, at, channels
            multiply(
                forward, starts[layer], biases, layer * width, width, inner, below, below_at,
                z, START,
            )  # fmt: skip
            softplus(z, sharpness, size, values, slopes, here + layer * size)
        multiply(
            forward, starts[layers], biases, layers * width, outputs, width, values, last,
            result, START,
        )  # fmt: skip
        store_channels(result, START, tile * TILE, out)

        _spread(top_row, width, chains, last)
        for layer in range(layers - 1, -1, -1):
            below, below_at, rows = chains, here + (layer - 1) * size, width
            if layer == 0:
                below, below_at, rows = to_inputs, at, channels
            multiply_elements(chains, here + layer * size, slopes, here + layer * size, size, z)
            multiply(
                backward, starts[layer], none, START, rows, width, z, START, below, below_at
            )  # fmt: skip
        _apply_transposed(to_inputs, at, jacobian, tile, channels, z)
        store_channels(z, START, tile * TILE, gradient)


@kernel
def evaluate_distance(worker, workers, inputs, forward, starts, biases, shape, sharpness, distance):
    """Fill ``distance[1, n]``, the first output, alone: ``outputs`` is one quad of rows."""
    tiles, channels, layers, width, outputs = shape
    z, slope = np.empty(width * TILE, np.float32), np.empty(width * TILE, np.float32)
    value, result = np.empty(width * TILE, np.float32), np.empty(outputs * TILE, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        below, below_at, inner = inputs, tile * channels * TILE, channels
        for layer in range(layers):
            multiply(
                forward, starts[layer], biases, layer * width, width, inner, below, below_at,
                z, START,
            )  # fmt: skip
            softplus(z, sharpness, width * TILE, value, slope, START)
            below, below_at, inner = value, START, width
        multiply(
            forward,
            starts[layers],
            biases,
            layers * width,
            outputs,
            width,
            value,
            START,
            result,
            START,
        )
        store_channels(result, START, tile * TILE, distance)


@kernel
def evaluate_backward(
    worker, workers, inputs, jacobian, forward, backward, starts, shape, sharpness,
    values, slopes, chains, out_bar, gradient_bar,
    inputs_bar, directions, weight_totals, bias_totals, top_totals,
):  # fmt: skip
    """Fill ``inputs_bar`` and, worker by worker, the sums of the gradients of weights and biases.

    ``directions``, three rows a tile, takes g_bar / 2, in which J was taken; ``top_totals`` takes
    what the last layer's first row gets as the start of the chain.
    """
    tiles, channels, layers, width, outputs = shape
    size = width * TILE
    weight_total, bias_total = weight_totals[worker], bias_totals[worker]
    chain_bars = np.empty(max(size, channels * TILE), np.float32)
    sloped_bars, q = np.empty(layers * size, np.float32), np.empty(size, np.float32)
    value_bar, none = np.empty(size, np.float32), np.zeros(max(channels, width), np.float32)
    result_bar = np.zeros(outputs * TILE, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        here, at = tile * layers * size, tile * channels * TILE
        load_channels(gradient_bar, tile * TILE, chain_bars, START)
        _apply(jacobian, tile, channels, chain_bars, directions)
        for layer in range(layers):
            s, inner = here + layer * size, channels if layer == 0 else width
            multiply(
                forward, starts[layer], none, START, width, inner, chain_bars, START, sloped_bars,
                layer * size,
            )  # fmt: skip
            multiply_elements(chains, s, slopes, s, size, q)
            accumulate(q, START, width, chain_bars, START, inner, weight_total, starts[layer])
            multiply_elements(sloped_bars, layer * size, slopes, s, size, chain_bars)
        accumulate_rows(chain_bars, START, width, top_totals[worker], START)

        load_channels(out_bar, tile * TILE, result_bar, START)
        last, start = here + (layers - 1) * size, starts[layers]
        accumulate(result_bar, START, outputs, values, last, width, weight_total, start)
        accumulate_rows(result_bar, START, outputs, bias_total, layers * size)
        multiply(backward, start, none, START, width, outputs, result_bar, START, value_bar, START)
        for layer in range(layers - 1, -1, -1):
            s, start = here + layer * size, starts[layer]
            below, below_at, inner = values, s - size, width
            bar, bar_at = value_bar, 0
            if layer == 0:
                below, below_at, inner = inputs, at, channels
                bar, bar_at = inputs_bar, at
            softplus_backward(
                slopes, s, value_bar, chains, s, sloped_bars, layer * size, sharpness, size, q
            )
            accumulate_rows(q, START, width, bias_total, layer * size)
            accumulate(q, START, width, below, below_at, inner, weight_total, start)
            multiply(backward, start, none, START, inner, width, q, START, bar, bar_at)


@kernel
def _apply_transposed(to_inputs, at, jacobian, tile, channels, gradient):
    """g = v_0[x] + J^T v_0[E] / 2; the half turns units of the grid into those of the scene."""
    features = jacobian.shape[1]
    for k in range(3):
        row = k * TILE
        for i in range(TILE):
            gradient[index(row + i)] = _ZERO
        for c in range(features):
            weights = at + (3 + c) * TILE
            for i in range(TILE):
                weight = to_inputs[index(weights + i)]
                gradient[index(row + i)] += weight * jacobian[tile, c, k, i]
        for i in range(TILE):
            direct = to_inputs[index(at + row + i)]
            gradient[index(row + i)] = direct + _HALF * gradient[index(row + i)]


@kernel
def _apply(jacobian, tile, channels, chain_bar, directions):
    """[g_bar; J g_bar / 2; 0] from g_bar in the first rows of ``chain_bar``."""
    features, at = jacobian.shape[1], 3 * tile * TILE
    for i in range(3 * TILE):
        directions[index(at + i)] = _HALF * chain_bar[i]
    for c in range(features):
        row = (3 + c) * TILE
        for i in range(TILE):
            chain_bar[index(row + i)] = (
                jacobian[tile, c, 0, i] * directions[index(at + i)]
                + jacobian[tile, c, 1, i] * directions[index(at + TILE + i)]
                + jacobian[tile, c, 2, i] * directions[index(at + 2 * TILE + i)]
            )
    for i in range((3 + features) * TILE, channels * TILE):
        chain_bar[i] = _ZERO


@kernel
def _spread(row, width, chains, at):
    """The last layer's first row, the start of the gradient's chain, for every sample of a tile."""
    for c in range(width):
        weight = row[c] if c < len(row) else _ZERO
        for i in range(TILE):
            chains[index(at + c * TILE + i)] = weight
