"""The light of the studio: a sky with soft boxes, gathered on the surface with its reflections.

What reaches a surface from all around changes slowly along it, so that it is gathered at points
about 2 mm apart, by rays through the exact surface, and looked up from there (irradiance caching:
Ward et al., SIGGRAPH 1988). The key light, whose shadows are sharp, is not part of it.
"""

from __future__ import annotations

from functools import partial
from math import cos, exp, floor, pi, sin, sqrt
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from benchmarks.quality.shapes.paints import unpack
from neus.sources.demo.sculpture import RADIUS
from neus.sources.demo.tracer import in_parallel, trace

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from benchmarks.quality.shapes import Shape

KEY = (0.56, -0.42, 0.714)
"""Unit direction towards the key light."""
_LEVEL = sqrt(KEY[0] ** 2 + KEY[1] ** 2)
ACROSS = (-KEY[1] / _LEVEL, KEY[0] / _LEVEL, 0.0)
UPWARD = (-KEY[0] * KEY[2] / _LEVEL, -KEY[1] * KEY[2] / _LEVEL, _LEVEL)
"""The unit directions across the key light's."""
KEY_COLOUR = (1.55, 1.45, 1.28)
KEY_RADIUS = 0.012
"""Of the key light's disc, in radians: shadows have a penumbra of 1.4 degrees."""
BOXES = (
    (0.25, 0.85, 0.46, 7.0, 1.7),
    (0.80, -0.10, 0.59, 14.0, 1.2),
    (-0.70, -0.40, 0.59, 9.0, 0.9),
)
"""Soft boxes: direction, concentration, radiance in the middle."""
SKY, GROUND = (0.17, 0.195, 0.235), (0.12, 0.112, 0.105)
RAYS = 40
"""Of each point, distributed as the cosine; two rounds of them, so that light bounces twice."""
LIFT = 0.002
"""Rays start this far above the surface."""
REACH = 0.030
"""Points no farther than this count in a look-up; also the side of a cell, in radii."""


class Gathered(NamedTuple):
    """Light at points of the surface, sorted by cell.

    Attributes:
        points, normals: ``[n, 3]`` in the shape's frame.
        light: ``[n, 3]`` irradiance over pi from sky, boxes and other surface, linear RGB.
        openness: ``[n]`` share of the cosine-weighted hemisphere that sees no other surface.
        starts: ``[cells^3 + 1]`` of the cells' points.
        cells: along each side of the cube ``[-RADIUS, RADIUS]^3``.
    """

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    light: Float[np.ndarray, "n 3"]
    openness: Float[np.ndarray, "n"]
    starts: Int[np.ndarray, "cells"]
    cells: int


def gather_light(
    shape: Shape,
    grid: Float[np.ndarray, "n n n"],
    points: Float[np.ndarray, "p 3"],
    normals: Float[np.ndarray, "p 3"],
    seed: int,
) -> Gathered:
    """Light and openness at surface points, from ``2 * RAYS`` rays each."""
    cells = int(2 * RADIUS / REACH)
    index = np.clip(((points + RADIUS) * (cells / (2 * RADIUS))).astype(int), 0, cells - 1)
    flat = (index[:, 0] * cells + index[:, 1]) * cells + index[:, 2]
    order = np.argsort(flat, kind="stable")
    starts = np.searchsorted(flat[order], np.arange(cells**3 + 1)).astype(np.int64)
    points, normals = points[order], normals[order]
    key, albedo = np.zeros((len(points), 1)), np.zeros((len(points), 3))
    in_parallel(
        partial(_direct_slice, *shape, grid, points, normals, seed, key, albedo), len(points)
    )
    light, openness = np.full((len(points), 3), 0.3), np.ones(len(points))
    cache = Gathered(points, normals, light, openness, starts, cells)
    for turn in range(2):
        sent = albedo * (key * KEY_COLOUR + cache.light)
        light, openness = np.zeros((len(points), 3)), np.zeros(len(points))
        arguments = (shape.distance, grid, cache, sent, turn, light, openness)
        in_parallel(partial(_gather_slice, *arguments), len(points))
        cache = cache._replace(light=light, openness=openness)
    return cache


@njit(cache=True)
def sky(dx, dy, dz):
    """Radiance of the studio from a direction."""
    up = 0.5 + 0.5 * dz
    r = GROUND[0] + (SKY[0] - GROUND[0]) * up
    g = GROUND[1] + (SKY[1] - GROUND[1]) * up
    b = GROUND[2] + (SKY[2] - GROUND[2]) * up
    for k in range(len(BOXES)):
        box = BOXES[k]
        glow = box[4] * exp(box[3] * (dx * box[0] + dy * box[1] + dz * box[2] - 1.0))
        r, g, b = r + glow, g + 0.98 * glow, b + 0.94 * glow
    return r, g, b


@njit(cache=True)
def lit_by_key(distance, grid, x, y, z, n, radius, angle):
    """Cosine of the key light at a point, 0 in shadow, from a place in its disc."""
    a, b = KEY_RADIUS * radius * cos(angle), KEY_RADIUS * radius * sin(angle)
    dx = KEY[0] + a * ACROSS[0] + b * UPWARD[0]
    dy = KEY[1] + a * ACROSS[1] + b * UPWARD[1]
    dz = KEY[2] + a * ACROSS[2] + b * UPWARD[2]
    scale = 1.0 / sqrt(dx * dx + dy * dy + dz * dz)
    dx, dy, dz = dx * scale, dy * scale, dz * scale
    cosine = n[0] * dx + n[1] * dy + n[2] * dz
    if cosine <= 0.0:
        return 0.0
    x, y, z = x + LIFT * n[0], y + LIFT * n[1], z + LIFT * n[2]
    if trace(distance, grid, x, y, z, dx, dy, dz, LIFT, 0.0)[0] < np.inf:
        return 0.0
    return cosine


