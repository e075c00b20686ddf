"""A castle: a wall with battlements and round towers around a yard, with a keep in it."""

from __future__ import annotations

from numba import njit

from benchmarks.quality.shapes.paints import bricks, line, pack, shade_of
from benchmarks.quality.shapes.solids import around, box, cylinder, gable, repeat
from neus.sources.demo.primitives import bounded, length, round_cone
from neus.sources.demo.stone import mix, patterns, ramp

SIZE = 0.95
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.52
FOOT_Z = SIZE * DRAWN_FOOT
MARGIN = 0.05
"""Beyond this from a part its bound alone counts."""
GROUND = DRAWN_FOOT + 0.05
WALL, THICK, TOP = 0.52, 0.055, 0.02
"""Half width of the square of walls, half their thickness, and the height of the walk on them."""
YARD_X, YARD_Y = -0.14, 0.06
"""Where the keep stands."""


@njit(cache=True)
def walls(x: float, y: float, z: float) -> float:
    """Four walls with battlements, a gate in the front one and a walk along them."""
    bound = max(abs(z + 0.20) - 0.32, abs(x) - 0.62, abs(y) - 0.62, 0.42 - max(abs(x), abs(y)))
    if bound >= MARGIN:
        return bound
    u, v = (x, y) if abs(x) > abs(y) else (y, x)
    height = 0.5 * (TOP - GROUND)
    solid = box(abs(u) - WALL, v, z - GROUND - height, THICK, WALL, height)
    tooth = repeat(v, 0.09, -0.405, 0.405)
    merlon = box(abs(u) - WALL - THICK + 0.02, tooth, z - TOP - 0.03, 0.02, 0.026, 0.05)
    parapet = box(abs(u) - WALL - THICK + 0.02, v, z - TOP, 0.02, WALL, 0.03)
    solid = min(solid, merlon, parapet)
    gate = max(length(y, max(z + 0.26, 0.0)) - 0.10, abs(x - WALL) - 0.2)
    loop = box(abs(u) - WALL - THICK, repeat(v, 0.18, -0.27, 0.27), z + 0.16, 0.02, 0.010, 0.05)
    return bounded(bound, max(solid, -gate, -loop), MARGIN)


@njit(cache=True)
def towers(x: float, y: float, z: float) -> float:
    """One on each corner; the two at the back have roofs."""
    bound = max(length(abs(x) - WALL, abs(y) - WALL) - 0.17, abs(z + 0.02) - 0.50)
    if bound >= MARGIN:
        return bound
    u, v = abs(x) - WALL, abs(y) - WALL
    radial = length(u, v)
    drum = cylinder(radial, z - 0.5 * (0.14 + GROUND), 0.125, 0.5 * (0.14 - GROUND))
    crown = max(abs(radial - 0.135) - 0.022, abs(z - 0.17) - 0.055)
    p, q = around(u, v, 8)
    gap = box(p - 0.135, q, z - 0.215, 0.06, 0.026, 0.035)
    solid = min(drum, max(crown, -gap))
    if x < 0.0:
        roof = round_cone(radial, z - 0.20, 0.24, 0.128, 0.008)
        solid = min(solid, max(roof, 0.13 - z))
    return bounded(bound, solid, MARGIN)


@njit(cache=True)
def keep(x: float, y: float, z: float) -> float:
    """A tall house in the yard, with a roof, windows and a stair."""
    bound = box(x - YARD_X - 0.03, y - YARD_Y, z + 0.04, 0.26, 0.18, 0.48)
    if bound >= MARGIN:
        return bound
    x, y = x - YARD_X, y - YARD_Y
    house = box(x, y, z - 0.5 * (0.20 + GROUND), 0.17, 0.13, 0.5 * (0.20 - GROUND))
    roof = gable(x, y, z - 0.20, 0.17, 0.15, 0.17)
    niche = box(
        x - 0.17, repeat(y, 0.09, -0.045, 0.045), repeat(z, 0.17, -0.26, 0.08), 0.02, 0.02, 0.045
    )
    side = box(
        repeat(x, 0.11, -0.11, 0.11), abs(y) - 0.13, repeat(z, 0.17, -0.26, 0.08), 0.02, 0.02, 0.045
    )
    solid = min(max(house, -min(niche, side)), roof)
    for k in range(4):
        step = box(
            x - 0.20, y + 0.10 - 0.05 * k, z - GROUND - 0.015 * k, 0.05, 0.026, 0.015 * k + 0.03
        )
        solid = min(solid, step)
    return bounded(bound, min(solid, box(x + 0.08, y - 0.08, z - 0.34, 0.025, 0.025, 0.08)), MARGIN)


