"""The room that the sculpture may stand in: a tiled floor, walls at several distances, boxes.

All of it but the floor lies outside the unit sphere; all cameras stand within. Lengths are in radii
of that sphere, z is up, and the sculpture stands on the floor.
"""

from __future__ import annotations

from math import floor, inf

from numba import njit

from neus.sources.demo.sculpture import FOOT_Z
from neus.sources.demo.stone import wall_pattern

LOW, HIGH = (-4.2, -5.6, FOOT_Z), (6.4, 4.8, 4.4)
"""Corners of the room."""
BOXES = (
    (-2.4, 1.1, FOOT_Z, -1.5, 1.9, -0.1),
    (1.2, 1.3, FOOT_Z, 1.9, 1.8, -0.35),
    (0.9, -2.6, FOOT_Z, 1.7, -1.9, -0.45),
    (-1.9, -1.7, FOOT_Z, -1.4, -1.2, -0.25),
)
"""Corners of boxes on the floor: low x, y, z, high x, y, z. No camera is in one or is blocked."""
PLAIN, TILED = 0, 1


@njit(cache=True)
def hit_room(ox, oy, oz, dx, dy, dz):
    """First point of the room on a ray from within: its distance, the wall's axis, side and piece.

    ``side`` is the sign of the outward normal of the wall, which faces the ray; pieces number the
    room 0 and the boxes from 1.
    """
    best, axis, side, piece = inf, 2, 1.0, 0
    origin, direction = (ox, oy, oz), (dx, dy, dz)
    for k in range(3):
        if direction[k] != 0.0:
            wall = HIGH[k] if direction[k] > 0.0 else LOW[k]
            t = (wall - origin[k]) / direction[k]
            if t < best:
                best, axis, side = t, k, -1.0 if direction[k] > 0.0 else 1.0
    for number in range(len(BOXES)):
        box = BOXES[number]
        enter, leave, at = -inf, inf, 0
        for k in range(3):
            if direction[k] == 0.0:
                if not box[k] < origin[k] < box[k + 3]:
                    enter = inf
                continue
            a = (box[k] - origin[k]) / direction[k]
            b = (box[k + 3] - origin[k]) / direction[k]
            if min(a, b) > enter:
                enter, at = min(a, b), k
            leave = min(leave, max(a, b))
        if 0.0 < enter < leave and enter < best:
            best, axis, piece = enter, at, number + 1
            side = -1.0 if direction[at] > 0.0 else 1.0
    return best, axis, side, piece


@njit(cache=True)
def room_albedo(x, y, z, axis, side, piece, footprint, seed):
    """Linear RGB reflectance: stone tiles underfoot, clouded plaster, each piece in its colour."""
    clouds, grain = wall_pattern(x, y, z, footprint, seed + 17 * (piece + 1))
    value = 0.45 + 0.75 * clouds + 0.5 * (grain - 0.5)
    if piece > 0:
        colours = ((0.50, 0.16, 0.10), (0.12, 0.30, 0.42), (0.46, 0.40, 0.12), (0.18, 0.36, 0.16))
        colour = colours[(piece - 1) % 4]
        stripe = 1.0 if floor((x + y + z) / 0.16) % 2 == 0 else 0.62
        value *= stripe
    elif axis == 2 and side > 0.0:
        dark = (floor(x / 0.3) + floor(y / 0.3)) % 2 == 0
        colour = (0.30, 0.26, 0.22) if dark else (0.58, 0.54, 0.48)
    elif axis == 2:
        colour = (0.75, 0.75, 0.72)
    else:
        walls = (((0.34, 0.42, 0.30), (0.55, 0.42, 0.28)), ((0.30, 0.34, 0.46), (0.52, 0.34, 0.32)))
        colour = walls[axis][0 if side > 0.0 else 1]
        panel = floor((x if axis == 1 else y) / 0.9) % 2 == 0
        value *= 1.0 if panel else 0.72
    return value * colour[0], value * colour[1], value * colour[2]
