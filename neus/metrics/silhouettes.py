"""What a camera sees of a mesh: the face at each pixel, and with it the mesh's silhouette."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.mesh.rasterising import rasterised
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
    height, width = int(cameras.heights[index]), int(cameras.widths[index])
    if surface.faces is None:
        return np.full((height, width), -1, np.int32)
    pixels, depth = cameras.project(index, surface.vertices)
    return rasterised(pixels, depth, surface.faces, height, width)[0]


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