@njit(cache=True)
def yard(x: float, y: float, z: float) -> float:
    """The ground, a well, a shed and a cart's wheel against the wall."""
    mound = max(
        cylinder(length(x, y), z - 0.5 * (DRAWN_FOOT + GROUND), 0.80, 0.5 * (GROUND - DRAWN_FOOT)),
        -1.0,
    )
    radial = length(x - 0.26, y + 0.24)
    well = max(abs(radial - 0.07) - 0.018, abs(z - GROUND - 0.05) - 0.05)
    shed = box(x - 0.18, y - 0.38, z - GROUND - 0.08, 0.16, 0.08, 0.08)
    hood = max(
        0.8 * (z - GROUND - 0.15) + 0.6 * (y - 0.38), abs(x - 0.18) - 0.18, -(z - GROUND - 0.13)
    )
    hood = max(hood, abs(y - 0.38) - 0.10)
    wheel = length(length(x - 0.40, z + 0.388) - 0.075, y + 0.455) - 0.014
    return min(min(mound, well), min(shed, hood, wheel))


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; the gate looks along x, z is up."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    return SIZE * min(min(walls(x, y, z), towers(x, y, z)), min(keep(x, y, z), yard(x, y, z)))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Blocks of sandstone, tiles, plaster with beams, grass and sand."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    value = 0.65 + 0.7 * grain
    if yard(x, y, z) < 0.003:
        if z < GROUND + 0.004:
            colour = mix((0.20, 0.22, 0.08), (0.40, 0.33, 0.20), ramp(0.3, 0.7, clouds))
        else:
            colour = mix(
                (0.34, 0.20, 0.10), (0.18, 0.10, 0.05), line(x + y, 0.03, 0.006, footprint)
            )
        return pack((value * colour[0], value * colour[1], value * colour[2]), 0.0)
    steep = nz > 0.35 and z > 0.205 and walls(x, y, z) > 0.003
    if steep and (x < 0.0 or keep(x, y, z) < 0.003):
        seam, number = bricks(x + y, 1.4 * z, 0.026, 0.022, 0.004, footprint)
        colour = mix((0.42, 0.14, 0.07), (0.26, 0.08, 0.05), clouds)
        colour = mix(colour, (0.10, 0.04, 0.03), 0.7 * seam)
        value *= shade_of(number, 0.15)
    elif keep(x, y, z) < 0.003:
        beams = max(line(x + y, 0.085, 0.012, footprint), line(z, 0.085, 0.012, footprint))
        colour = mix((0.58, 0.52, 0.40), (0.14, 0.08, 0.04), beams)
        colour = mix(colour, (0.40, 0.35, 0.26), 0.5 * clouds)
    else:
        along = y if abs(nx) > abs(ny) else x
        seam, number = bricks(along, z, 0.060, 0.034, 0.005, footprint)
        colour = mix((0.46, 0.37, 0.24), (0.30, 0.24, 0.17), clouds)
        colour = mix(colour, (0.16, 0.12, 0.08), 0.75 * max(seam, 0.5 * veins))
        value *= shade_of(number, 0.2)
        colour = mix(colour, (0.20, 0.22, 0.10), 0.5 * ramp(0.55, 0.7, strata))
    return pack((value * colour[0], value * colour[1], value * colour[2]), 0.0)
