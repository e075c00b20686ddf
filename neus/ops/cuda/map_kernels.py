"""Triton kernels that hold the depth maps of all views against each other.

The maps lie one after the other in the same tensors: view ``i`` begins at pixel ``firsts[i]`` and
is ``sizes[i]`` high and wide. ``near[i]`` are its neighbours, filled up with -1; ``paths[i, k]``
leads to the k-th of them and back: ``turn`` and ``shift`` of ``neus.ops.stereo.Sources``, twice.
``lenses[i]`` holds a matrix from pixels to rays in the scene frame (9 numbers), the centre (3) and
the focal length. A lane goes through all neighbours of its pixel in their order, so that sums
round alike in every run. The numba kernels of ``neus.stereo.kernels`` have the same formulas.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false, reportCallIssue=false, reportGeneralTypeIssues=false
# pyright: reportOperatorIssue=false

from __future__ import annotations

import triton
import triton.language as tl

from neus.ops.cuda.vectors import load_vectors
from neus.ops.stereo import APART, MIDDLE, SLANTED

LENS, PATH, SUMS = 13, 24, 10
"""Numbers of a row of ``lenses``, of ``paths`` and of the sums of a point."""

_LENS, _PATH, _SUMS = tl.constexpr(LENS), tl.constexpr(PATH), tl.constexpr(SUMS)
_MIDDLE, _APART, _STEEP = tl.constexpr(MIDDLE), tl.constexpr(APART), tl.constexpr(SLANTED**2)


@triton.jit
def _map(firsts, sizes, view):
    """Where a view's map begins, its height and its width."""
    return tl.load(firsts + view), tl.load(sizes + 2 * view), tl.load(sizes + 2 * view + 1)


@triton.jit
def _own(planes, firsts, sizes, lenses, view, BLOCK: tl.constexpr):
    """This program's pixels of a view, which of them there are, and which of these have a depth.

    With them the map's beginning, height, width and focal length, and inverse depths: 1 for none.
    """
    first, height, width = _map(firsts, sizes, view)
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = pixel < height * width
    w = tl.load(planes + 3 * (first + pixel), mask=mask, other=0.0)
    known = mask & (w > 0)
    focal = tl.load(lenses + view * _LENS + 12)
    return pixel, mask, known, first, height, width, focal, tl.where(known, w, 1.0)


@triton.jit
def _projected(x, y, w, path, mask):
    """Where points appear in another view, their depth there times ``w``, and whether before it."""
    z = tl.load(path + 6) * x + tl.load(path + 7) * y + tl.load(path + 8)
    z += w * tl.load(path + 11)
    ahead = mask & (z > 1e-6)
    z = tl.where(ahead, z, 1.0)
    u = tl.load(path) * x + tl.load(path + 1) * y + tl.load(path + 2) + w * tl.load(path + 9)
    v = tl.load(path + 3) * x + tl.load(path + 4) * y + tl.load(path + 5) + w * tl.load(path + 10)
    return u / z, v / z, z, ahead


@triton.jit
def _pixel(u, v, height, width, mask):
    """The pixel that (u, v) lies in, and whether the picture has it; the first one if not."""
    inside = mask & (u > -0.5) & (v > -0.5) & (u < width - 0.5) & (v < height - 0.5)
    column = (tl.where(inside, u, 0.0) + 0.5).to(tl.int32)
    row = (tl.where(inside, v, 0.0) + 0.5).to(tl.int32)
    return tl.minimum(column, width - 1), tl.minimum(row, height - 1), inside


@triton.jit
def _held(
    x, y, w, nx, ny, nz, focal, planes, normals, firsts, sizes, lenses, path, other, tolerance, mask
):  # fmt: skip
    """Points held against another view's map.

    Returns the pixels there, whether their depths agree, and whether they lie far before the map's.
    """
    first, height, width = _map(firsts, sizes, other)
    u, v, z, ahead = _projected(x, y, w, path, mask)
    column, row, inside = _pixel(u, v, height, width, ahead)
    at = first + row * width + column
    there = tl.load(planes + 3 * at, mask=inside, other=0.0)
    met = inside & (there > 0)
    there += tl.load(planes + 3 * at + 1, mask=met, other=0.0) * (u - column)
    there += tl.load(planes + 3 * at + 2, mask=met, other=0.0) * (v - row)
    depth, found = z / w, 1 / tl.maximum(there, 1e-6)
    other_focal = tl.load(lenses + other * _LENS + 12)
    allowed = tolerance * tl.maximum(depth / other_focal, 1 / (w * focal))
    mx, my, mz = load_vectors(normals, 3, 1, at, met)
    alike = nx * mx + ny * my + nz * mz > _APART
    agrees = met & (tl.abs(depth - found) <= allowed) & alike
    return at, agrees, met & (agrees == 0) & (depth < found - 3 * allowed)


