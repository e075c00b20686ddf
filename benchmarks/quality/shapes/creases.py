"""Sharp edges: stairs, a star, a pierced cube, a gear, a faceted gem on a cut block."""

from __future__ import annotations

from math import cos, floor, pi, sin, sqrt

from numba import njit

from benchmarks.quality.shapes.paints import line, pack
from benchmarks.quality.shapes.solids import around, box, cylinder, turn
from neus.sources.demo.primitives import bounded, icosahedral_fold, length
from neus.sources.demo.stone import mix, patterns

SIZE = 0.955
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.62
FOOT_Z = SIZE * DRAWN_FOOT
MARGIN = 0.05
"""Beyond this from a part its bound alone counts."""


@njit(cache=True)
def block(x: float, y: float, z: float) -> float:
    """The lowest part: a block with chamfered corners, grooves and steps at its front."""
    bound = box(x - 0.08, y, z + 0.50, 0.70, 0.56, 0.125)
    if bound >= MARGIN:
        return bound
    solid = box(x, y, z + 0.50, 0.56, 0.52, 0.12)
    solid = max(solid, (x + abs(y)) / sqrt(2.0) - 0.62)
    groove = box(abs(x) - 0.2, y, z + 0.38, 0.03, 0.9, 0.03)
    side = box(x, abs(y) - 0.52, z + 0.50, 0.9, 0.03, 0.03)
    solid = max(solid, -groove, -side)
    for k in range(3):
        step = box(x - 0.56 - 0.045 * k, y, z + 0.62 - 0.035 * (3 - k), 0.06, 0.16, 0.035 * (3 - k))
        solid = min(solid, step)
    return bounded(bound, solid, MARGIN)


@njit(cache=True)
def pierced_cube(x: float, y: float, z: float) -> float:
    """A cube on its face, turned, with square holes right through it."""
    bound = sqrt((x + 0.16) ** 2 + (y + 0.20) ** 2 + (z + 0.13) ** 2) - 0.44
    if bound >= MARGIN:
        return bound
    x, y = turn(x + 0.16, y + 0.20, 0.5)
    z = z + 0.14
    solid = box(x, y, z, 0.25, 0.25, 0.25)
    for_x = max(abs(y) - 0.12, abs(z) - 0.12)
    for_y = max(abs(x) - 0.12, abs(z) - 0.12)
    for_z = max(abs(x) - 0.12, abs(y) - 0.12)
    return bounded(bound, max(solid, -min(for_x, for_y, for_z)), MARGIN)


@njit(cache=True)
def star(x: float, y: float, z: float) -> float:
    """A ball of twelve faces with a round spike on each, by the icosahedral group's wedge."""
    bound = sqrt((x + 0.16) ** 2 + (y + 0.20) ** 2 + (z - 0.40) ** 2) - 0.42
    if bound >= MARGIN:
        return bound
    x, y, z = x + 0.16, y + 0.20, z - 0.40
    u, v, w = icosahedral_fold(x, y, z)
    along = u * 0.52573 + w * 0.85065
    body = along - 0.20
    spike = 0.8 * along + 0.75 * length(v, u * 0.85065 - w * 0.52573) - 0.29
    return bounded(bound, min(body, spike / 1.1), MARGIN)


@njit(cache=True)
def gear(x: float, y: float, z: float) -> float:
    """A thick gear that stands on its rim, with a hexagonal hole and pockets."""
    bound = sqrt((x - 0.08) ** 2 + (y - 0.27) ** 2 + (z + 0.11) ** 2) - 0.36
    if bound >= MARGIN:
        return bound
    x, y = turn(x - 0.08, y - 0.27, -0.35)
    z = z + 0.11
    u, v = around(x, z, 14)
    radial = length(x, z)
    solid = max(radial - 0.25, abs(y) - 0.085)
    tooth = max(abs(v) - 0.034 + 0.25 * (u - 0.25), abs(u - 0.24) - 0.055, abs(y) - 0.085) / 1.04
    solid = min(solid, tooth)
    p, q = around(x, z, 6)
    solid = max(solid, 0.075 - p)
    pocket = max(abs(radial - 0.17) - 0.045, 0.035 - abs(y))
    p, q = around(x, z, 5)
    pocket = max(pocket, 0.02 - abs(turn(p, q, pi / 5)[1]), 0.02 - abs(turn(p, q, -pi / 5)[1]))
    return bounded(bound, max(solid, -pocket), MARGIN)


@njit(cache=True)
def gem(x: float, y: float, z: float) -> float:
    """Eight-sided, with a table, a crown and a pavilion that is cut off."""
    bound = sqrt((x - 0.34) ** 2 + (y + 0.22) ** 2 + (z + 0.26) ** 2) - 0.30
    if bound >= MARGIN:
        return bound
    x, y, z = x - 0.34, y + 0.22, z + 0.26
    u, _ = around(x, y, 8)
    p, _ = around(x * cos(pi / 8) + y * sin(pi / 8), y * cos(pi / 8) - x * sin(pi / 8), 8)
    crown = 0.6 * u + 0.8 * z - 0.175
    star_cut = 0.45 * p + 0.893 * z - 0.165
    pavilion = 0.85 * u - 0.527 * z - 0.175
    return bounded(
        bound, max(max(crown, star_cut), max(pavilion, z - 0.15), max(-0.13 - z, u - 0.2)), MARGIN
    )


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; z is up, radii of the unit sphere."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    rod = cylinder(length(x - 0.42, y - 0.34), z + 0.2, 0.05, 0.20)
    hexagon = max(around(x - 0.42, y - 0.34, 6)[0] - 0.10, abs(z + 0.02) - 0.05)
    solid = min(block(x, y, z), pierced_cube(x, y, z), star(x, y, z))
    return SIZE * min(solid, min(gear(x, y, z), gem(x, y, z), rod, hexagon))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Wood, marble, brushed metal, painted wood and a matt gem."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    value = 0.7 + 0.6 * grain
    if block(x, y, z) < 0.003:
        rings = 0.5 + 0.5 * sin(90.0 * (y + 0.3 * strata + 0.1 * clouds))
        colour = mix((0.42, 0.24, 0.11), (0.24, 0.12, 0.05), rings)
    elif pierced_cube(x, y, z) < 0.003:
        colour = mix((0.62, 0.60, 0.56), (0.32, 0.31, 0.31), clouds)
        colour = mix(colour, (0.10, 0.10, 0.12), 0.85 * veins)
    elif star(x, y, z) < 0.003:
        check = line(x + 0.3 * z, 0.035, 0.012, footprint)
        colour = mix((0.55, 0.12, 0.06), (0.62, 0.48, 0.16), check)
        colour = mix(colour, (0.2, 0.05, 0.03), 0.5 * clouds)
    elif gem(x, y, z) < 0.003:
        colour = mix((0.06, 0.28, 0.16), (0.12, 0.42, 0.32), clouds)
        colour = mix(colour, (0.55, 0.62, 0.50), 0.7 * veins)
    else:
        number = floor(40.0 * strata)
        colour = mix((0.34, 0.35, 0.37), (0.22, 0.23, 0.25), 0.5 + 0.5 * sin(3.1 * number))
        colour = mix(colour, (0.30, 0.14, 0.07), 0.8 * clouds * clouds)
    return pack((value * colour[0], value * colour[1], value * colour[2]), 0.015)
