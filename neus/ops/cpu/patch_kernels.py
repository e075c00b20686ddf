"""numba kernels of patches in several views, and of the way to cameras.

A cost comes with its slope by the distance ``t``: that is one number a patch, so that carrying it
along costs less than a second pass. With w the inverse of the plane's distance from the first
camera, a ray q meets the plane at the depth 1 / (w q.n), and appears at A q + w (q.n) b in another
view, where A turns into its pixels and b is the first camera's centre there: linear in q and in w.
"""

from __future__ import annotations

import math

import numpy as np

from neus.ops.cpu.compilation import kernel
from neus.ops.patches import STEEPEST, WHITE

_F32, _I64 = np.float32, np.int64
_ZERO, _HALF, _ONE = np.float32(0), np.float32(0.5), np.float32(1)
_STEEPEST, _WHITE, _LEAST = np.float32(STEEPEST), np.float32(1 / WHITE), np.float32(1e-6)


@kernel
def _level(spacing, levels):
    """The level whose pixels come nearest to the distance between taps, in octaves."""
    wanted = math.floor(_F32(math.log2(max(spacing, _LEAST))) + _HALF)
    return min(max(_I64(wanted), 0), levels - 1)


@kernel
def _sampled(grey, first, height, width, x, y):
    """Grey and its slopes by x and y; whether (x, y), in pixel indices, lies in the picture."""
    if not (x >= _ZERO and y >= _ZERO and x <= _F32(width - 1) and y <= _F32(height - 1)):
        return _ZERO, _ZERO, _ZERO, False
    u, v = min(_I64(x), _I64(width - 2)), min(_I64(y), _I64(height - 2))
    fx, fy = x - _F32(u), y - _F32(v)
    at = first + v * width + u
    a, b = _F32(grey[at]), _F32(grey[at + 1])
    c, d = _F32(grey[at + width]), _F32(grey[at + width + 1])
    upper, lower = a + fx * (b - a), c + fx * (d - c)
    across = (b - a) + fy * ((d - c) - (b - a))
    down = lower - upper
    return (upper + fy * down) * _WHITE, across * _WHITE, down * _WHITE, True


@kernel
def _turned(matrix, x, y, z):
    return (
        matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z,
        matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z,
        matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z,
    )


@kernel
def _own_patch(
    grey, first, height, width, level, u, v, spacing, h0, hx, hy, w, radius, own
):  # fmt: skip
    """Fill ``own`` with the first view's patch less its mean; its variance, -1 if it is cut off.

    ``h0 + i hx + j hy`` is q.n of the tap (i, j), which has the sign of ``w`` before the camera.
    """
    shrink, place, total = _F32(math.ldexp(1.0, -level)), 0, _ZERO
    for j in range(-radius, radius + 1):
        for i in range(-radius, radius + 1):
            x = (u + _F32(i) * spacing) * shrink - _HALF
            y = (v + _F32(j) * spacing) * shrink - _HALF
            value, _, _, inside = _sampled(grey, first, height, width, x, y)
            if not inside or (h0 + _F32(i) * hx + _F32(j) * hy) * w <= _ZERO:
                return -_ONE
            own[place] = value
            total += value
            place += 1
    mean, variance = total / _F32(place), _ZERO
    for k in range(place):
        own[k] -= mean
        variance += own[k] * own[k]
    return variance / _F32(place)


@kernel
def _compared(
    own, variance, noise, grey, first, height, width, level, p0, px, py, h0, hx, hy, b, w, radius
):  # fmt: skip
    """1 - NCC, its slope by ``w``, and whether all taps are met.

    The tap (i, j) appears at ``p0 + i px + j py``, a homogeneous pixel of which ``b q.n`` is the
    slope by ``w``.
    """
    shrink, place = _F32(math.ldexp(1.0, -level)), 0
    centre = _ZERO
    first_sum, second_sum, both = _ZERO, _ZERO, _ZERO
    slope_sum, slope_second, slope_both = _ZERO, _ZERO, _ZERO
    for j in range(-radius, radius + 1):
        for i in range(-radius, radius + 1):
            fi, fj = _F32(i), _F32(j)
            z = p0[2] + fi * px[2] + fj * py[2]
            if z <= _LEAST * _LEAST:
                return _ONE, _ZERO, False
            inverse = _ONE / z
            u = (p0[0] + fi * px[0] + fj * py[0]) * inverse
            v = (p0[1] + fi * px[1] + fj * py[1]) * inverse
            value, across, down, inside = _sampled(
                grey, first, height, width, u * shrink - _HALF, v * shrink - _HALF
            )
            if not inside:
                return _ONE, _ZERO, False
            towards = (h0 + fi * hx + fj * hy) * inverse * shrink
            slope = across * (b[0] - u * b[2]) + down * (b[1] - v * b[2])
            slope *= towards
            if place == 0:
                centre = value
            value -= centre
            first_sum += value
            second_sum += value * value
            both += value * own[place]
            slope_sum += slope
            slope_second += value * slope
            slope_both += slope * own[place]
            place += 1
    share = _ONE / _F32(place)
    mean = first_sum * share
    other = max(second_sum * share - mean * mean, _ZERO) + noise
    slope_of_other = _F32(2) * (slope_second * share - mean * slope_sum * share)
    root = _ONE / _F32(math.sqrt((variance + noise) * other))
    alike = both * share * root
    slope = slope_both * share * root - _HALF * alike * slope_of_other / other
    return _ONE - alike, -slope, True


