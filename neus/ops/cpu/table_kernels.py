"""numba kernel of the hash table's optimizer, fused with the scatter of its gradient."""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.cpu.grid_kernels import scatter_level

LINE = 16
"""Entries of a cache line, into which every level divides."""
_F32, _ZERO = nb.float32, np.float32(0)


@kernel
def scatter_and_step(
    worker, workers, inputs, inputs_bar, to_inputs, directions,
    scale, resolution, dense, offsets, mask, levels, scratch, values, first, second, constants,
):  # fmt: skip
    """Scatter a gradient as ``grid_kernels.scatter`` does, and take the step.

    A level's gradient lives in the worker's own ``scratch[worker]``, which is all zeros before and
    after and stays in the cache, while that of the whole table would go to memory and back.
    """
    # Levels are dealt out in turn, so that every worker gets cheap coarse and costly fine ones.
    for level in range(worker, levels, workers):
        begin, end = offsets[level], offsets[level + 1]
        gradient = scratch[worker, : end - begin]
        scatter_level(
            inputs, inputs_bar, to_inputs, directions, level,
            scale[level], resolution[level], dense[level], mask, gradient,
        )  # fmt: skip
        begin, end = 2 * begin // LINE, 2 * end // LINE
        _adam(
            values[begin:end], gradient.reshape(-1, LINE), first[begin:end],
            second[begin:end], constants,
        )  # fmt: skip


@kernel
def _adam(values, gradient, first, second, constants):
    """Adam on ``[line, LINE]`` arrays; clears ``gradient``. ``constants`` as in ``adam_step``."""
    first_rate, second_rate, rate = constants[0], constants[1], constants[2]
    root_scale, epsilon = constants[3], constants[4]
    for line in range(len(values)):
        for i in range(LINE):
            g = gradient[line, i]
            mean = first[line, i] + first_rate * (g - first[line, i])
            square = second[line, i] + second_rate * (g * g - second[line, i])
            first[line, i], second[line, i] = mean, square
            values[line, i] -= rate * mean / (_F32(math.sqrt(square)) * root_scale + epsilon)
            gradient[line, i] = _ZERO
