"""Exact distances from points to a triangle mesh, through a tree of bounding boxes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neus.metrics.boxes import box_tree, morton_codes, nearest_search

if TYPE_CHECKING:
    from jaxtyping import Float, Int

LEAF = 4
"""Triangles under one leaf of the tree."""


@dataclass(frozen=True)
class TriangleTree:
    """A tree of boxes (`neus.metrics.boxes`) over triangles in Morton order.

    Attributes:
        corners: ``[f, 3, 3]`` the triangles in Morton order of their centroids.
        faces: ``[f]`` where each of them stood in the mesh.
        lower, upper: ``[nodes, 3]`` boxes; those of empty leaves are at infinity.
    """

    corners: Float[np.ndarray, "f 3 3"]
    faces: Int[np.ndarray, "f"]
    lower: Float[np.ndarray, "nodes 3"]
    upper: Float[np.ndarray, "nodes 3"]

    @classmethod
    def build(cls, triangles: Float[np.ndarray, "f 3 3"]) -> TriangleTree:
        faces = np.argsort(morton_codes(triangles.mean(axis=1)), kind="stable")
        corners = np.ascontiguousarray(triangles[faces], dtype=np.float64)
        lower, upper = box_tree(corners.min(axis=1), corners.max(axis=1), LEAF)
        return cls(corners, faces, lower, upper)

    def query(
        self, points: Float[np.ndarray, "n 3"], workers: int = 1
    ) -> tuple[Float[np.ndarray, "n"], Int[np.ndarray, "n"]]:
        """Distance of each point to the nearest triangle, and the index of that triangle."""
        points = np.asarray(points, dtype=np.float64)
        order = np.argsort(morton_codes(points))
        chunks = np.array_split(points[order], max(1, min(workers, len(points))))
        with ThreadPoolExecutor(len(chunks)) as pool:
            found = list(pool.map(self._query_chunk, chunks))
        distances, positions = np.empty(len(points)), np.empty(len(points), np.int64)
        distances[order], positions[order] = (
            np.concatenate(parts) for parts in zip(*found, strict=True)
        )
        return distances, self.faces[positions]

    def _query_chunk(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        squared = np.empty(len(points))
        positions = np.zeros(len(points), np.int64)
        _nearest(points, self.corners, self.lower, self.upper, np.inf, squared, positions)
        return np.sqrt(squared), positions


@njit(nogil=True)
def _squared_to_triangle(p, corners):
    """To the plane where the foot of the perpendicular lies inside, else to the nearest edge.

    Triangles without area count as their edges.
    """
    a, b, c = corners[0], corners[1], corners[2]
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    acx, acy, acz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    apx, apy, apz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    nx, ny, nz = aby * acz - abz * acy, abz * acx - abx * acz, abx * acy - aby * acx
    area2_squared = nx * nx + ny * ny + nz * nz
    if area2_squared > 0.0:
        # The foot's barycentric weights of c and b: (ab x ap).n / n.n and (ap x ac).n / n.n.
        weight_c = (
            (aby * apz - abz * apy) * nx
            + (abz * apx - abx * apz) * ny
            + (abx * apy - aby * apx) * nz
        ) / area2_squared
        weight_b = (
            (apy * acz - apz * acy) * nx
            + (apz * acx - apx * acz) * ny
            + (apx * acy - apy * acx) * nz
        ) / area2_squared
        if weight_c >= 0.0 and weight_b >= 0.0 and weight_b + weight_c <= 1.0:
            height = apx * nx + apy * ny + apz * nz
            return height * height / area2_squared
    return min(
        _squared_to_segment(p, a, b), _squared_to_segment(p, b, c), _squared_to_segment(p, c, a)
    )


@njit(nogil=True)
def _squared_to_segment(p, a, b):
    abx, aby, abz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    apx, apy, apz = p[0] - a[0], p[1] - a[1], p[2] - a[2]
    length_squared = abx * abx + aby * aby + abz * abz
    t = 0.0
    if length_squared > 0.0:
        t = min(max((apx * abx + apy * aby + apz * abz) / length_squared, 0.0), 1.0)
    dx, dy, dz = apx - t * abx, apy - t * aby, apz - t * abz
    return dx * dx + dy * dy + dz * dz


_nearest = nearest_search(_squared_to_triangle, LEAF)
