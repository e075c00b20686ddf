"""Photos of a shape: exact surface, sharp and soft shadows, light from all around, gloss, a table.

A pixel is ``SAMPLES`` rays. What they see is linear; :mod:`benchmarks.quality.developing` makes
photos of it.
"""

from __future__ import annotations

from math import exp, floor, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from benchmarks.quality.light import KEY, KEY_COLOUR, LIFT, lit_by_key, look_up, sky
from benchmarks.quality.shapes.paints import unpack
from neus.sources.demo.room import hit_room, room_albedo
from neus.sources.demo.sculpture import RADIUS
from neus.sources.demo.stone import wall_pattern
from neus.sources.demo.tracer import normal, trace

if TYPE_CHECKING:
    from jaxtyping import Float

    from benchmarks.quality.light import Gathered
    from benchmarks.quality.shapes import Shape
    from neus.scene import Cameras

SAMPLES = 4
"""Rays of a pixel, on a square grid turned by 27 degrees."""
OFFSETS = ((0.125, 0.375), (0.375, 0.875), (0.625, 0.125), (0.875, 0.625))
NOTHING, TABLE, ROOM = 0, 1, 2
"""What is behind the object."""
TABLE_RADIUS = 1.75
BACKDROP = (0.012, 0.012, 0.013)
ROUGHNESS = 0.16
"""Of gloss: the width of the key light's reflection, in radians."""
MIRRORED = 0.035
"""Reflectance from which on a ray looks for what is mirrored."""


class Exposure(NamedTuple):
    """What a camera's pixels receive.

    Attributes:
        rgb: ``[h, w, 3]`` linear radiance.
        coverage: ``[h, w]`` share of the pixel that the object covers.
        depth: ``[h, w]`` distance along the ray of the pixel's centre; ``inf`` beside the object.
    """

    rgb: Float[np.ndarray, "h w 3"]
    coverage: Float[np.ndarray, "h w"]
    depth: Float[np.ndarray, "h w"]


def expose(
    shape: Shape,
    grid: Float[np.ndarray, "n n n"],
    cache: Gathered,
    cameras: Cameras,
    index: int,
    surroundings: int,
    seed: int,
) -> Exposure:
    """Look at a shape through camera ``index``, posed in the shape's frame.

    Args:
        grid: its distance, from :func:`neus.sources.demo.tracer.distance_grid`.
        surroundings: ``NOTHING``, ``TABLE`` or ``ROOM``, which needs a foot at the room's floor.
    """
    size = int(cameras.heights[index]), int(cameras.widths[index])
    seen = Exposure(np.zeros((*size, 3)), np.zeros(size), np.full(size, np.inf))
    _expose(
        *shape, grid, cache, cameras.intrinsics[index], cameras.camera_to_world[index],
        surroundings, seed, 1000 * index, *seen,
    )  # fmt: skip
    return seen


@njit(cache=True)
def ray_of(column, row, intrinsics, pose):
    """Unit direction, in the frame of ``pose``, through a place in the picture."""
    u = (column - intrinsics[0, 2]) / intrinsics[0, 0]
    v = (row - intrinsics[1, 2]) / intrinsics[1, 1]
    x = pose[0, 0] * u + pose[0, 1] * v + pose[0, 2]
    y = pose[1, 0] * u + pose[1, 1] * v + pose[1, 2]
    z = pose[2, 0] * u + pose[2, 1] * v + pose[2, 2]
    length = sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@njit(cache=True)
def _turned(row, column, sample, view):
    """An angle in the key light's disc: another in each pixel, spread over its samples."""
    h = (row * 0x8DA6B343 + column * 0xD8163841 + view * 0xCB1AB31F) & 0xFFFFFFFF
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    return 6.2831853 * ((h >> 8) / 16777216.0) + 2.399963 * sample


@njit(cache=True, nogil=True)
def _expose(
    distance, paint, foot_z, grid, cache, intrinsics, pose, surroundings, seed, view,
    rgb, coverage, depth,
):  # fmt: skip
    ox, oy, oz = pose[0, 3], pose[1, 3], pose[2, 3]
    pixel = 1.0 / min(intrinsics[0, 0], intrinsics[1, 1])
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            dx, dy, dz = ray_of(column + 0.5, row + 0.5, intrinsics, pose)
            t, near, clear = trace(distance, grid, ox, oy, oz, dx, dy, dz, 0.0, pixel)
            depth[row, column] = t
            empty = t == np.inf and near > 1.5 * pixel
            r = g = b = a = 0.0
            for i in range(SAMPLES):
                dx, dy, dz = ray_of(column + OFFSETS[i][0], row + OFFSETS[i][1], intrinsics, pose)
                angle, radius = _turned(row, column, i, view), sqrt((i + 0.5) / SAMPLES)
                if not empty:
                    t = trace(distance, grid, ox, oy, oz, dx, dy, dz, clear, 0.0)[0]
                if empty or t == np.inf:
                    sr, sg, sb = _behind(
                        distance, grid, foot_z, ox, oy, oz, dx, dy, dz, pixel, surroundings, seed,
                        radius, angle,
                    )  # fmt: skip
                else:
                    a += 1.0
                    sr, sg, sb = _surface(
                        distance, paint, grid, cache, ox + t * dx, oy + t * dy, oz + t * dz,
                        dx, dy, dz, t * pixel, foot_z, surroundings, seed, radius, angle,
                    )  # fmt: skip
                r, g, b = r + sr, g + sg, b + sb
            rgb[row, column, 0], rgb[row, column, 1] = r / SAMPLES, g / SAMPLES
            rgb[row, column, 2], coverage[row, column] = b / SAMPLES, a / SAMPLES