@triton.jit(do_not_specialize=["view_row", "near_count"])
def compare_kernel(
    planes, normals, sure, firsts, sizes, lenses, near, paths, agree, violate, view_row, near_count,
    tolerance, BLOCK: tl.constexpr,
):  # fmt: skip
    """Of each pixel of a view: how many others agree, and how many surely see through its point."""
    pixel, mask, known, first, _, width, focal, w = _own(
        planes, firsts, sizes, lenses, view_row, BLOCK
    )
    nx, ny, nz = load_vectors(normals, 3, 1, first + pixel, known)
    x, y = (pixel % width).to(tl.float32), (pixel // width).to(tl.float32)
    agreeing, violating = tl.zeros_like(pixel), tl.zeros_like(pixel)
    for k in range(near_count):
        pair = view_row * near_count + k
        other = tl.load(near + pair)
        asked = known & (other >= 0)
        at, agrees, before = _held(
            x, y, w, nx, ny, nz, focal, planes, normals, firsts, sizes, lenses,
            paths + pair * _PATH, tl.maximum(other, 0), tolerance, asked,
        )  # fmt: skip
        agreeing += agrees.to(tl.int32)
        violating += tl.load(sure + at, mask=before, other=0).to(tl.int32)
    tl.store(agree + pixel, agreeing, mask=mask)
    tl.store(violate + pixel, violating, mask=mask)


@triton.jit(do_not_specialize=["view_row", "near_count"])
def show_kernel(
    planes, normals, sure, firsts, sizes, lenses, near, paths, nearest, view_row, near_count,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Note the least depth at which a view would see the sure points of each neighbour.

    ``nearest[k, h, w]`` are the bits of these depths, whose order as integers is that of positive
    floats: the minimum is exact, in whatever order programs come to it.
    """
    k = tl.program_id(1)
    pair = view_row * near_count + k
    other = tl.load(near + pair)
    first, height, width = _map(firsts, sizes, tl.maximum(other, 0))
    pixel = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = (pixel < height * width) & (other >= 0)
    mask = mask & (tl.load(sure + first + pixel, mask=mask, other=0) != 0)
    w = tl.load(planes + 3 * (first + pixel), mask=mask, other=0.0)
    mask = mask & (w > 0)
    w = tl.where(mask, w, 1.0)
    x, y = (pixel % width).to(tl.float32), (pixel // width).to(tl.float32)
    u, v, z, ahead = _projected(x, y, w, paths + pair * _PATH + 12, mask)
    _, own_height, own_width = _map(firsts, sizes, view_row)
    column, row, inside = _pixel(u, v, own_height, own_width, ahead)
    middle = tl.maximum(tl.abs(u - column), tl.abs(v - row)) <= _MIDDLE
    own, lens = lenses + view_row * _LENS + 9, lenses + tl.maximum(other, 0) * _LENS
    facing, far = tl.zeros_like(w), tl.zeros_like(w)
    for axis in tl.static_range(3):
        ray = tl.load(lens + 3 * axis) * x + tl.load(lens + 3 * axis + 1) * y
        ray += tl.load(lens + 3 * axis + 2)
        towards = tl.load(own + axis) - tl.load(lens + 9 + axis) - ray / w
        normal = tl.load(normals + 3 * (first + pixel) + axis, mask=inside, other=0.0)
        facing += normal * towards
        far += towards * towards
    shown = inside & middle & (facing * tl.abs(facing) > far * _STEEP)
    at = nearest + (k * own_height + row) * own_width + column
    tl.atomic_min(at, (z / w).to(tl.int32, bitcast=True), mask=shown, sem="relaxed")


@triton.jit(do_not_specialize=["view_row", "near_count"])
def hide_kernel(
    planes, firsts, sizes, lenses, nearest, hidden, view_row, near_count, tolerance,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """Of each pixel: how many neighbours are sure of something before its point."""
    pixel, mask, known, _, height, width, focal, w = _own(
        planes, firsts, sizes, lenses, view_row, BLOCK
    )
    before = (1 - 3 * tolerance / focal) / w
    count = tl.zeros_like(pixel)
    for k in range(near_count):
        at = nearest + k * height * width + pixel
        least = tl.load(at, mask=known, other=0).to(tl.float32, bitcast=True)
        count += (known & (least < before)).to(tl.int32)
    tl.store(hidden + pixel, count, mask=mask)


@triton.jit
def _seen(planes, normals, weights, colours, lenses, first, width, view, at, mask):
    """Of pixels ``at`` of a view: weight, position, normal and colour; weight 0 where masked."""
    w = tl.load(planes + 3 * at, mask=mask, other=1.0)
    pixel, lens = at - first, lenses + view * _LENS
    x, y = (pixel % width).to(tl.float32), (pixel // width).to(tl.float32)
    px = (tl.load(lens) * x + tl.load(lens + 1) * y + tl.load(lens + 2)) / w
    py = (tl.load(lens + 3) * x + tl.load(lens + 4) * y + tl.load(lens + 5)) / w
    pz = (tl.load(lens + 6) * x + tl.load(lens + 7) * y + tl.load(lens + 8)) / w
    px, py, pz = px + tl.load(lens + 9), py + tl.load(lens + 10), pz + tl.load(lens + 11)
    nx, ny, nz = load_vectors(normals, 3, 1, at, mask)
    red = tl.load(colours + 3 * at, mask=mask, other=0).to(tl.float32)
    green = tl.load(colours + 3 * at + 1, mask=mask, other=0).to(tl.float32)
    blue = tl.load(colours + 3 * at + 2, mask=mask, other=0).to(tl.float32)
    weight = tl.load(weights + at, mask=mask, other=0.0)
    return weight, px, py, pz, nx, ny, nz, red, green, blue


@triton.jit(do_not_specialize=["chosen_count", "view_row", "near_count"])
def gather_kernel(
    planes, normals, weights, colours, taken, firsts, sizes, lenses, near, paths, chosen, sums,
    listed, counts, chosen_count, view_row, near_count, tolerance, BLOCK: tl.constexpr,
):  # fmt: skip
    """Sums of weight, position, normal and colour over a point's own view and those that agree.

    All but the weight are times it. ``chosen`` are pixels of the view that have a depth; pixels of
    others that agree are marked as ``taken``, by whoever comes to them. ``listed[p, near + 1]`` are
    the places of the views that count, ``counts`` of them.
    """
    first, _, width = _map(firsts, sizes, view_row)
    number = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = number < chosen_count
    pixel = tl.load(chosen + number, mask=mask, other=0)
    x, y = (pixel % width).to(tl.float32), (pixel // width).to(tl.float32)
    w = tl.load(planes + 3 * (first + pixel), mask=mask, other=1.0)
    focal = tl.load(lenses + view_row * _LENS + 12)
    s0, px, py, pz, nx, ny, nz, red, green, blue = _seen(
        planes, normals, weights, colours, lenses, first, width, view_row, first + pixel, mask
    )
    s1, s2, s3, s4, s5, s6 = s0 * px, s0 * py, s0 * pz, s0 * nx, s0 * ny, s0 * nz
    s7, s8, s9 = s0 * red, s0 * green, s0 * blue
    places, count = listed + number * (near_count + 1), tl.zeros_like(number) + 1
    tl.store(places, view_row + tl.zeros_like(number), mask=mask)
    for k in range(near_count):
        pair = view_row * near_count + k
        other = tl.load(near + pair)
        asked, other = mask & (other >= 0), tl.maximum(other, 0)
        at, agrees, _ = _held(
            x, y, w, nx, ny, nz, focal, planes, normals, firsts, sizes, lenses,
            paths + pair * _PATH, other, tolerance, asked,
        )  # fmt: skip
        tl.store(taken + at, tl.full(at.shape, 1, tl.uint8), mask=agrees)
        tl.store(places + count, other + tl.zeros_like(number), mask=agrees)
        count += agrees.to(tl.int32)
        begin, _, across = _map(firsts, sizes, other)
        weight, px, py, pz, mx, my, mz, red, green, blue = _seen(
            planes, normals, weights, colours, lenses, begin, across, other, at, agrees
        )
        s0, s1, s2, s3 = s0 + weight, s1 + weight * px, s2 + weight * py, s3 + weight * pz
        s4, s5, s6 = s4 + weight * mx, s5 + weight * my, s6 + weight * mz
        s7, s8, s9 = s7 + weight * red, s8 + weight * green, s9 + weight * blue
    total = sums + number * _SUMS
    tl.store(total, s0, mask=mask)
    tl.store(total + 1, s1, mask=mask)
    tl.store(total + 2, s2, mask=mask)
    tl.store(total + 3, s3, mask=mask)
    tl.store(total + 4, s4, mask=mask)
    tl.store(total + 5, s5, mask=mask)
    tl.store(total + 6, s6, mask=mask)
    tl.store(total + 7, s7, mask=mask)
    tl.store(total + 8, s8, mask=mask)
    tl.store(total + 9, s9, mask=mask)
    tl.store(counts + number, count, mask=mask)
