"""A glazed elephant on a ball: smooth, glossy, patterned; seen from all around."""

from __future__ import annotations

from math import floor, sin

from numba import njit

from benchmarks.quality.shapes.paints import pack
from benchmarks.quality.shapes.solids import ball, capsule, ellipsoid, smooth_max
from neus.sources.demo.primitives import length, smooth_min
from neus.sources.demo.stone import mix, patterns, ramp

SIZE = 0.94
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.85
FOOT_Z = SIZE * DRAWN_FOOT


@njit(cache=True)
def trunk(x: float, y: float, z: float) -> float:
    """Raised, and curled at its end."""
    solid = capsule(x, y, z, 0.56, 0.0, 0.22, 0.78, 0.0, 0.10, 0.115, 0.085)
    solid = smooth_min(
        solid, capsule(x, y, z, 0.78, 0.0, 0.10, 0.86, 0.0, 0.28, 0.085, 0.065), 0.05
    )
    solid = smooth_min(solid, capsule(x, y, z, 0.86, 0.0, 0.28, 0.76, 0.0, 0.47, 0.065, 0.05), 0.03)
    return smooth_min(solid, capsule(x, y, z, 0.76, 0.0, 0.47, 0.62, 0.0, 0.50, 0.05, 0.04), 0.03)


@njit(cache=True)
def body(x: float, y: float, z: float) -> float:
    side = abs(y)
    solid = ellipsoid(x + 0.12, y, z - 0.02, 0.52, 0.36, 0.36)
    head = ellipsoid(x - 0.46, y, z - 0.28, 0.23, 0.21, 0.24)
    solid = smooth_min(solid, head, 0.12)
    front = capsule(x, side, z, 0.20, 0.18, -0.15, 0.24, 0.17, -0.50, 0.125, 0.105)
    hind = capsule(x, side, z, -0.42, 0.18, -0.12, -0.40, 0.17, -0.50, 0.135, 0.105)
    solid = smooth_min(solid, min(front, hind), 0.07)
    solid = smooth_min(solid, trunk(x, y, z), 0.06)
    tail = capsule(x, y, z, -0.60, 0.0, 0.12, -0.72, 0.05, -0.22, 0.035, 0.02)
    return smooth_min(solid, tail, 0.03)


@njit(cache=True)
def ears(x: float, y: float, z: float) -> float:
    """Thin bowls that stand off the head."""
    side = abs(y)
    u = 0.8 * (x - 0.36) - 0.6 * (side - 0.36)
    w = 0.6 * (x - 0.36) + 0.8 * (side - 0.36)
    flap = ellipsoid(u, w, z - 0.22, 0.20, 0.2, 0.26)
    shell = abs(ball(u, w + 0.55, z - 0.22, 0.55)) - 0.018
    return smooth_max(flap, shell, 0.02)


@njit(cache=True)
def tusks(x: float, y: float, z: float) -> float:
    return capsule(x, abs(y), z, 0.58, 0.10, 0.10, 0.76, 0.15, 0.0, 0.03, 0.012)


@njit(cache=True)
def rug(x: float, y: float, z: float) -> float:
    """A saddle cloth, a finger thick, with a knob on it."""
    cloth = ellipsoid(x + 0.12, y, z - 0.02, 0.545, 0.385, 0.385)
    cloth = max(cloth, abs(x + 0.12) - 0.19, -0.02 - z)
    return min(cloth, ball(x + 0.12, y, z - 0.44, 0.06))


@njit(cache=True)
def drum(x: float, y: float, z: float) -> float:
    radial = length(x + 0.08, y)
    solid = max(abs(z + 0.70) - 0.12, radial - 0.46 + 0.25 * abs(z + 0.70)) / 1.04
    rim = length(max(radial - 0.44, 0.0), z + 0.58) - 0.035
    return min(solid, rim, length(radial - 0.43, z + 0.82) - 0.03)


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; it looks along x, z is up."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    solid = smooth_min(body(x, y, z), ears(x, y, z), 0.03)
    return SIZE * min(solid, tusks(x, y, z), rug(x, y, z), drum(x, y, z))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Blue and white glaze, crackled; a red cloth; a painted drum."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    if rug(x, y, z) < 0.003:
        check = (floor(x / 0.06) + floor(y / 0.06) + floor(z / 0.06)) % 2 == 0
        colour = mix((0.50, 0.05, 0.04), (0.62, 0.42, 0.10), clouds if check else 0.9 * veins)
        return pack(colour, 0.01)
    if tusks(x, y, z) < 0.003:
        return pack((0.75, 0.70, 0.58), 0.05)
    if drum(x, y, z) < 0.003:
        stripe = 0.5 + 0.5 * sin(46.0 * (x + y) + 30.0 * z + 5.0 * strata)
        colour = mix((0.62, 0.42, 0.10), (0.08, 0.20, 0.10), ramp(0.4, 0.6, stripe))
        return pack(mix(colour, (0.1, 0.05, 0.03), 0.7 * veins), 0.04)
    colour = mix((0.62, 0.66, 0.70), (0.05, 0.13, 0.42), ramp(0.3, 0.7, clouds))
    colour = mix(colour, (0.03, 0.04, 0.12), 0.8 * veins)
    value = 0.8 + 0.4 * grain
    return pack((value * colour[0], value * colour[1], value * colour[2]), 0.05)
