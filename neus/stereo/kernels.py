"""numba kernels that hold the depth maps of two views against each other.

A map is ``planes[h, w, 3]``: inverse depth (0 for none) and its slopes a pixel; coordinates are
pixel indices, whose first centre is (0, 0). ``turn`` and ``shift`` lead from one view to the other
as in ``neus.ops.stereo.Sources``. Rows are shared among the workers.
"""

from __future__ import annotations

import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.stereo import APART, MIDDLE, SLANTED

_F32, _I32 = np.float32, np.int32
_HALF = np.float32(0.5)
_MIDDLE, _SLANTED, _APART = np.float32(MIDDLE), np.float32(SLANTED), np.float32(APART)


@kernel
def projected(x, y, w, turn, shift):
    """Where the point of pixel (x, y) and inverse depth w appears in another view.

    Returns the pixel's coordinates there and the ratio of the depths, 0 for a point behind it.
    """
    z = turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] + w * shift[2]
    if z <= np.float32(1e-6):
        return _F32(0), _F32(0), _F32(0)
    u = (turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] + w * shift[0]) / z
    v = (turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] + w * shift[1]) / z
    return u, v, z


@kernel
def meet(x, y, w, turn, shift, other):
    """Where the point of pixel (x, y) and inverse depth w lies in another view's map.

    Returns the pixel (column, row; column -1 where the map has nothing there), the point's depth
    in the other view and the depth that the other view has there.
    """
    u, v, z = projected(x, y, w, turn, shift)
    height, width = other.shape[:2]
    if z <= 0:
        return -1, -1, _F32(0), _F32(0)
    if not (u > -_HALF and v > -_HALF and u < width - _HALF and v < height - _HALF):
        return -1, -1, _F32(0), _F32(0)
    column, row = _I32(u + _HALF), _I32(v + _HALF)
    if other[row, column, 0] <= 0:
        return -1, -1, _F32(0), _F32(0)
    there = other[row, column, 0]
    there += other[row, column, 1] * (u - column) + other[row, column, 2] * (v - row)
    return column, row, z / w, _F32(1) / max(there, np.float32(1e-6))


@kernel
def compare(
    worker, workers, planes, normals, other, other_normals, other_sure, turn, shift, focal,
    other_focal, tolerance, agree, violate,
):  # fmt: skip
    """Count for every pixel whether the other view agrees, or surely sees through its point."""
    height, width = planes.shape[:2]
    for row in range(worker, height, workers):
        for column in range(width):
            w = planes[row, column, 0]
            if w <= 0:
                continue
            u, v, depth, found = meet(_F32(column), _F32(row), w, turn, shift, other)
            if u < 0:
                continue
            allowed = tolerance * max(depth / other_focal, _F32(1) / (w * focal))
            cosine = _F32(0)
            for k in range(3):
                cosine += normals[row, column, k] * other_normals[v, u, k]
            if abs(depth - found) <= allowed and cosine > _APART:
                agree[row, column] += 1
            elif other_sure[v, u] and depth < found - _F32(3) * allowed:
                violate[row, column] += 1


@kernel
def show(
    worker, workers, planes, normals, sure, turn, shift, ray, apart, nearest,
):  # fmt: skip
    """Note the least depth at which another view would see the sure points of this one.

    ``ray`` leads from a pixel to its ray in the scene frame, at depth 1, ``apart`` from this
    view's centre to the other's; ``nearest[workers, h, w]`` are the other's pixels, of each worker.
    Points that it sees from behind or slantwise, or that appear near a pixel's border, say nothing.
    """
    height, width = planes.shape[:2]
    for row in range(worker, height, workers):
        for column in range(width):
            w = planes[row, column, 0]
            if w <= 0 or not sure[row, column]:
                continue
            x, y = _F32(column), _F32(row)
            u, v, z = projected(x, y, w, turn, shift)
            if not (z > 0 and u > -_HALF and v > -_HALF):
                continue
            there, down = _I32(u + _HALF), _I32(v + _HALF)
            if there >= nearest.shape[2] or down >= nearest.shape[1]:
                continue
            if max(abs(u - there), abs(v - down)) > _MIDDLE:
                continue
            facing, far = _F32(0), _F32(0)
            for k in range(3):
                towards = apart[k] - (ray[k, 0] * x + ray[k, 1] * y + ray[k, 2]) / w
                facing += normals[row, column, k] * towards
                far += towards * towards
            if facing * abs(facing) > _SLANTED * _SLANTED * far:
                nearest[worker, down, there] = min(nearest[worker, down, there], z / w)


@kernel
def count_hidden(worker, workers, planes, nearest, focal, tolerance, hidden):
    """Count the pixels before whose point another view's points lie."""
    height, width = planes.shape[:2]
    for row in range(worker, height, workers):
        for column in range(width):
            w = planes[row, column, 0]
            if w <= 0:
                continue
            least = nearest[0, row, column]
            for k in range(1, len(nearest)):
                least = min(least, nearest[k, row, column])
            if least < (_F32(1) - _F32(3) * tolerance / focal) / w:
                hidden[row, column] += 1


@kernel
def gather(
    worker, workers, planes, normals, pending, other, other_points, other_normals, other_colours,
    other_weights, taken, turn, shift, focal, other_focal, tolerance, place, count, views, sums,
):  # fmt: skip
    """Add what another view has of each pending pixel's point to its sums, and mark it as taken.

    ``sums[h, w, 10]`` holds weight, position, normal and colour, each times its weight;
    ``views[h, w, most]`` the places of the views, ``count`` of them.
    """
    height, width = planes.shape[:2]
    for row in range(worker, height, workers):
        for column in range(width):
            if not pending[row, column]:
                continue
            w = planes[row, column, 0]
            u, v, depth, found = meet(_F32(column), _F32(row), w, turn, shift, other)
            if u < 0:
                continue
            allowed = tolerance * max(depth / other_focal, _F32(1) / (w * focal))
            cosine = _F32(0)
            for k in range(3):
                cosine += normals[row, column, k] * other_normals[v, u, k]
            if not (abs(depth - found) <= allowed and cosine > _APART):
                continue  # also where a number is none
            taken[v, u] = True
            views[row, column, count[row, column]] = place
            count[row, column] += 1
            weight = other_weights[v, u]
            sums[row, column, 0] += weight
            for k in range(3):
                sums[row, column, 1 + k] += weight * other_points[v, u, k]
                sums[row, column, 4 + k] += weight * other_normals[v, u, k]
                sums[row, column, 7 + k] += weight * other_colours[v, u, k]
