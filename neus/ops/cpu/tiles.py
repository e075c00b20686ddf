"""Between arrays ``[channel, n]`` and tiles ``[channel, TILE]``, which are flat."""

from __future__ import annotations

import numpy as np

from neus.ops.cpu.compilation import index, kernel
from neus.ops.cpu.vector_code import TILE


@kernel
def load_channels(source, first, tile, at):
    """``source[c, first + i]`` to the rows of a tile from ``at`` on; zeros past the last sample."""
    count = min(TILE, source.shape[1] - first)
    for c in range(source.shape[0]):
        row = at + c * TILE
        for i in range(count):
            tile[index(row + i)] = source[c, index(first + i)]
        for i in range(count, TILE):
            tile[index(row + i)] = np.float32(0)


@kernel
def store_channels(tile, at, first, target):
    """The rows of a tile from ``at`` on to ``target[c, first + i]``."""
    count = min(TILE, target.shape[1] - first)
    for c in range(target.shape[0]):
        row = at + c * TILE
        for i in range(count):
            target[c, index(first + i)] = tile[index(row + i)]


@kernel
def load_points(x, tile, channels, inputs):
    """``x[n, 3]`` to the first rows of tile ``tile`` of ``inputs``, zeros in the rest."""
    first, at = tile * TILE, tile * channels * TILE
    count = min(TILE, x.shape[0] - first)
    for i in range(channels * TILE):
        inputs[index(at + i)] = np.float32(0)
    for i in range(count):
        for k in range(3):
            inputs[index(at + k * TILE + i)] = x[first + i, k]
