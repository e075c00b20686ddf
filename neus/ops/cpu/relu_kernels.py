"""numba kernels of a network of ReLU layers, fused over tiles of samples.

``inputs`` are tiles one after the other, ``widths[0]`` channels each; ``values`` takes the hidden
layers' outputs for the backward pass, ``layers - 1`` tiles of the hidden width for each tile of
samples; ``widths`` are the padded channel counts from the inputs to the outputs.
"""

from __future__ import annotations

import numba as nb
import numpy as np

from neus.ops.cpu.activation_kernels import relu, relu_backward
from neus.ops.cpu.compilation import parallel_kernel
from neus.ops.cpu.products import accumulate, accumulate_rows, multiply
from neus.ops.cpu.tiles import load_channels, store_channels
from neus.ops.cpu.vector_code import TILE

_ZERO = np.float32(0)


@parallel_kernel
def relu_network(inputs, forward, starts, biases, widths, slabs, values, outputs):
    """Fill ``outputs[o, n]`` with what the last layer, which has no ReLU, makes of the inputs."""
    tiles, layers = -(-outputs.shape[1] // TILE), len(starts)
    size = widths[1] * TILE
    for slab in nb.prange(slabs):
        result = np.empty(widths[layers] * TILE, np.float32)
        for tile in range(slab * tiles // slabs, (slab + 1) * tiles // slabs):
            here, bias = tile * (layers - 1) * size, 0
            for layer in range(layers):
                rows, last = widths[layer + 1], layer == layers - 1
                below, below_at = (
                    (inputs, tile * widths[0] * TILE) if layer == 0 else (values, here - size)
                )
                above, above_at = (result, 0) if last else (values, here)
                multiply(
                    forward, starts[layer], biases, bias, rows, widths[layer], below, below_at,
                    above, above_at,
                )  # fmt: skip
                if not last:
                    relu(values, here, size)
                here, bias = here + size, bias + rows
            store_channels(result, 0, tile * TILE, outputs)


@parallel_kernel
def relu_network_backward(
    inputs, backward, starts, widths, wanted, slabs, values, outputs_bar, inputs_bar,
    weight_totals, bias_totals,
):  # fmt: skip
    """Fill the first ``wanted`` channels of every tile's inputs in ``inputs_bar``, which has no
    others, and, slab by slab, the sums for the parameters."""
    tiles, layers = -(-outputs_bar.shape[1] // TILE), len(starts)
    size = widths[1] * TILE
    for slab in nb.prange(slabs):
        weight_total, bias_total = weight_totals[slab], bias_totals[slab]
        bar, next_bar = np.zeros(widths.max() * TILE, np.float32), np.empty(size, np.float32)
        none = np.zeros(widths.max(), np.float32)
        for tile in range(slab * tiles // slabs, (slab + 1) * tiles // slabs):
            bar[: widths[layers] * TILE] = _ZERO
            load_channels(outputs_bar, tile * TILE, bar, 0)
            here, bias = ((tile + 1) * (layers - 1) - 1) * size, bias_total.size
            for layer in range(layers - 1, -1, -1):
                rows, inner, start = widths[layer + 1], widths[layer], starts[layer]
                below, below_at = (
                    (inputs, tile * widths[0] * TILE) if layer == 0 else (values, here)
                )
                bias -= rows * TILE
                accumulate(bar, 0, rows, below, below_at, inner, weight_total, start)
                accumulate_rows(bar, 0, rows, bias_total, bias)
                if layer == 0:
                    at = tile * wanted * TILE
                    multiply(backward, start, none, 0, wanted, rows, bar, 0, inputs_bar, at)
                else:
                    multiply(backward, start, none, 0, inner, rows, bar, 0, next_bar, 0)
                    relu_backward(values, here, size, next_bar)
                    bar[:size] = next_bar
                here -= size
