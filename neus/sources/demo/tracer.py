"""Sphere tracing (Hart, The Visual Computer 12, 1996) with a grid that leaps over empty space.

``distance`` is everywhere a compiled signed distance bound of a solid inside the sphere of radius
``RADIUS`` about the origin, and ``grid`` its values from :func:`distance_grid`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import copysign, sqrt
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neus.sources.demo.sculpture import RADIUS

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

Distance = Callable[[float, float, float], float]

TOLERANCE, NEWTON_TOLERANCE = 5e-5, 1e-8
"""A ray has met the surface, and Newton has converged, where the distance is below these."""
NORMAL_STEP = 1e-6
RELAXATION = 1.9
"""Below 2, so that rounding or a slight curvature does not undo a step."""
MOST_STEPS, MOST_NEWTON_STEPS = 512, 24


def in_parallel(kernel: Callable[[int, int], None], count: int) -> None:
    """Call ``kernel(start, stop)``, which lets go of the interpreter's lock, on slices of a range.

    Threads of ours and not ``prange``, which takes three times as long to compile.
    """
    slice_length = max(count // 64, 1)
    with ThreadPoolExecutor() as pool:
        starts = range(0, count, slice_length)
        list(pool.map(lambda start: kernel(start, min(start + slice_length, count)), starts))


def sample_box(
    distance: Distance, low: float, cell: float, resolution: int, margin: float
) -> Float[np.ndarray, "n n n"]:
    """The distance at the ``resolution``^3 points ``low + cell * (i, j, k)``.

    Farther than ``margin`` from the surface a bound with the right sign may stand for it.
    """
    values = np.empty((resolution, resolution, resolution), np.float32)
    in_parallel(partial(_sample_slab, distance, low, cell, margin, values), resolution)
    return values


@njit(cache=True, nogil=True)
def _sample_slab(distance, low, cell, margin, values, start, stop):
    for i in range(start, stop):
        for j in range(values.shape[1]):
            d = 0.0
            for k in range(values.shape[2]):
                if abs(d) > cell + margin:
                    d -= copysign(cell, d)
                else:
                    d = distance(low + i * cell, low + j * cell, low + k * cell)
                values[i, j, k] = d


def distance_grid(distance: Distance, resolution: int) -> Float[np.ndarray, "n n n"]:
    """The distance at the centres of the cells of the cube ``[-RADIUS, RADIUS]^3``."""
    cell = 2 * RADIUS / resolution
    return sample_box(distance, cell / 2 - RADIUS, cell, resolution, np.inf)


@njit(cache=True)
def trace(distance, grid, ox, oy, oz, dx, dy, dz, start, footprint):
    """The first surface point of the ray ``o + t d``, ``d`` of length 1, ``t >= start``.

    Where all of a grid cell is far from the surface, the distance at its centre less half its
    diagonal is a safe step. Elsewhere the step is the one after which the next empty sphere would
    just touch this one if the distance went on changing as it did; if the two do not meet, the
    ray goes back to the end of the first (Balint and Valasek, Accelerating Sphere Tracing, 2018).

    Returns:
        t, ``inf`` for a miss; the least ratio of distance and t on the way, or less where a cell
        was leapt over; and the t up to which the cone of radius ``footprint * t`` is empty.
    """
    n = grid.shape[0]
    cell = 2.0 * RADIUS / n
    reach = 0.5 * sqrt(3.0) * cell
    along = ox * dx + oy * dy + oz * dz
    across = ox * ox + oy * oy + oz * oz - along * along
    discriminant = RADIUS * RADIUS - across
    if discriminant <= 0.0:
        return np.inf, (sqrt(across) - RADIUS) / abs(along), np.inf
    t = max(-along - sqrt(discriminant), start)
    stop = -along + sqrt(discriminant)
    nearest, clear, wide = np.inf, t, True
    before, stride = np.nan, 0.0
    for _ in range(MOST_STEPS):
        if t >= stop:
            break
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        i, j, k = int((x + RADIUS) / cell), int((y + RADIUS) / cell), int((z + RADIUS) / cell)
        d = grid[min(max(i, 0), n - 1), min(max(j, 0), n - 1), min(max(k, 0), n - 1)] - reach
        near = d < 0.5 * cell
        if near:
            d = distance(x, y, z)
        if before + d < stride:
            t, before = t - stride + before, np.nan
            continue
        if d < TOLERANCE:
            return t, 0.0, clear
        nearest = min(nearest, d / t)
        wide = wide and d > footprint * t
        if wide:
            clear = t
        slope = min((d - before) / stride, 0.8) if before == before else 1.0 - RELAXATION
        stride = max(RELAXATION * d / (1.0 - slope), d) if near else d
        wide = wide and stride == d
        before = d if near else np.nan
        t += stride
    return np.inf, nearest, clear


@njit(cache=True)
def normal(distance, x, y, z):
    """Outward unit normal: differences of the distance over a tiny tetrahedron."""
    h = NORMAL_STEP
    a, b = distance(x + h, y - h, z - h), distance(x - h, y - h, z + h)
    c, d = distance(x - h, y + h, z - h), distance(x + h, y + h, z + h)
    nx, ny, nz = a - b - c + d, c + d - a - b, b + d - a - c
    length = sqrt(nx * nx + ny * ny + nz * nz) + 1e-300
    return nx / length, ny / length, nz / length


def project(
    distance: Distance, points: Float[np.ndarray, "p 3"]
) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, "p 3"]]:
    """Points near the surface moved onto it by Newton steps, and the normals there."""
    projected, normals = np.array(points, dtype=np.float64), np.empty((len(points), 3))
    in_parallel(partial(_project_slice, distance, projected, normals), len(points))
    return projected, normals


@njit(cache=True, nogil=True)
def _project_slice(distance, points, normals, start, stop):
    for i in range(start, stop):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        nx = ny = nz = 0.0
        for _ in range(MOST_NEWTON_STEPS):
            d = distance(x, y, z)
            nx, ny, nz = normal(distance, x, y, z)
            if abs(d) < NEWTON_TOLERANCE:
                break
            x, y, z = x - d * nx, y - d * ny, z - d * nz
        points[i, 0], points[i, 1], points[i, 2] = x, y, z
        normals[i, 0], normals[i, 1], normals[i, 2] = nx, ny, nz


def visible(
    distance: Distance,
    grid: Float[np.ndarray, "n n n"],
    points: Float[np.ndarray, "p 3"],
    normals: Float[np.ndarray, "p 3"],
    centres: Float[np.ndarray, "c 3"],
    least_cosine: float,
) -> Bool[np.ndarray, "p"]:
    """Whether a surface point is seen, less obliquely than ``least_cosine``, from any centre."""
    seen = np.zeros(len(points), bool)
    arguments = (distance, grid, points, normals, centres, least_cosine, seen)
    in_parallel(partial(_visible_slice, *arguments), len(points))
    return seen


@njit(cache=True, nogil=True)
def _visible_slice(distance, grid, points, normals, centres, least_cosine, seen, start, stop):
    leave = 20.0 * TOLERANCE / least_cosine
    for i in range(start, stop):
        x, y, z = points[i, 0], points[i, 1], points[i, 2]
        first = _most_frontal(x, y, z, normals[i], centres)
        for c in range(len(centres)):
            centre = centres[(first + c) % len(centres)]
            dx, dy, dz = centre[0] - x, centre[1] - y, centre[2] - z
            far = sqrt(dx * dx + dy * dy + dz * dz)
            dx, dy, dz = dx / far, dy / far, dz / far
            if normals[i, 0] * dx + normals[i, 1] * dy + normals[i, 2] * dz < least_cosine:
                continue
            if trace(distance, grid, x, y, z, dx, dy, dz, leave, 0.0)[0] == np.inf:
                seen[i] = True
                break


@njit(cache=True)
def _most_frontal(x, y, z, n, centres):
    """The centre from which a surface point, and its neighbours too, is likeliest to be seen."""
    best, highest = 0, -np.inf
    for c in range(len(centres)):
        height = (
            n[0] * (centres[c, 0] - x) + n[1] * (centres[c, 1] - y) + n[2] * (centres[c, 2] - z)
        )
        if height > highest:
            best, highest = c, height
    return best
