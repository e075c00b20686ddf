"""Exact distances from points to a triangle mesh, through a tree of bounding boxes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from jaxtyping import Float, Int

LEAF = 4
"""Triangles under one leaf of the tree."""


@dataclass(frozen=True)
class TriangleTree:
    """A complete binary tree of boxes over triangles in Morton order.

    Node 1 is the root, the children of node i are 2 i and 2 i + 1, and the last half of the nodes
    are leaves of ``LEAF`` triangles each, so that the tree needs no links.

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
        faces = np.argsort(_morton_codes(triangles.mean(axis=1)), kind="stable")
        corners = np.ascontiguousarray(triangles[faces], dtype=np.float64)
        leaves = 1
        while leaves * LEAF < len(corners):
            leaves *= 2
        lower = _boxes(corners.min(axis=1), leaves, np.minimum, np.inf)
        upper = _boxes(corners.max(axis=1), leaves, np.maximum, -np.inf)
        upper[np.isneginf(upper)] = np.inf
        return cls(corners, faces, lower, upper)

    def query(
        self, points: Float[np.ndarray, "n 3"], workers: int = 1
    ) -> tuple[Float[np.ndarray, "n"], Int[np.ndarray, "n"]]:
        """Distance of each point to the nearest triangle, and the index of that triangle."""
        points = np.asarray(points, dtype=np.float64)
        order = np.argsort(_morton_codes(points))
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
        _nearest(points, self.corners, self.lower, self.upper, squared, positions)
        return np.sqrt(squared), positions


def _boxes(bounds: np.ndarray, leaves: int, join: np.ufunc, empty: float) -> np.ndarray:
    """Fill the tree from its leaves to its root with one side of the bounding boxes."""
    padded = np.full((leaves * LEAF, 3), empty)
    padded[: len(bounds)] = bounds
    nodes = np.full((2 * leaves, 3), empty)
    nodes[leaves:] = join.reduce(padded.reshape(leaves, LEAF, 3), axis=1)
    while leaves > 1:
        nodes[leaves // 2 : leaves] = join(
            nodes[leaves : 2 * leaves : 2], nodes[leaves + 1 : 2 * leaves : 2]
        )
        leaves //= 2
    return nodes


def _morton_codes(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, "n"]:
    """Interleave 21 bits of each coordinate: neighbours in the code are neighbours in space."""
    low = points.min(axis=0)
    extent = float(np.ptp(points, axis=0).max()) or 1.0
    grid = ((points - low) / extent * (2**21 - 1)).astype(np.uint64)
    for shift, kept in (
        (32, 0x1F00000000FFFF),
        (16, 0x1F0000FF0000FF),
        (8, 0x100F00F00F00F00F),
        (4, 0x10C30C30C30C30C3),
        (2, 0x1249249249249249),
    ):
        grid = (grid | grid << np.uint64(shift)) & np.uint64(kept)
    return grid[:, 0] | grid[:, 1] << np.uint64(1) | grid[:, 2] << np.uint64(2)


@njit(nogil=True)
def _nearest(points, corners, lower, upper, squared, positions):
    """Branch and bound, the nearer child first.

    The triangle that was nearest to the last point bounds the search for the next. The slack keeps
    that triangle itself in the running, so that no answer depends on the points before it.
    """
    first_leaf = len(lower) // 2
    nodes = np.empty(64, np.int64)
    node_squared = np.empty(64)
    found = 0
    for i in range(len(points)):
        point = points[i]
        best = _squared_to_triangle(point, corners[found]) * (1 + 1e-9) + 1e-300
        depth = 1
        nodes[0], node_squared[0] = 1, 0.0
        while depth > 0:
            depth -= 1
            if node_squared[depth] >= best:
                continue
            node = nodes[depth]
            if node >= first_leaf:
                start = (node - first_leaf) * LEAF
                for j in range(start, min(start + LEAF, len(corners))):
                    distance = _squared_to_triangle(point, corners[j])
                    if distance < best:
                        best, found = distance, j
                continue
            near, far = 2 * node, 2 * node + 1
            near_squared = _squared_to_box(point, lower[near], upper[near])
            far_squared = _squared_to_box(point, lower[far], upper[far])
            if far_squared < near_squared:
                near, far = far, near
                near_squared, far_squared = far_squared, near_squared
            nodes[depth], node_squared[depth] = far, far_squared
            nodes[depth + 1], node_squared[depth + 1] = near, near_squared
            depth += 2
        squared[i], positions[i] = best, found


@njit(nogil=True)
def _squared_to_box(point, lower, upper):
    total = 0.0
    for k in range(3):
        outside = max(lower[k] - point[k], 0.0, point[k] - upper[k])
        total += outside * outside
    return total


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
