"""numba kernels of a network of ReLU layers, fused over tiles of samples.

``inputs`` are tiles one after the other, ``widths[0]`` channels each; ``values`` takes the hidden
layers' outputs for the backward pass, ``layers - 1`` tiles of the hidden width for each tile of
samples; ``widths`` are the padded channel counts from the inputs to the outputs.
"""

from __future__ import annotations

import numpy as np

from neus.ops.cpu.activation_kernels import relu, relu_backward
from neus.ops.cpu.compilation import index, kernel
from neus.ops.cpu.products import accumulate, accumulate_rows, multiply
from neus.ops.cpu.tiles import load_channels, store_channels
from neus.ops.cpu.vector_code import START, TILE

_ZERO = np.float32(0)


@kernel
def relu_network(
    worker, workers, inputs, forward, starts, biases, widths, values, outputs
):  # fmt: skip
    """Fill ``outputs[o, n]`` with what the last layer, which has no ReLU, makes of the inputs."""
    tiles, layers = -(-outputs.shape[1] // TILE), len(starts)
    size = widths[1] * TILE
    result = np.empty(widths[layers] * TILE, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        here, bias = tile * (layers - 1) * size, START
        for layer in range(layers):
            rows, last = widths[layer + 1], layer == layers - 1
            below, below_at = (
                (inputs, tile * widths[0] * TILE) if layer == 0 else (values, here - size)
            )
            above, above_at = (result, START) if last else (values, here)
            multiply(
                forward, starts[layer], biases, bias, rows, widths[layer], below, below_at,
                above, above_at,
            )  # fmt: skip
            if not last:
                relu(values, here, size)
            here, bias = here + size, bias + rows
        store_channels(result, START, tile * TILE, outputs)


@kernel
def relu_network_backward(
    worker, workers, inputs, backward, starts, widths, wanted, values, outputs_bar, inputs_bar,
    weight_totals, bias_totals,
):  # fmt: skip
    """Fill the first ``wanted`` channels of every tile's inputs in ``inputs_bar``, which has no
    others, and, slab by slab, the sums for the parameters."""
    tiles, layers = -(-outputs_bar.shape[1] // TILE), len(starts)
    size = widths[1] * TILE
    weight_total, bias_total = weight_totals[worker], bias_totals[worker]
    widest = max(size, widths[0] * TILE, widths[layers] * TILE)
    bar, next_bar = np.zeros(widest, np.float32), np.empty(widest, np.float32)
    none = np.zeros(widest, np.float32)
    for tile in range(worker * tiles // workers, (worker + 1) * tiles // workers):
        for i in range(widths[layers] * TILE):
            bar[index(i)] = _ZERO
        load_channels(outputs_bar, tile * TILE, bar, START)
        here, bias = ((tile + 1) * (layers - 1) - 1) * size, bias_total.size
        for layer in range(layers - 1, -1, -1):
            rows, inner, start = widths[layer + 1], widths[layer], starts[layer]
            below, below_at = (inputs, tile * widths[0] * TILE) if layer == 0 else (values, here)
            bias -= rows * TILE
            accumulate(bar, START, rows, below, below_at, inner, weight_total, start)
            accumulate_rows(bar, START, rows, bias_total, bias)
            if layer == 0:
                at = tile * wanted * TILE
                multiply(backward, start, none, START, wanted, rows, bar, START, inputs_bar, at)
            else:
                multiply(backward, start, none, START, inner, rows, bar, START, next_bar, START)
                relu_backward(values, here, size, next_bar)
                bar, next_bar = next_bar, bar
            here -= size
