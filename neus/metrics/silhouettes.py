"""What a camera sees of a mesh: the face at each pixel, and with it the mesh's silhouette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neus.metrics.geometry import Surface

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from neus.scene import Cameras


def visible_faces(surface: Surface, cameras: Cameras, index: int) -> Int[np.ndarray, "h w"]:
    """The face that each pixel of camera ``index`` sees at its centre; -1 where there is none.

    Faces that reach behind the camera are left out.

    Args:
        surface: a mesh in the frame of ``cameras``.
    """
    faces = np.full((int(cameras.heights[index]), int(cameras.widths[index])), -1, np.int32)
    if surface.faces is not None:
        pixels, depth = cameras.project(index, surface.vertices)
        _rasterise(pixels, depth, np.asarray(surface.faces, np.int64), np.zeros(faces.shape), faces)
    return faces


def silhouette(surface: Surface, cameras: Cameras, index: int) -> Bool[np.ndarray, "h w"]:
    """Where camera ``index`` sees a mesh in its frame, at the centres of its pixels."""
    return visible_faces(surface, cameras, index) >= 0


def shaded(surface: Surface, cameras: Cameras, index: int) -> Float[np.ndarray, "h w"]:
    """A mesh lit by a lamp at camera ``index``, in [0, 1]; 1 where there is none."""
    seen = visible_faces(surface, cameras, index)
    a, b, c = np.moveaxis(surface.triangles, 1, 0)
    normals = np.cross(b - a, c - a)
    towards = cameras.centres[index] - a
    length = np.linalg.norm(normals, axis=1) * np.linalg.norm(towards, axis=1)
    light = np.abs((normals * towards).sum(axis=1)) / np.maximum(length, 1e-30)
    return np.where(seen >= 0, light[seen], 1.0)


@njit(cache=True)
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
