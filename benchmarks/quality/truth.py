"""Ground truth: dense points of the exact surface, who sees each of them, how hidden it lies."""

from __future__ import annotations

from functools import partial
from math import sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from benchmarks.quality.light import look_up
from neus.sources.demo.tracer import TOLERANCE, Distance, in_parallel, project, trace

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

    from benchmarks.quality.light import Gathered
    from neus.scene import Cameras

LEAST_COSINE = 0.05
"""A view that looks more obliquely than this at a point does not count as seeing it."""
LEAVE = 20 * TOLERANCE / LEAST_COSINE
"""Where rays from the surface start: beyond the tracer's tolerance, however oblique they are."""


class Truth(NamedTuple):
    """Points of the surface that one or more of the views see.

    Attributes:
        points, normals: ``[n, 3]`` on the zero set, in the shape's frame.
        views: ``[n]`` how many of the views see the point: it projects into the photo, less
            obliquely than ``LEAST_COSINE``, and nothing lies between.
        openness: ``[n]`` cosine-weighted share of the hemisphere that is free of other surface: 1
            on an open plane, little in a hollow.
    """

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    views: UInt8[np.ndarray, "n"]
    openness: Float[np.ndarray, "n"]


def sample_surface(
    distance: Distance,
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    spacing: float,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, "p 3"]]:
    """Points on the exact surface, one per ``spacing`` squared, and the normals there.

    They are drawn by area from a mesh of it in equal strata of its faces, then projected.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    cumulative = np.cumsum(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1))
    count = max(int(cumulative[-1] / spacing**2), 1)
    strata = (np.arange(count) + rng.uniform(size=count)) / count
    face = np.searchsorted(cumulative, strata * cumulative[-1])
    u, v = rng.uniform(size=(2, count, 1))
    u, v = np.where(u + v > 1, (1 - u, 1 - v), (u, v))
    return project(distance, a[face] + u * (b - a)[face] + v * (c - a)[face])


def seen_surface(
    distance: Distance,
    grid: Float[np.ndarray, "n n n"],
    cache: Gathered,
    points: Float[np.ndarray, "p 3"],
    normals: Float[np.ndarray, "p 3"],
    cameras: Cameras,
) -> Truth:
    """The ones of the points that a camera, posed in the shape's frame, sees."""
    views = count_views(distance, grid, points, normals, cameras)
    seen = views > 0
    points, normals = points[seen], normals[seen]
    openness = np.zeros(len(points))
    in_parallel(partial(_openness_slice, cache, points, normals, openness), len(points))
    return Truth(points, normals, views[seen], openness)


def count_views(
    distance: Distance,
    grid: Float[np.ndarray, "n n n"],
    points: Float[np.ndarray, "p 3"],
    normals: Float[np.ndarray, "p 3"],
    cameras: Cameras,
) -> UInt8[np.ndarray, "p"]:
    """How many cameras see each surface point, by rays through the exact surface."""
    sizes = np.stack([cameras.widths, cameras.heights], axis=1).astype(float)
    views = np.zeros(len(points), np.uint8)
    geometry = (cameras.intrinsics, cameras.camera_to_world, sizes)
    in_parallel(
        partial(_count_slice, distance, grid, points, normals, *geometry, views), len(points)
    )
    return views


@njit(cache=True, nogil=True)
def _count_slice(distance, grid, points, normals, intrinsics, poses, sizes, views, start, stop):
    for i in range(start, stop):
        x, y, z = points[i]
        for c in range(len(poses)):
            pose = poses[c]
            dx, dy, dz = pose[0, 3] - x, pose[1, 3] - y, pose[2, 3] - z
            far = sqrt(dx * dx + dy * dy + dz * dz)
            dx, dy, dz = dx / far, dy / far, dz / far
            if normals[i, 0] * dx + normals[i, 1] * dy + normals[i, 2] * dz < LEAST_COSINE:
                continue
            depth = -far * (dx * pose[0, 2] + dy * pose[1, 2] + dz * pose[2, 2])
            right = -far * (dx * pose[0, 0] + dy * pose[1, 0] + dz * pose[2, 0])
            down = -far * (dx * pose[0, 1] + dy * pose[1, 1] + dz * pose[2, 1])
            if depth <= 0.0:
                continue
            u = intrinsics[c, 0, 0] * right / depth + intrinsics[c, 0, 2]
            v = intrinsics[c, 1, 1] * down / depth + intrinsics[c, 1, 2]
            if not (0.0 <= u < sizes[c, 0] and 0.0 <= v < sizes[c, 1]):
                continue
            if trace(distance, grid, x, y, z, dx, dy, dz, LEAVE, 0.0)[0] == np.inf:
                views[i] += 1


@njit(cache=True, nogil=True)
def _openness_slice(cache, points, normals, openness, start, stop):
    for i in range(start, stop):
        x, y, z = points[i]
        openness[i] = look_up(cache, x, y, z, normals[i, 0], normals[i, 1], normals[i, 2])[3]
