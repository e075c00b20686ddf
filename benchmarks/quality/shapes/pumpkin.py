"""A carved pumpkin: ribbed, hollow, its face cut through a thick wall, a candle inside."""

from __future__ import annotations

from math import atan2, cos, sin

from numba import njit

from benchmarks.quality.shapes.paints import pack
from benchmarks.quality.shapes.solids import (
    around,
    box,
    capsule,
    cylinder,
    ellipsoid,
    smooth_max,
)
from neus.sources.demo.primitives import length, smooth_min
from neus.sources.demo.stone import mix, patterns, ramp

FOOT_Z = -0.578
WALL = 0.10


@njit(cache=True)
def rind(x: float, y: float, z: float) -> float:
    """Fourteen ribs around an axis, pressed in above and below."""
    u, v = around(x, y, 14)
    rib = ellipsoid(u - 0.36, v, z + 0.06, 0.36, 0.22, 0.52)
    core = ellipsoid(x, y, z + 0.06, 0.62, 0.62, 0.48)
    solid = smooth_min(rib, core, 0.06)
    return smooth_max(solid, -ellipsoid(x, y, z - 0.46, 0.20, 0.20, 0.12), 0.10)


@njit(cache=True)
def face(x: float, y: float, z: float) -> float:
    """What the knife takes away: two eyes, a nose, a mouth with teeth; all point to the middle."""
    side = abs(y)
    eye = max(-(z - 0.05), 0.80 * (z - 0.05) + 0.60 * abs(side - 0.22) - 0.145, 0.10 - x)
    nose = max(-(z + 0.13), 0.75 * (z + 0.13) + 0.66 * side - 0.075, 0.10 - x)
    bend = z + 0.30 - 0.9 * side * side if side < 0.5 else z + 0.30 - 0.225
    mouth = max(abs(bend) / 1.35 - 0.065, side - 0.38, 0.10 - x)
    upper = box(x - 0.5, side - 0.13, z + 0.225, 0.4, 0.05, 0.05)
    lower = box(x - 0.5, y - 0.02, z + 0.345, 0.4, 0.055, 0.05)
    return min(eye, nose, max(mouth, -upper, -lower))


@njit(cache=True)
def flesh(x: float, y: float, z: float) -> float:
    inside = ellipsoid(x, y, z + 0.06, 0.62 - WALL, 0.62 - WALL, 0.47 - WALL)
    return smooth_max(rind(x, y, z), -min(inside, face(x, y, z)), 0.012)


@njit(cache=True)
def stem(x: float, y: float, z: float) -> float:
    low = capsule(x, y, z, 0.0, 0.0, 0.30, 0.03, 0.02, 0.56, 0.10, 0.06)
    high = capsule(x, y, z, 0.03, 0.02, 0.56, 0.17, -0.05, 0.70, 0.06, 0.065)
    return smooth_min(low, high, 0.05)


@njit(cache=True)
def candle(x: float, y: float, z: float) -> float:
    wax = cylinder(length(x, y), z + 0.32, 0.10, 0.20)
    return min(wax, capsule(x, y, z, 0.0, 0.0, -0.14, 0.02, 0.0, -0.05, 0.014, 0.010))


@njit(cache=True)
def leaf(x: float, y: float, z: float) -> float:
    """A vine that lies beside it."""
    one = capsule(x, y, z, 0.14, -0.05, 0.66, 0.30, -0.46, 0.50, 0.030, 0.024)
    two = capsule(x, y, z, 0.30, -0.46, 0.50, 0.24, -0.72, 0.10, 0.024, 0.020)
    three = capsule(x, y, z, 0.24, -0.72, 0.10, 0.42, -0.72, -0.40, 0.020, 0.016)
    return min(one, two, three)


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; it faces x, z is up, radii of the unit sphere."""
    body = smooth_min(flesh(x, y, z), stem(x, y, z), 0.04)
    return min(body, candle(x, y, z), leaf(x, y, z))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Orange, blotched, darker between the ribs; yellow where it is cut; a green stem."""
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    value = 0.7 + 0.6 * grain
    if candle(x, y, z) < 0.003:
        return pack((0.72, 0.70, 0.62), 0.02)
    if leaf(x, y, z) < 0.004 or stem(x, y, z) < flesh(x, y, z):
        rib = 0.5 + 0.5 * cos(7.0 * atan2(y, x) + 14.0 * strata)
        colour = mix((0.18, 0.20, 0.07), (0.30, 0.26, 0.12), rib)
        colour = mix(colour, (0.08, 0.06, 0.03), 0.6 * veins)
        return pack((value * colour[0], value * colour[1], value * colour[2]), 0.0)
    if rind(x, y, z) < -0.012:
        colour = mix((0.66, 0.42, 0.12), (0.50, 0.26, 0.07), clouds)
        fibre = 0.5 + 0.5 * sin(60.0 * strata + 40.0 * z)
        colour = mix(colour, (0.74, 0.56, 0.26), 0.5 * fibre)
        return pack((value * colour[0], value * colour[1], value * colour[2]), 0.02)
    colour = mix((0.62, 0.20, 0.03), (0.46, 0.11, 0.02), clouds)
    colour = mix(colour, (0.68, 0.40, 0.14), 0.5 * ramp(0.58, 0.7, grain))
    colour = mix(colour, (0.24, 0.10, 0.04), 0.5 * veins)
    return pack((value * colour[0], value * colour[1], value * colour[2]), 0.03)
