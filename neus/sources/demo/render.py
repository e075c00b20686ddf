"""Photographs of the sculpture: fixed lights, ambient occlusion, soft shadow, antialiased edges.

Apart from a faint gloss of the key light, what a surface point looks like does not depend on
where it is seen from.
"""

from __future__ import annotations

from math import exp, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from neus.scene import Cameras
from neus.sources.demo.room import hit_room, room_albedo
from neus.sources.demo.sculpture import RADIUS
from neus.sources.demo.stone import albedo
from neus.sources.demo.tracer import Distance, normal, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, UInt8

SAMPLES, LATTICE = 5, 2
"""Samples of a pixel that holds an edge: the lattice (i, 2 i mod 5), a square grid turned by 27
degrees, which takes five levels across upright, level and slanted edges alike."""
KEY, FILL = (-0.52, -0.46, 0.72), (0.68, 0.55, 0.48)
"""Unit directions towards the two lights, in the sculpture's frame."""


def render_view(
    distance: Distance,
    part: Callable,
    grid: Float[np.ndarray, "n n n"],
    cameras: Cameras,
    index: int,
    seed: int,
    room: bool = False,
) -> UInt8[np.ndarray, "h w 4"]:
    """Photograph the sculpture with camera ``index``, posed in the sculpture's frame.

    Returns:
        Display-referred RGB over black or in its room, and the share of the pixel that the
        sculpture covers. RGB is averaged as displayed, so that over black it is premultiplied by
        that share exactly.
    """
    intrinsics, pose = cameras.intrinsics[index], cameras.camera_to_world[index]
    traced = trace_view(distance, grid, cameras, index)
    image = np.zeros((*traced.ts.shape, 4), np.uint8)
    _shade(distance, part, grid, intrinsics, pose, *traced, seed, room, image)
    return image


class Traced(NamedTuple):
    """What the rays through all pixels' centres met.

    Attributes:
        ts: ``[h, w]`` distances along the unit rays, ``inf`` for a miss.
        clearance: ``[h, w]`` at most how near the ray passed to the surface, in pixels.
        clear: ``[h, w]`` the distance up to which all of the pixel is empty.
        normals: ``[h, w, 3]`` outward unit normals, 0 for a miss.
    """

    ts: Float[np.ndarray, "h w"]
    clearance: Float[np.ndarray, "h w"]
    clear: Float[np.ndarray, "h w"]
    normals: Float[np.ndarray, "h w 3"]


def trace_view(
    distance: Distance, grid: Float[np.ndarray, "n n n"], cameras: Cameras, index: int
) -> Traced:
    """Sphere trace the centres of all pixels of camera ``index``."""
    shape = int(cameras.heights[index]), int(cameras.widths[index])
    traced = Traced(np.empty(shape), np.empty(shape), np.empty(shape), np.zeros((*shape, 3)))
    intrinsics, pose = cameras.intrinsics[index], cameras.camera_to_world[index]
    _trace_pixels(distance, grid, intrinsics, pose, *traced)
    return traced


@njit(cache=True)
def _ray(column, row, intrinsics, pose):
    """Unit direction of the ray through a pixel position."""
    u = (column - intrinsics[0, 2]) / intrinsics[0, 0]
    v = (row - intrinsics[1, 2]) / intrinsics[1, 1]
    x = pose[0, 0] * u + pose[0, 1] * v + pose[0, 2]
    y = pose[1, 0] * u + pose[1, 1] * v + pose[1, 2]
    z = pose[2, 0] * u + pose[2, 1] * v + pose[2, 2]
    length = sqrt(x * x + y * y + z * z)
    return x / length, y / length, z / length


