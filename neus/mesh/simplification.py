"""Fewer triangles, of which no edge has more than two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.mesh.triangles import Mesh

if TYPE_CHECKING:
    from jaxtyping import Float, Int

NEIGHBOURS = 3
HASTE = (7, 9, 11)
"""How fast the error that a collapse may make grows; the second and third where faces are left."""


def simplified(mesh: Mesh, most: int, workers: int = 1) -> Mesh:
    """About so many faces at most, with normals and colours of the full mesh's nearest vertices.

    Every edge of the result has one face or two, which run along it in opposite directions, as
    unwrapping needs it.

    Args:
        mesh: in any frame; with no more faces than ``most`` it is only made manifold.
        workers: threads.
    """
    vertices, faces = collapsed(mesh, most)
    vertices, faces = _used(vertices, manifold(vertices, faces))
    return Mesh(vertices, faces, *_looks(mesh, vertices, workers))


def collapsed(mesh: Mesh, most: int) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """Vertices and faces after collapses of edges (Garland and Heckbert, SIGGRAPH 1997).

    A mesh that has no more than ``most`` faces stays as it is; one whose faces would turn over as
    edges collapse keeps more.
    """
    import fast_simplification

    if len(mesh.faces) <= most:
        return _used(np.asarray(mesh.vertices, np.float64), mesh.faces)
    middle = mesh.vertices.mean(axis=0)  # float32 is fine about it, far from the origin it is not
    points, faces = (mesh.vertices - middle).astype(np.float32), mesh.faces.astype(np.int32)
    for haste in HASTE:
        points, faces = fast_simplification.simplify(points, faces, target_count=most, agg=haste)  # pyright: ignore
        if len(faces) <= most:
            break
    return _used(points.astype(np.float64) + middle, faces)


def _used(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    used, places = np.unique(faces, return_inverse=True)
    return vertices[used], places.reshape(-1, 3)


def manifold(
    vertices: Float[np.ndarray, "v 3"], faces: Int[np.ndarray, "f 3"]
) -> Int[np.ndarray, "g 3"]:
    """The faces without those that are needles of no area, or share a directed edge with another.

    Of several faces that run along an edge in the same direction, the largest stays.
    """
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    areas = np.linalg.norm(np.cross(b - a, c - a), axis=1)
    faces, areas = faces[areas > 0], areas[areas > 0]
    faces = faces[np.argsort(-areas, kind="stable")].astype(np.int64)
    while True:
        starts, ends = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
        keys = starts * (int(faces.max(initial=0)) + 1) + ends
        _, first = np.unique(keys, return_index=True)  # of equal ones the first, so the largest
        is_second = np.ones(len(keys), bool)
        is_second[first] = False
        bad = is_second.reshape(-1, 3).any(axis=1)
        if not bad.any():
            return faces
        faces = faces[~bad]


def _looks(
    mesh: Mesh, points: Float[np.ndarray, "n 3"], workers: int
) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Normals and colours of a mesh at points beside it, means of its nearest vertices."""
    from scipy.spatial import KDTree

    if not len(points) or (mesh.normals is None and mesh.colours is None):
        return None, None
    count = min(NEIGHBOURS, len(mesh.vertices))
    near = KDTree(mesh.vertices).query(points, k=count, workers=workers)[1].reshape(-1, count)
    normals = colours = None
    if mesh.normals is not None:
        sums = mesh.normals[near].sum(axis=1)
        lengths = np.linalg.norm(sums, axis=1, keepdims=True)
        normals = np.where(
            lengths > 1e-6, sums / np.maximum(lengths, 1e-6), mesh.normals[near[:, 0]]
        )
    if mesh.colours is not None:
        colours = np.rint(mesh.colours[near].mean(axis=1)).astype(np.uint8)
    return normals, colours
