"""numba kernels along rays: marching through the occupancy grid and compositing."""

from __future__ import annotations

import math

import numba as nb

from neus.ops.cpu.compilation import kernel
from neus.ops.types import EMPTY, INSIDE

_F32 = nb.float32


@kernel
def march(worker, workers, origins, directions, occupancy, step, jitter, counts, distances):
    """Write the sample distances of every ray to its row of ``distances`` and their number."""
    resolution = occupancy.shape[0]
    last, half = resolution - 1, _F32(0.5)
    size = _F32(resolution)
    rays = origins.shape[0]
    for ray in range(worker * rays // workers, (worker + 1) * rays // workers):
        ox, oy, oz = origins[ray, 0], origins[ray, 1], origins[ray, 2]
        dx, dy, dz = directions[ray, 0], directions[ray, 1], directions[ray, 2]
        middle = -(ox * dx + oy * dy + oz * dz)
        squared = middle * middle - (ox * ox + oy * oy + oz * oz) + _F32(1)
        taken = 0
        if squared > 0:
            chord = _F32(math.sqrt(squared))
            far = middle + chord
            near = max(middle - chord, _F32(0))
            for index in range(distances.shape[1]):
                t = near + step * (jitter[ray] + _F32(index))
                if t >= far:
                    break
                i = min(max(int(((ox + dx * t) * half + half) * size), 0), last)
                j = min(max(int(((oy + dy * t) * half + half) * size), 0), last)
                k = min(max(int(((oz + dz * t) * half + half) * size), 0), last)
                state = occupancy[i, j, k]
                if state == INSIDE:
                    break
                if state != EMPTY:
                    distances[ray, taken] = t
                    taken += 1
        counts[ray] = taken


@kernel
def pack(distances, offsets, ray_index, t):
    """Gather the rows of ``distances`` into one list, ray by ray."""
    for ray in range(len(offsets) - 1):
        begin = offsets[ray]
        for sample in range(offsets[ray + 1] - begin):
            t[begin + sample] = distances[ray, sample]
            ray_index[begin + sample] = ray


@kernel
def composite(alpha, values, offsets, weights, transmittance, sums):
    for ray in range(len(offsets) - 1):
        through = _F32(1)
        for c in range(values.shape[0]):
            sums[ray, c] = _F32(0)
        for i in range(offsets[ray], offsets[ray + 1]):
            weight = alpha[i] * through
            through *= _F32(1) - alpha[i]
            weights[i] = weight
            for c in range(values.shape[0]):
                sums[ray, c] += weight * values[c, i]
        transmittance[ray] = through


@kernel
def composite_backward(
    alpha, values, offsets, weights, weights_bar, transmittance_bar, sums_bar, alpha_bar, values_bar
):
    """Gradients of :func:`composite` without a division, so that alpha = 1 is exact.

    With G_i the gradient with respect to weight i and S_i = G_{i+1} alpha_{i+1} + (1 - alpha_{i+1})
    S_{i+1}, what all later samples make of the light that passes sample i:
    d/d alpha_i = T_i (G_i - S_i).
    """
    for ray in range(len(offsets) - 1):
        through = _F32(1)
        for i in range(offsets[ray], offsets[ray + 1]):
            alpha_bar[i] = through
            through *= _F32(1) - alpha[i]
        later = transmittance_bar[ray]
        for i in range(offsets[ray + 1] - 1, offsets[ray] - 1, -1):
            weight_bar = weights_bar[i]
            for c in range(values.shape[0]):
                weight_bar += sums_bar[ray, c] * values[c, i]
                values_bar[c, i] = sums_bar[ray, c] * weights[i]
            alpha_bar[i] *= weight_bar - later
            later = weight_bar * alpha[i] + (_F32(1) - alpha[i]) * later