@njit(cache=True, nogil=True)
def _trace_pixels(distance, grid, intrinsics, pose, ts, clearance, clear, normals):
    ox, oy, oz = pose[0, 3], pose[1, 3], pose[2, 3]
    pixel = 1.0 / min(intrinsics[0, 0], intrinsics[1, 1])
    for row in range(ts.shape[0]):
        for column in range(ts.shape[1]):
            dx, dy, dz = _ray(column + 0.5, row + 0.5, intrinsics, pose)
            t, near, empty = trace(distance, grid, ox, oy, oz, dx, dy, dz, 0.0, pixel)
            ts[row, column], clearance[row, column] = t, near / pixel
            clear[row, column] = empty
            if t < np.inf:
                nx, ny, nz = normal(distance, ox + t * dx, oy + t * dy, oz + t * dz)
                normals[row, column, 0] = nx
                normals[row, column, 1] = ny
                normals[row, column, 2] = nz


@njit(cache=True)
def _holds_edge(row, column, ts, clearance, normals):
    """Whether the surface ends, leaps or turns sharply between a pixel and its neighbours."""
    t = ts[row, column]
    if t == np.inf:
        return clearance[row, column] < 1.0
    height, width = ts.shape
    for i in range(max(row - 1, 0), min(row + 2, height)):
        for j in range(max(column - 1, 0), min(column + 2, width)):
            if abs(ts[i, j] - t) > 0.02 * t:
                return True
            cosine = 0.0
            for axis in range(3):
                cosine += normals[row, column, axis] * normals[i, j, axis]
            if cosine < 0.8:
                return True
    return False


@njit(cache=True, nogil=True)
def _shade(
    distance, part, grid, intrinsics, pose, ts, clearance, clear, normals, seed, room, image
):  # fmt: skip
    """RGBA of all pixels: one sample inside a surface, ``SAMPLES`` where there is an edge."""
    ox, oy, oz = pose[0, 3], pose[1, 3], pose[2, 3]
    for row in range(ts.shape[0]):
        for column in range(ts.shape[1]):
            edge = _holds_edge(row, column, ts, clearance, normals)
            t, count = ts[row, column], SAMPLES if edge else 1
            if t == np.inf and not edge:
                if not room:
                    continue
                count = SAMPLES  # the room has edges of its own
            r = g = b = a = 0.0
            for i in range(count):
                u = column + (i + 0.5) / count
                v = row + ((LATTICE * i) % count + 0.5) / count
                dx, dy, dz = _ray(u, v, intrinsics, pose)
                if edge:
                    start = clear[row, column]
                    t = trace(distance, grid, ox, oy, oz, dx, dy, dz, start, 0.0)[0]
                if t < np.inf:
                    x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
                    n = normal(distance, x, y, z)
                    stone = albedo(x, y, z, part(x, y, z), t / intrinsics[0, 0], seed)
                    sr, sg, sb = _radiance(stone, x, y, z, n, dx, dy, dz, grid)
                    r, g, b, a = r + sr, g + sg, b + sb, a + 1.0
                elif room:
                    sr, sg, sb = _room_radiance(
                        ox, oy, oz, dx, dy, dz, intrinsics[0, 0], seed, grid
                    )
                    r, g, b = r + sr, g + sg, b + sb
            scale = 255.0 / count
            image[row, column, 0] = int(r * scale + 0.5)
            image[row, column, 1] = int(g * scale + 0.5)
            image[row, column, 2] = int(b * scale + 0.5)
            image[row, column, 3] = int(a * scale + 0.5)
    return image


@njit(cache=True)
def _room_radiance(ox, oy, oz, dx, dy, dz, focal, seed, grid):
    """Display-referred RGB of what a ray sees that misses the sculpture, which casts a shadow."""
    t, axis, side, piece = hit_room(ox, oy, oz, dx, dy, dz)
    x, y, z = ox + t * dx, oy + t * dy, oz + t * dz
    r, g, b = room_albedo(x, y, z, axis, side, piece, t / focal, seed)
    facing = 0.75 if axis == 0 else 0.9 if axis == 1 else 1.1
    light = 0.5 * facing
    if axis == 2 and side > 0.0 and piece == 0:
        light *= _openness(x, y, z, (0.0, 0.0, 1.0), grid)
        light += 0.55 * _sunlit(x, y, z + 0.02, grid)
    else:
        light += 0.4
    return _display(light * r), _display(light * g), _display(light * b)


