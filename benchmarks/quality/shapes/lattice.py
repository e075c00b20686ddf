"""A braced tower of thin struts with leaves around it and a pierced ball on top."""

from __future__ import annotations

from math import cos, sin

from numba import njit

from benchmarks.quality.shapes.paints import pack
from benchmarks.quality.shapes.solids import around, ball, box, capsule, cylinder, ellipsoid
from neus.sources.demo.primitives import (
    VERTEX_X,
    VERTEX_Z,
    bounded,
    dihedral_fold,
    icosahedral_fold,
    length,
    smooth_min,
)
from neus.sources.demo.stone import mix, patterns, ramp

SIZE = 0.9
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.84
FOOT_Z = SIZE * DRAWN_FOOT
MARGIN = 0.05
"""Beyond this from a part its bound alone counts."""
STRUT = 0.016
"""Radius of a strut: 1.7 mm on the scan."""
LEVELS = (-0.78, -0.38, -0.02, 0.30)
WIDTHS = (0.44, 0.34, 0.25, 0.17)
"""Half widths of the tower at these heights."""
BALL_Z, BALL = 0.58, 0.27


@njit(cache=True)
def tower(x: float, y: float, z: float) -> float:
    """Four legs, a square at every level, and a cross in every panel."""
    u, v = abs(x), abs(y)
    if v > u:
        u, v = v, u
    solid = 1e9
    for k in range(4):
        w, h = WIDTHS[k], LEVELS[k]
        solid = min(solid, capsule(u, v, z, w, 0.0, h, w, w, h, STRUT, STRUT))
        if k < 3:
            a, b = WIDTHS[k + 1], LEVELS[k + 1]
            leg = capsule(u, v, z, w, w, h, a, a, b, 1.6 * STRUT, 1.4 * STRUT)
            rise = capsule(u, v, z, w, w, h, a, 0.0, b, STRUT, STRUT)
            fall = capsule(u, v, z, w, 0.0, h, a, a, b, STRUT, STRUT)
            solid = smooth_min(solid, min(leg, rise, fall), 0.012)
    knob = ball(u - WIDTHS[0], v - WIDTHS[0], z - LEVELS[0], 0.05)
    fork = capsule(u, v, z, WIDTHS[3], WIDTHS[3], LEVELS[3], 0.13, 0.13, 0.40, STRUT, STRUT)
    return min(solid, knob, fork)


@njit(cache=True)
def globe(x: float, y: float, z: float) -> float:
    """A thin shell with twelve large holes, on a rod, and a core within."""
    bound = max(length(x, y) - 0.30, abs(z - 0.17) - 0.72)
    if bound >= MARGIN:
        return bound
    z = z - BALL_Z
    u, v, w = icosahedral_fold(VERTEX_Z * x + VERTEX_X * z, y, VERTEX_Z * z - VERTEX_X * x)
    shell = abs(ball(x, y, z, BALL)) - 0.02
    along = u * VERTEX_X + w * VERTEX_Z
    across = max(u * u + v * v + w * w - along * along, 0.0) ** 0.5
    shell = max(shell, 0.095 - across)
    rod = cylinder(length(x, y), z + 0.54, 0.022, 0.54)
    return bounded(bound, min(shell, rod, ball(x, y, z, 0.085)), MARGIN)


@njit(cache=True)
def leaves(x: float, y: float, z: float) -> float:
    """Two whorls of thin leaves on stems, around the tower's foot."""
    bound = max(length(x, y) - 0.84, abs(z + 0.45) - 0.40)
    if bound >= MARGIN:
        return bound
    solid = cylinder(length(x, y), z + 0.60, 0.05, 0.20)
    for whorl in range(2):
        a = 0.4 * whorl
        u, v = around(cos(a) * x + sin(a) * y, cos(a) * y - sin(a) * x, 8)
        low, high = (-0.66, -0.50) if whorl == 0 else (-0.46, -0.24)
        far = 0.62 if whorl == 0 else 0.50
        stem = capsule(u, v, z, 0.0, 0.0, low, 0.78 * far, 0.0, high + 0.012, 0.018, 0.014)
        tilt = 0.35
        p, q = u - far, z - high - 0.03
        p, q = cos(tilt) * p + sin(tilt) * q, cos(tilt) * q - sin(tilt) * p
        q = q + 0.9 * v * v if abs(v) < 0.12 else q + 0.01296
        blade = max(ellipsoid(p, v, 0.0, 0.19, 0.095, 0.2), abs(q) - 0.011) / 1.06
        solid = min(solid, smooth_min(stem, blade, 0.012))
    return bounded(bound, solid, MARGIN)


@njit(cache=True)
def base(x: float, y: float, z: float) -> float:
    u, v = dihedral_fold(x, y, 3)
    plate = max(box(u, v, z + 0.81, 0.54, 0.9, 0.03), u + 0.41421 * v - 0.62)
    return plate / 1.09


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; z is up, radii of the unit sphere."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    return SIZE * min(min(tower(x, y, z), globe(x, y, z)), min(leaves(x, y, z), base(x, y, z)))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Rusty iron, green leaves with veins, a brass ball, a slab of stone."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    value = 0.65 + 0.7 * grain
    if base(x, y, z) < 0.004:
        stone = mix((0.45, 0.41, 0.36), (0.20, 0.18, 0.17), clouds)
        stone = mix(stone, (0.08, 0.07, 0.07), 0.7 * veins)
        return pack((value * stone[0], value * stone[1], value * stone[2]), 0.0)
    if leaves(x, y, z) < 0.004:
        leaf = mix((0.10, 0.30, 0.06), (0.26, 0.34, 0.07), clouds)
        leaf = mix(leaf, (0.45, 0.42, 0.16), 0.7 * veins)
        return pack((value * leaf[0], value * leaf[1], value * leaf[2]), 0.03)
    if globe(x, y, z) < 0.004:
        brass = mix((0.55, 0.36, 0.10), (0.16, 0.09, 0.04), ramp(0.3, 0.8, clouds))
        brass = mix(brass, (0.10, 0.32, 0.27), 0.6 * veins)
        return pack((value * brass[0], value * brass[1], value * brass[2]), 0.05)
    iron = mix((0.30, 0.11, 0.05), (0.10, 0.06, 0.05), clouds)
    iron = mix(iron, (0.50, 0.24, 0.08), ramp(0.5, 0.7, strata))
    return pack((value * iron[0], value * iron[1], value * iron[2]), 0.0)