@kernel
def compare(
    worker, workers, t, directions, normals, views, spacing, radius, noise, grey, firsts, sizes,
    to_pixel, to_world, centres, focal, costs, slopes, valid, variances,
):  # fmt: skip
    """See :func:`neus.ops.reference.patch_costs`; ``noise`` is its square, slopes are by ``t``."""
    patches, levels = len(t), firsts.shape[1]
    own = np.empty((2 * radius + 1) ** 2, np.float32)
    for k in range(worker * patches // workers, (worker + 1) * patches // workers):
        r = views[k, 0]
        dx, dy, dz = directions[k, 0], directions[k, 1], directions[k, 2]
        nx, ny, nz = normals[k, 0], normals[k, 1], normals[k, 2]
        u, v, ahead = _turned(to_pixel[r], dx, dy, dz)
        u, v, depth, gap = u / ahead, v / ahead, t[k] * ahead, spacing[k]
        # The ray of the pixel (u + i gap, v + j gap), whose depth in the camera is 1: a column of
        # the inverse for each step.
        qx0, qy0, qz0 = dx / ahead, dy / ahead, dz / ahead
        qxx, qyx, qzx = to_world[r, 0, 0] * gap, to_world[r, 1, 0] * gap, to_world[r, 2, 0] * gap
        qxy, qyy, qzy = to_world[r, 0, 1] * gap, to_world[r, 1, 1] * gap, to_world[r, 2, 1] * gap
        facing = dx * nx + dy * ny + dz * nz
        h0 = qx0 * nx + qy0 * ny + qz0 * nz
        hx, hy = qxx * nx + qyx * ny + qzx * nz, qxy * nx + qyy * ny + qzy * nz
        variances[k] = _ZERO
        for s in range(views.shape[1] - 1):
            costs[k, s], slopes[k, s], valid[k, s] = _ONE, _ZERO, False
        if not (facing < -_STEEPEST and t[k] > _ZERO):
            continue
        w = _ONE / (t[k] * facing)
        level = _level(gap, levels)
        variance = _own_patch(
            grey, firsts[r, level], sizes[r, level, 0], sizes[r, level, 1], level, u, v, gap,
            h0, hx, hy, w, radius, own,
        )  # fmt: skip
        variances[k] = max(variance, _ZERO)
        if not variance > noise:
            continue
        x = centres[r, 0] + t[k] * dx
        y = centres[r, 1] + t[k] * dy
        z = centres[r, 2] + t[k] * dz
        for s in range(views.shape[1] - 1):
            o = views[k, s + 1]
            wx, wy, wz = centres[o, 0] - x, centres[o, 1] - y, centres[o, 2] - z
            length = _F32(math.sqrt(wx * wx + wy * wy + wz * wz))
            _, _, far = _turned(to_pixel[o], -wx, -wy, -wz)
            if not (wx * nx + wy * ny + wz * nz > _STEEPEST * length and far > _ZERO):
                continue
            level = _level(gap * (focal[o] / far * (depth / focal[r])), levels)
            turn = to_pixel[o]
            b = _turned(
                turn, centres[r, 0] - centres[o, 0], centres[r, 1] - centres[o, 1],
                centres[r, 2] - centres[o, 2],
            )  # fmt: skip
            a0, ax = _turned(turn, qx0, qy0, qz0), _turned(turn, qxx, qyx, qzx)
            ay = _turned(turn, qxy, qyy, qzy)
            p0 = (a0[0] + w * h0 * b[0], a0[1] + w * h0 * b[1], a0[2] + w * h0 * b[2])
            px = (ax[0] + w * hx * b[0], ax[1] + w * hx * b[1], ax[2] + w * hx * b[2])
            py = (ay[0] + w * hy * b[0], ay[1] + w * hy * b[1], ay[2] + w * hy * b[2])
            cost, slope, met = _compared(
                own, variance, noise, grey, firsts[o, level], sizes[o, level, 0],
                sizes[o, level, 1], level, p0, px, py, h0, hx, hy, b, w, radius,
            )  # fmt: skip
            if met:
                costs[k, s], slopes[k, s], valid[k, s] = cost, -slope * w / t[k], True


@kernel
def look(worker, workers, points, views, centres, free, seen):
    """See :func:`neus.ops.reference.in_sight`."""
    resolution = free.shape[0]
    last, size, step = resolution - 1, _F32(resolution), _F32(2 / resolution)
    count = len(points)
    for k in range(worker * count // workers, (worker + 1) * count // workers):
        x, y, z = points[k, 0], points[k, 1], points[k, 2]
        for s in range(views.shape[1]):
            o = views[k, s]
            wx, wy, wz = centres[o, 0] - x, centres[o, 1] - y, centres[o, 2] - z
            length = _F32(math.sqrt(wx * wx + wy * wy + wz * wz))
            wx, wy, wz = wx / length, wy / length, wz / length
            clear = True
            for i in range(resolution):
                t = _F32(i) * step
                px, py, pz = x + t * wx, y + t * wy, z + t * wz
                if t >= length:
                    break
                if px * px + py * py + pz * pz >= _ONE:
                    if px * wx + py * wy + pz * wz > _ZERO:
                        break
                    continue
                a = min(max(_I64((px * _HALF + _HALF) * size), 0), last)
                b = min(max(_I64((py * _HALF + _HALF) * size), 0), last)
                c = min(max(_I64((pz * _HALF + _HALF) * size), 0), last)
                if not free[a, b, c]:
                    clear = False
                    break
            seen[k, s] = clear