@njit(cache=True)
def _radiance(stone, x, y, z, n, dx, dy, dz, grid):
    """Display-referred RGB of a surface point: ambient light, warm key, cool fill, faint gloss."""
    openness = _openness(x, y, z, n, grid)
    ambient = openness * (0.62 + 0.38 * n[2])
    key = max(n[0] * KEY[0] + n[1] * KEY[1] + n[2] * KEY[2], 0.0)
    if key > 0.0:
        key *= _sunlit(x + 0.02 * n[0], y + 0.02 * n[1], z + 0.02 * n[2], grid)
    fill = max(n[0] * FILL[0] + n[1] * FILL[1] + n[2] * FILL[2], 0.0) * (0.3 + 0.7 * openness)
    hx, hy, hz = KEY[0] - dx, KEY[1] - dy, KEY[2] - dz
    half = max((n[0] * hx + n[1] * hy + n[2] * hz) / sqrt(hx * hx + hy * hy + hz * hz), 0.0)
    gloss = 0.08 * key * half**40
    return (
        _display(stone[0] * (0.30 * ambient + 1.35 * key + 0.28 * fill) + gloss),
        _display(stone[1] * (0.33 * ambient + 1.24 * key + 0.31 * fill) + gloss),
        _display(stone[2] * (0.40 * ambient + 1.06 * key + 0.38 * fill) + gloss),
    )


@njit(cache=True)
def _display(linear):
    """A soft shoulder below 1, then the display's gamma."""
    return (1.0 - exp(-1.2 * linear)) ** (1.0 / 2.2)


@njit(cache=True)
def _openness(x, y, z, n, grid):
    """Ambient occlusion, 1 in the open: by how much the distance falls short along the normal
    (Evans, Fast Approximations for Global Illumination on Dynamic Scenes, SIGGRAPH 2006 course).
    """
    shortfall, weight, h = 0.0, 1.0, 0.02
    for _ in range(4):
        d = _interpolate(grid, x + h * n[0], y + h * n[1], z + h * n[2])
        shortfall += weight * max(h - d, 0.0) / h
        h, weight = 1.9 * h, 0.75 * weight
    return exp(-0.75 * shortfall)


@njit(cache=True)
def _sunlit(x, y, z, grid):
    """Soft shadow, 1 in the light: the narrowest cone that clears the surface on the way."""
    t, clear = 0.05, 1.0
    for _ in range(24):
        px, py, pz = x + t * KEY[0], y + t * KEY[1], z + t * KEY[2]
        if px * px + py * py + pz * pz > RADIUS * RADIUS:
            break
        d = _interpolate(grid, px, py, pz)
        clear = min(clear, 0.5 + 5.0 * d / t)
        if clear <= 0.0:
            return 0.0
        t += max(d, 0.025)
    return clear * clear * (3.0 - 2.0 * clear)


@njit(cache=True)
def _interpolate(grid, x, y, z):
    """The distance between the cells' centres, trilinear."""
    n = grid.shape[0]
    scale = n / (2.0 * RADIUS)
    x = min(max((x + RADIUS) * scale - 0.5, 0.0), n - 1.001)
    y = min(max((y + RADIUS) * scale - 0.5, 0.0), n - 1.001)
    z = min(max((z + RADIUS) * scale - 0.5, 0.0), n - 1.001)
    i, j, k = int(x), int(y), int(z)
    x, y, z = x - i, y - j, z - k
    near = (1 - y) * ((1 - z) * grid[i, j, k] + z * grid[i, j, k + 1])
    near += y * ((1 - z) * grid[i, j + 1, k] + z * grid[i, j + 1, k + 1])
    far = (1 - y) * ((1 - z) * grid[i + 1, j, k] + z * grid[i + 1, j, k + 1])
    far += y * ((1 - z) * grid[i + 1, j + 1, k] + z * grid[i + 1, j + 1, k + 1])
    return (1 - x) * near + x * far