@njit(cache=True, nogil=True)
def _direct_slice(distance, paint, foot_z, grid, points, normals, seed, key, albedo, start, stop):
    """The key light's cosine and the reflectances of points."""
    for i in range(start, stop):
        x, y, z = points[i]
        n = (normals[i, 0], normals[i, 1], normals[i, 2])
        for k in range(4):
            key[i, 0] += 0.25 * lit_by_key(distance, grid, x, y, z, n, sqrt((k + 0.5) / 4), 2.4 * k)
        r, g, b, _ = unpack(paint(x, y, z, n[0], n[1], n[2], REACH, seed))
        albedo[i, 0], albedo[i, 1], albedo[i, 2] = r, g, b


@njit(cache=True)
def look_up(cache, x, y, z, nx, ny, nz):
    """Light (RGB) and openness at a surface point: of the cached points near it that face alike."""
    cells = cache.cells
    scale = cells / (2.0 * RADIUS)
    u, v, w = (x + RADIUS) * scale - 0.5, (y + RADIUS) * scale - 0.5, (z + RADIUS) * scale - 0.5
    i0, j0, k0 = floor(u), floor(v), floor(w)
    r = g = b = o = 0.0
    total = 1e-12
    for i in range(max(i0, 0), min(i0 + 2, cells)):
        for j in range(max(j0, 0), min(j0 + 2, cells)):
            row = (i * cells + j) * cells
            first, last = min(max(k0, 0), cells - 1), min(max(k0 + 2, 0), cells)
            for p in range(cache.starts[row + first], cache.starts[row + max(last, first)]):
                dx, dy, dz = cache.points[p, 0] - x, cache.points[p, 1] - y, cache.points[p, 2] - z
                near = 1.0 - (dx * dx + dy * dy + dz * dz) / (0.25 * REACH * REACH)
                if near < -3.0:
                    continue
                cosine = cache.normals[p, 0] * nx + cache.normals[p, 1] * ny
                cosine += cache.normals[p, 2] * nz
                near = max(near, 0.0)
                weight = (near * near + 1e-4) * (max(cosine, 0.0) ** 4 + 1e-6)
                r += weight * cache.light[p, 0]
                g += weight * cache.light[p, 1]
                b += weight * cache.light[p, 2]
                o += weight * cache.openness[p]
                total += weight
    return r / total, g / total, b / total, o / total


@njit(cache=True, nogil=True)
def _gather_slice(distance, grid, cache, sent, turn, light, openness, start, stop):
    for i in range(start, stop):
        nx, ny, nz = cache.normals[i]
        x, y, z = cache.points[i]
        x, y, z = x + LIFT * nx, y + LIFT * ny, z + LIFT * nz
        # A frame around the normal, without a branch but for its sign (Frisvad 2012 and others).
        sign = 1.0 if nz >= 0.0 else -1.0
        a = -1.0 / (sign + nz)
        c = nx * ny * a
        spin = 2.0 * pi * (((i * 2654435761 + turn * 40503) & 0xFFFF) / 65536.0)
        r = g = b = open_rays = 0.0
        for k in range(RAYS):
            radius, angle = sqrt((k + 0.5) / RAYS), 2.399963 * k + spin
            p, q = radius * cos(angle), radius * sin(angle)
            h = sqrt(max(1.0 - radius * radius, 0.0))
            dx = p * (1.0 + sign * nx * nx * a) + q * c + h * nx
            dy = p * sign * c + q * (sign + ny * ny * a) + h * ny
            dz = -p * sign * nx - q * ny + h * nz
            t = trace(distance, grid, x, y, z, dx, dy, dz, LIFT, 0.0)[0]
            if t == np.inf:
                open_rays += 1.0
                sr, sg, sb = sky(dx, dy, dz)
            else:
                sr, sg, sb = _sent_back(cache, sent, x + t * dx, y + t * dy, z + t * dz, dx, dy, dz)
            r, g, b = r + sr, g + sg, b + sb
        light[i, 0], light[i, 1], light[i, 2] = r / RAYS, g / RAYS, b / RAYS
        openness[i] = open_rays / RAYS


@njit(cache=True)
def _sent_back(cache, sent, x, y, z, dx, dy, dz):
    """Radiance of the surface where a ray met it: of the nearest cached point that faces it."""
    cells = cache.cells
    scale = cells / (2.0 * RADIUS)
    i0, j0, k0 = int((x + RADIUS) * scale), int((y + RADIUS) * scale), int((z + RADIUS) * scale)
    best, least = -1, np.inf
    for reach in range(2):
        for i in range(max(i0 - reach, 0), min(i0 + reach + 1, cells)):
            for j in range(max(j0 - reach, 0), min(j0 + reach + 1, cells)):
                row = (i * cells + j) * cells
                first, last = max(k0 - reach, 0), min(k0 + reach + 1, cells)
                for p in range(cache.starts[row + first], cache.starts[row + last]):
                    n = cache.normals[p]
                    if n[0] * dx + n[1] * dy + n[2] * dz > 0.0:
                        continue
                    ax, ay, az = (
                        cache.points[p, 0] - x,
                        cache.points[p, 1] - y,
                        cache.points[p, 2] - z,
                    )
                    squared = ax * ax + ay * ay + az * az
                    if squared < least:
                        best, least = p, squared
        if best >= 0:
            break
    if best < 0:
        return 0.0, 0.0, 0.0
    return sent[best, 0], sent[best, 1], sent[best, 2]
