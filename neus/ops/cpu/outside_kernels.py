"""numba kernel that marches rays outside the unit sphere."""

from __future__ import annotations

import math

import numba as nb
import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.outside import MOST_DEPTH
from neus.ops.types import EMPTY

_F32 = nb.float32
_HALF, _ONE, _MOST_DEPTH = np.float32(0.5), np.float32(1), np.float32(MOST_DEPTH)


@kernel
def march_outside(
    worker, workers, origins, directions, occupancy, density, starts, shifts, growth, lit, ratio,
    counts, chosen,
):  # fmt: skip
    """Write the sections of every lit ray whose samples lie in occupied cells, and their number.

    ``chosen[ray]`` takes the indices into ``growth``; a sample lies at ``starts[ray] +
    shifts[ray] * growth[index] - 1``. Rays end at an optical depth of ``MOST_DEPTH``.
    """
    resolution = occupancy.shape[0]
    last, size = resolution - 1, _F32(resolution)
    rays = origins.shape[0]
    for ray in range(worker * rays // workers, (worker + 1) * rays // workers):
        taken, depth = 0, _F32(0)
        if lit[ray]:
            ox, oy, oz = origins[ray, 0], origins[ray, 1], origins[ray, 2]
            dx, dy, dz = directions[ray, 0], directions[ray, 1], directions[ray, 2]
            for section in range(len(growth)):
                scale = shifts[ray] * growth[section]
                t = starts[ray] + (scale - _ONE)
                x, y, z = ox + dx * t, oy + dy * t, oz + dz * t
                inverse = _ONE / max(_F32(math.sqrt(x * x + y * y + z * z)), _ONE)
                factor = inverse - _HALF * inverse * inverse
                i = min(max(int((x * factor * _HALF + _HALF) * size), 0), last)
                j = min(max(int((y * factor * _HALF + _HALF) * size), 0), last)
                k = min(max(int((z * factor * _HALF + _HALF) * size), 0), last)
                if occupancy[i, j, k] != EMPTY:
                    chosen[ray, taken] = section
                    taken += 1
                    depth += density[i, j, k] * (ratio * scale)
                    if depth >= _MOST_DEPTH:
                        break
        counts[ray] = taken
