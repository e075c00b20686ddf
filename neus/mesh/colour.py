"""Normals and colours of vertices, from the fields that the surface came from."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neus.images import to_uint8

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

Gradient = Callable[[np.ndarray], np.ndarray]
Colour = Callable[[np.ndarray, np.ndarray], np.ndarray]


def vertex_colours(
    vertices: Float[np.ndarray, "v 3"],
    normals: Float[np.ndarray, "v 3"],
    colour: Colour,
    *,
    batch: int = 2**18,
    advance: Callable[[float], None] = lambda share: None,
) -> UInt8[np.ndarray, "v 3"]:
    """Ask ``colour`` at every vertex, at most ``batch`` at a time.

    Args:
        vertices: in the scene frame.
        normals: unit vectors that point outwards, scene frame.
        colour: takes ``[n, 3]`` float32 points and normals to ``[n, 3]`` display-referred RGB in
            [0, 1].
        batch: the most points in one call of ``colour``.
        advance: is told which share is done.
    """
    colours = np.empty((len(vertices), 3), np.uint8)
    advance(0.0)
    for start in range(0, len(vertices), batch):
        part = slice(start, start + batch)
        points, directions = vertices[part].astype(np.float32), normals[part].astype(np.float32)
        colours[part] = to_uint8(np.asarray(colour(points, directions)))
        advance(min(part.stop / len(vertices), 1.0))
    return colours


def normals_from_gradient(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    gradient: Gradient,
    *,
    batch: int = 2**18,
    advance: Callable[[float], None] = lambda share: None,
) -> Float[np.ndarray, "v 3"]:
    """Unit normals along the SDF's gradient; where it vanishes, :func:`normals_from_faces`.

    Args:
        vertices: in the scene frame.
        faces: counter-clockwise from outside.
        gradient: takes ``[n, 3]`` float32 points to the ``[n, 3]`` gradient of the SDF.
        batch: the most points in one call of ``gradient``.
        advance: is told which share is done.
    """
    normals = np.empty((len(vertices), 3))
    advance(0.0)
    for start in range(0, len(vertices), batch):
        part = slice(start, start + batch)
        normals[part] = gradient(vertices[part].astype(np.float32))
        advance(min(part.stop / len(vertices), 1.0))
    lengths = np.linalg.norm(normals, axis=1, keepdims=True)
    vanishing = ~(lengths[:, 0] > 1e-6)  # true for a length that is not a number, too
    normals = np.divide(normals, lengths, where=lengths > 1e-6, out=np.zeros_like(normals))
    if vanishing.any():
        normals[vanishing] = normals_from_faces(vertices, faces)[vanishing]
    return normals


def normals_from_faces(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Float[np.ndarray, "v 3"]:
    """Unit normals of vertices: the mean of their faces' normals, weighted by area.

    A vertex without a face of any area gets the normal +z.
    """
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    doubled_area = np.cross(b - a, c - a)
    corners, count = faces.ravel(), len(vertices)
    total = np.stack(
        [np.bincount(corners, np.repeat(component, 3), count) for component in doubled_area.T],
        axis=1,
    )
    lengths = np.linalg.norm(total, axis=1, keepdims=True)
    upwards = np.broadcast_to([0.0, 0.0, 1.0], total.shape).copy()
    return np.divide(total, lengths, where=lengths > 0, out=upwards)
