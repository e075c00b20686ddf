"""A grid of points over every triangle of a mesh, as DTU's protocol lays it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

    from neus.metrics.geometry import Surface

MAX_POINTS = 100_000_000
"""More points than this on one mesh (4 square metres at 0.2 mm) mean a wrong unit."""


def points_of_mesh(mesh: Surface, spacing: float) -> Float[np.ndarray, "n 3"]:
    """All vertices of a mesh, then a grid of points on each triangle with about ``spacing`` apart.

    The DTU protocol's rule: on the edges v1 and v2 from a triangle's first corner, of lengths l1
    and l2, with ``threshold = spacing sqrt(l1 l2 / |v1 x v2|)``, the points of a grid with
    ``floor(l1 / threshold)`` and ``floor(l2 / threshold)`` steps that lie inside the triangle.
    Triangles without area, and those smaller than a step, have none but their vertices.

    Raises:
        InputError: there would be more than `MAX_POINTS`.
    """
    triangles = np.ascontiguousarray(mesh.triangles, dtype=np.float64)
    steps = _grid_steps(triangles, spacing)
    rough_count = float(steps.prod(axis=1).sum()) / 2 + len(mesh.vertices)
    if rough_count > MAX_POINTS:
        raise InputError(
            f"the mesh would give {rough_count:.1e} points at a spacing of {spacing:g}: "
            "bring it into the unit of the reference first"
        )
    counts = np.empty(len(triangles), np.int64)
    _count_grid_points(steps, counts)
    starts = len(mesh.vertices) + np.cumsum(counts) - counts
    points = np.empty((len(mesh.vertices) + int(counts.sum()), 3))
    points[: len(mesh.vertices)] = mesh.vertices
    _fill_grid_points(triangles, steps, starts, points)
    return points


def _grid_steps(triangles: Float[np.ndarray, "f 3 3"], spacing: float) -> Float[np.ndarray, "f 2"]:
    first, second = triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    length1, length2 = np.linalg.norm(first, axis=1), np.linalg.norm(second, axis=1)
    doubled_area = np.linalg.norm(np.cross(first, second), axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        threshold = spacing * np.sqrt(length1 * length2 / doubled_area)
        steps = np.floor(np.stack([length1, length2], axis=1) / threshold[:, None])
    steps[~(doubled_area > 0)] = 0
    return steps


@njit(cache=True)
def _count_grid_points(steps, counts):
    for f in range(len(steps)):
        counts[f] = 0
        n1, n2 = max(steps[f, 0], 1e-7), max(steps[f, 1], 1e-7)
        for i in range(int(steps[f, 0]) + 1):
            for j in range(int(steps[f, 1]) + 1):
                if not (i + 0.5) / n1 + (j + 0.5) / n2 < 1:
                    break
                counts[f] += 1


@njit(cache=True)
def _fill_grid_points(triangles, steps, starts, points):
    for f in range(len(steps)):
        at = starts[f]
        n1, n2 = max(steps[f, 0], 1e-7), max(steps[f, 1], 1e-7)
        for i in range(int(steps[f, 0]) + 1):
            for j in range(int(steps[f, 1]) + 1):
                a, b = (i + 0.5) / n1, (j + 0.5) / n2
                if not a + b < 1:
                    break
                for k in range(3):
                    origin = triangles[f, 0, k]
                    points[at, k] = (
                        (triangles[f, 1, k] - origin) * a
                        + (triangles[f, 2, k] - origin) * b
                        + origin
                    )
                at += 1