@njit(cache=True)
def _surface(
    distance, paint, grid, cache, x, y, z, dx, dy, dz, footprint, foot_z, surroundings, seed,
    radius, angle,
):  # fmt: skip
    """Radiance of a surface point towards where a ray came from."""
    n = normal(distance, x, y, z)
    r, g, b, gloss = unpack(paint(x, y, z, n[0], n[1], n[2], footprint, seed))
    lr, lg, lb, _ = look_up(cache, x, y, z, n[0], n[1], n[2])
    key = lit_by_key(distance, grid, x, y, z, n, radius, angle)
    r *= lr + key * KEY_COLOUR[0]
    g *= lg + key * KEY_COLOUR[1]
    b *= lb + key * KEY_COLOUR[2]
    facing = max(-(n[0] * dx + n[1] * dy + n[2] * dz), 0.0)
    mirrored = gloss + (1.0 - gloss) * (1.0 - facing) ** 5 if gloss > 0.0 else 0.0
    if gloss == 0.0:
        return r, g, b
    ex, ey, ez = dx + 2 * facing * n[0], dy + 2 * facing * n[1], dz + 2 * facing * n[2]
    if key > 0.0:
        away = 1.0 - (ex * KEY[0] + ey * KEY[1] + ez * KEY[2])
        shine = mirrored * 6.0 * exp(-away / (0.5 * ROUGHNESS * ROUGHNESS))
        r, g, b = r + shine * KEY_COLOUR[0], g + shine * KEY_COLOUR[1], b + shine * KEY_COLOUR[2]
    if mirrored < MIRRORED:
        return r, g, b
    px, py, pz = x + 0.003 * n[0], y + 0.003 * n[1], z + 0.003 * n[2]
    t = trace(distance, grid, px, py, pz, ex, ey, ez, LIFT, 0.0)[0]
    if t == np.inf:
        if ez < 0.0 and surroundings == TABLE:
            sr, sg, sb = 0.25, 0.24, 0.22
        else:
            sr, sg, sb = sky(ex, ey, ez)
    else:
        px, py, pz = px + t * ex, py + t * ey, pz + t * ez
        m = normal(distance, px, py, pz)
        sr, sg, sb, _ = unpack(paint(px, py, pz, m[0], m[1], m[2], 4.0 * footprint, seed))
        lr, lg, lb, _ = look_up(cache, px, py, pz, m[0], m[1], m[2])
        key = max(m[0] * KEY[0] + m[1] * KEY[1] + m[2] * KEY[2], 0.0) * 0.6
        sr, sg, sb = sr * (lr + key), sg * (lg + key), sb * (lb + key)
    return r + mirrored * sr, g + mirrored * sg, b + mirrored * sb


@njit(cache=True)
def _behind(
    distance, grid, foot_z, ox, oy, oz, dx, dy, dz, pixel, surroundings, seed, radius, angle
):
    """Radiance of what a ray sees that misses the object."""
    if surroundings == NOTHING:
        shade = 0.10 + 0.06 * dz
        return shade, shade, 1.05 * shade
    if surroundings == TABLE:
        t = (foot_z - oz) / dz if dz < -1e-6 else np.inf
        x, y, z = ox + t * dx, oy + t * dy, foot_z
        if not t < 20.0 or x * x + y * y > TABLE_RADIUS * TABLE_RADIUS:
            return BACKDROP
        n = (0.0, 0.0, 1.0)
        clouds, grain = wall_pattern(x, y, z, t * pixel, seed + 5)
        value = 0.62 + 0.10 * clouds + 0.10 * (grain - 0.5)
        r, g, b = value, 0.97 * value, 0.93 * value
    else:
        t, axis, side, piece = hit_room(ox, oy, oz, dx, dy, dz)
        x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
        n = (side if axis == 0 else 0.0, side if axis == 1 else 0.0, side if axis == 2 else 0.0)
        r, g, b = room_albedo(x, y, z, axis, side, piece, t * pixel, seed)
    ambient = 0.42 * (0.75 + 0.25 * n[2]) * _open(grid, x, y, z, n)
    key = lit_by_key(distance, grid, x, y, z, n, radius, angle)
    return (
        r * (ambient + key * KEY_COLOUR[0]),
        g * (ambient + key * KEY_COLOUR[1]),
        b * (1.06 * ambient + key * KEY_COLOUR[2]),
    )


@njit(cache=True)
def _open(grid, x, y, z, n):
    """Share of the light from above that the object leaves on table or floor: by how much its
    distance falls short along the normal (Evans, SIGGRAPH 2006 course)."""
    cells = grid.shape[0]
    shortfall, weight, h = 0.0, 1.0, 0.06
    for _ in range(4):
        px, py, pz = x + h * n[0], y + h * n[1], z + h * n[2]
        i = floor((px + RADIUS) * cells / (2 * RADIUS))
        j = floor((py + RADIUS) * cells / (2 * RADIUS))
        k = floor((pz + RADIUS) * cells / (2 * RADIUS))
        i, j, k = min(max(i, 0), cells - 1), min(max(j, 0), cells - 1), min(max(k, 0), cells - 1)
        qx, qy, qz = (
            px - (i + 0.5) * 2 * RADIUS / cells + RADIUS,
            py - (j + 0.5) * 2 * RADIUS / cells + RADIUS,
            pz - (k + 0.5) * 2 * RADIUS / cells + RADIUS,
        )
        beside = sqrt(qx * qx + qy * qy + qz * qz)
        d = grid[i, j, k] + (beside if beside > 0.03 else 0.0)
        shortfall += weight * max(h - d, 0.0) / h
        h, weight = 1.9 * h, 0.7 * weight
    return exp(-0.55 * shortfall)
