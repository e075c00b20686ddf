"""What one view says of texels, and what all of them agree on, compiled."""

from __future__ import annotations

import numpy as np
from numba import njit

LEAST_COSINE = 0.2
"""Of the angle between normal and view, below which a view is too slanted."""
BEHIND = 0.003
"""Relative depth by which a texel may lie behind what is seen at its place."""
OFF = 20.0
"""Of 255: a view may differ from the median by this, or by three times the median difference."""


@njit(cache=True, nogil=True)
def look(
    start,
    stop,
    points,
    normals,
    to_pixels,
    centre,
    focal,
    nearness,
    trust,
    photo,
    weights,
    seen,
):
    """Put a view's weight and colour in place of the least of those kept for texels of a slice.

    Args:
        points, normals: ``[n, 3]`` of the texels, in the scene frame.
        to_pixels: ``[3, 4]`` intrinsics times world-to-camera; ``focal`` in pixels.
        nearness, trust: ``[h, w]`` one over depth, and how much pixels count.
        photo: ``[h, w, 3]`` bytes.
        weights, seen: ``[n, b]`` and ``[n, b, 3]``, changed in place; weight 0 is a free place.
    """
    height, width = nearness.shape
    for n in range(start, stop):
        x, y, z = points[n]
        depth = to_pixels[2, 0] * x + to_pixels[2, 1] * y + to_pixels[2, 2] * z + to_pixels[2, 3]
        if depth <= 0:
            continue
        column = to_pixels[0, 0] * x + to_pixels[0, 1] * y + to_pixels[0, 2] * z + to_pixels[0, 3]
        row = to_pixels[1, 0] * x + to_pixels[1, 1] * y + to_pixels[1, 2] * z + to_pixels[1, 3]
        column, row = column / depth - 0.5, row / depth - 0.5  # from the first pixel's centre
        if column < 0 or row < 0 or column > width - 1 or row > height - 1:
            continue
        tx, ty, tz = centre[0] - x, centre[1] - y, centre[2] - z
        distance = np.sqrt(tx * tx + ty * ty + tz * tz)
        cosine = (tx * normals[n, 0] + ty * normals[n, 1] + tz * normals[n, 2]) / distance
        if cosine < LEAST_COSINE:
            continue
        i, j = min(int(row), height - 2), min(int(column), width - 2)
        s, t = column - j, row - i
        near = _between(nearness, i, j, s, t)
        if depth * near > 1 + BEHIND:
            continue
        weight = _between(trust, i, j, s, t) * (cosine * focal / distance) ** 2
        least = 0
        for b in range(1, weights.shape[1]):
            if weights[n, b] < weights[n, least]:
                least = b
        if weight > weights[n, least]:
            weights[n, least] = weight
            for c in range(3):
                seen[n, least, c] = np.uint8(np.rint(_between(photo[:, :, c], i, j, s, t)))


@njit(cache=True, nogil=True)
def _between(image, i, j, s, t):
    """Bilinear, ``s`` of the way from column j to the next, ``t`` of that from row i."""
    upper = (1 - s) * image[i, j] + s * image[i, j + 1]
    lower = (1 - s) * image[i + 1, j] + s * image[i + 1, j + 1]
    return (1 - t) * upper + t * lower


@njit(cache=True, nogil=True)
def blend(start, stop, weights, seen, rest, found):
    """The weighted mean of the views that agree and, with weight ``rest``, of what is in ``found``.

    A view is left out that differs in a channel from the views' median by more than `OFF`, and by
    more than three times the median of such differences. Of two views nobody knows which is right.
    """
    most = weights.shape[1]
    values, off = np.empty(most), np.empty(most)
    for n in range(start, stop):
        count = 0
        off[:] = 0
        for c in range(3):
            count = 0
            for b in range(most):
                if weights[n, b] > 0:
                    values[count] = seen[n, b, c]
                    count += 1
            if count == 0:
                break
            middle = _median(values, count)
            for b in range(most):
                off[b] = max(off[b], abs(seen[n, b, c] - middle))
        if count == 0:
            continue
        count = 0
        for b in range(most):
            if weights[n, b] > 0:
                values[count] = off[b]
                count += 1
        limit = max(OFF, 3 * _median(values, count)) if count > 2 else 255.0
        total = rest
        red, green, blue = rest * found[n, 0], rest * found[n, 1], rest * found[n, 2]
        for b in range(most):
            weight = weights[n, b] if off[b] <= limit else 0.0
            total += weight
            red += weight * seen[n, b, 0]
            green += weight * seen[n, b, 1]
            blue += weight * seen[n, b, 2]
        found[n, 0] = np.uint8(np.rint(red / total))
        found[n, 1] = np.uint8(np.rint(green / total))
        found[n, 2] = np.uint8(np.rint(blue / total))


@njit(cache=True, nogil=True)
def _median(values, count):
    """The lower median of the first ``count`` values, which are sorted in place."""
    for i in range(1, count):
        value, j = values[i], i - 1
        while j >= 0 and values[j] > value:
            values[j + 1] = values[j]
            j -= 1
        values[j + 1] = value
    return values[(count - 1) // 2]
