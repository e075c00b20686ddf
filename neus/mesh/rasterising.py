"""Which triangle lies at the centre of each pixel, and what its corners have there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def rasterised(
    pixels: Float[np.ndarray, "v 2"],
    depth: Float[np.ndarray, "v"],
    faces: Int[np.ndarray, "f 3"],
    height: int,
    width: int,
) -> tuple[Int[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """The nearest face at the centre of each pixel, -1 where there is none, and one over its depth.

    Faces that reach behind the camera are left out.

    Args:
        pixels: places of the vertices, the first pixel's centre being (0.5, 0.5).
        depth: of the vertices, along the optical axis.
    """
    seen, nearness = np.full((height, width), -1, np.int32), np.zeros((height, width))
    _rasterise(pixels, depth, np.asarray(faces, np.int64), nearness, seen)
    return seen, nearness


def interpolated(
    seen: Int[np.ndarray, "h w"],
    pixels: Float[np.ndarray, "v 2"],
    depth: Float[np.ndarray, "v"],
    faces: Int[np.ndarray, "f 3"],
    values: Float[np.ndarray, "v c"],
) -> Float[np.ndarray, "n c"]:
    """What vertices have, between them, at the pixels where ``seen`` names a face, row by row.

    It is linear on the faces, not in the image: the arguments are those of :func:`rasterised`.
    """
    rows, columns = np.nonzero(seen >= 0)
    found = np.empty((len(rows), values.shape[1]), np.float32)
    faces = np.asarray(faces, np.int64)
    _interpolate(seen, rows, columns, pixels, depth, faces, np.asarray(values, np.float64), found)
    return found


@njit(cache=True, nogil=True)
def _interpolate(seen, rows, columns, pixels, depth, faces, values, found):
    for n in range(len(rows)):
        i, j, k = faces[seen[rows[n], columns[n]]]
        ax, ay = pixels[i, 0], pixels[i, 1]
        bx, by = pixels[j, 0] - ax, pixels[j, 1] - ay
        cx, cy = pixels[k, 0] - ax, pixels[k, 1] - ay
        x, y, area = columns[n] + 0.5 - ax, rows[n] + 0.5 - ay, bx * cy - by * cx
        v, w = (x * cy - y * cx) / area, (bx * y - by * x) / area
        a, b, c = (1 - v - w) / depth[i], v / depth[j], w / depth[k]
        for channel in range(values.shape[1]):
            mixed = a * values[i, channel] + b * values[j, channel] + c * values[k, channel]
            found[n, channel] = mixed / (a + b + c)


@njit(cache=True, nogil=True)
def _rasterise(pixels, depth, faces, nearness, seen):
    """Paint faces into ``seen``; ``nearness`` [h, w], one over depth, is linear in the image."""
    height, width = seen.shape
    for face in range(len(faces)):
        i, j, k = faces[face]
        if depth[i] <= 0 or depth[j] <= 0 or depth[k] <= 0:
            continue
        ax, ay = pixels[i, 0], pixels[i, 1]
        bx, by = pixels[j, 0] - ax, pixels[j, 1] - ay
        cx, cy = pixels[k, 0] - ax, pixels[k, 1] - ay
        area = bx * cy - by * cx
        if area == 0:
            continue
        left = max(0, int(np.ceil(ax + min(0.0, bx, cx) - 0.5)))
        right = min(width - 1, int(np.floor(ax + max(0.0, bx, cx) - 0.5)))
        top = max(0, int(np.ceil(ay + min(0.0, by, cy) - 0.5)))
        bottom = min(height - 1, int(np.floor(ay + max(0.0, by, cy) - 0.5)))
        for row in range(top, bottom + 1):
            for column in range(left, right + 1):
                x, y = column + 0.5 - ax, row + 0.5 - ay
                v, w = (x * cy - y * cx) / area, (bx * y - by * x) / area
                u = 1 - v - w
                if u >= 0 and v >= 0 and w >= 0:
                    near = u / depth[i] + v / depth[j] + w / depth[k]
                    if near > nearness[row, column]:
                        nearness[row, column] = near
                        seen[row, column] = face
