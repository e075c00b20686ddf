"""A brick school: three wings around a deep, narrow courtyard, with gables and a turret."""

from __future__ import annotations

from numba import njit

from benchmarks.quality.shapes.paints import bricks, line, pack, shade_of
from benchmarks.quality.shapes.solids import (
    box,
    capsule,
    cylinder,
    gable,
    repeat,
)
from neus.sources.demo.primitives import length, round_cone
from neus.sources.demo.stone import mix, patterns

SIZE = 0.9
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.50
FOOT_Z = SIZE * DRAWN_FOOT
GROUND = DRAWN_FOOT + 0.03
EAVES = 0.16
"""Top of the walls."""
FRONT, BACK = 0.50, -0.56
"""Ends of the wings, along x; the courtyard opens to the front."""
COURT, OUTER = 0.17, 0.60
"""Half widths of the courtyard and of the house, along y."""
COURT_END = -0.22
"""The courtyard's far wall, along x: it is deeper than it is wide."""
RIDGE = 0.22
"""Height of the roofs above the eaves."""
STOREYS = (GROUND + 0.11, GROUND + 0.52)
"""Heights of the middles of the lowest and the highest row of windows."""
RECESS = 0.014
"""Depth of the windows in the walls."""


@njit(cache=True)
def wings(x: float, y: float, z: float) -> float:
    """Walls and roofs: one wing across the back, two that reach forward."""
    side = abs(y)
    middle = 0.5 * (OUTER + COURT)
    half = 0.5 * (OUTER - COURT)
    long = 0.5 * (FRONT - BACK)
    forward = x - 0.5 * (FRONT + BACK)
    height = 0.5 * (EAVES - GROUND)
    wall = z - GROUND - height
    arm = box(forward, side - middle, wall, long, half, height)
    arm = min(arm, gable(forward, side - middle, z - EAVES, long, half + 0.02, RIDGE))
    depth = 0.5 * (COURT_END - BACK)
    behind = x - 0.5 * (COURT_END + BACK)
    rear = box(behind, y, wall, depth, OUTER, height)
    roof = gable(y, behind, z - EAVES, OUTER, depth + 0.02, RIDGE)
    return min(arm, rear, roof)


@njit(cache=True)
def stepped_gables(x: float, y: float, z: float) -> float:
    """Five steps on the front of each wing."""
    side = abs(y) - 0.5 * (OUTER + COURT)
    half = 0.5 * (OUTER - COURT)
    solid = 1e9
    for step in range(5):
        width = half * (1.0 - 0.2 * step)
        top = EAVES + 0.035 + 0.2 * RIDGE * (step + 0.6)
        solid = min(
            solid,
            box(
                x - FRONT - 0.005,
                side,
                z - 0.5 * (top + GROUND),
                0.025,
                width,
                0.5 * (top - GROUND),
            ),
        )
    return solid


@njit(cache=True)
def windows(x: float, y: float, z: float) -> float:
    """Niches in every wall, three storeys of them, and doors."""
    low, high = STOREYS
    v = repeat(z, (high - low) / 2, low, high)
    side = abs(y)
    middle = 0.5 * (OUTER + COURT)
    across = repeat(side, 0.115, middle - 0.115, middle + 0.115)
    front = box(x - FRONT - 0.03, across, v, RECESS, 0.030, 0.052)
    along = repeat(x, 0.13, BACK + 0.14, FRONT - 0.14)
    outside = box(along, side - OUTER, v, 0.033, RECESS, 0.052)
    inside = repeat(x, 0.13, COURT_END + 0.12, FRONT - 0.14)
    court = box(inside, side - COURT, v, 0.033, RECESS, 0.052)
    back = repeat(y, 0.11, -0.055, 0.055)
    end = box(x - COURT_END, back, v, RECESS, 0.030, 0.052)
    door = box(x - COURT_END, y, z - GROUND - 0.02, 0.03, 0.045, 0.085)
    return min(front, outside, court, end, door)


@njit(cache=True)
def extras(x: float, y: float, z: float) -> float:
    """Slab, gutters, chimneys, a dormer over the courtyard, a turret on a corner, steps."""
    slab = box(x + 0.0, y, z - 0.5 * (DRAWN_FOOT + GROUND), 0.62, 0.68, 0.5 * (GROUND - DRAWN_FOOT))
    side = abs(y)
    gutter = capsule(
        x,
        side,
        z,
        COURT_END,
        COURT - 0.022,
        EAVES,
        FRONT - 0.03,
        COURT - 0.022,
        EAVES,
        0.014,
        0.014,
    )
    outer = capsule(
        x, side, z, BACK, OUTER + 0.022, EAVES, FRONT - 0.03, OUTER + 0.022, EAVES, 0.014, 0.014
    )
    pipe = cylinder(length(x - FRONT + 0.05, side - COURT + 0.020), z + 0.15, 0.011, 0.32)
    chimney = box(x - 0.18, side - 0.5 * (OUTER + COURT) - 0.04, z - 0.36, 0.035, 0.03, 0.12)
    pot = cylinder(length(x + 0.42, y - 0.12), z - 0.36, 0.04, 0.13)
    dormer = box(x - COURT_END + 0.06, y, z - EAVES - 0.05, 0.075, 0.11, 0.085)
    hood = gable(x - COURT_END + 0.06, y, z - EAVES - 0.13, 0.09, 0.13, 0.06)
    turret = cylinder(length(x - FRONT + 0.02, y + OUTER - 0.02), z - 0.02, 0.085, 0.20)
    corbel = round_cone(length(x - FRONT + 0.02, y + OUTER - 0.02), z + 0.30, 0.11, 0.02, 0.08)
    spire = round_cone(length(x - FRONT + 0.02, y + OUTER - 0.02), z - 0.23, 0.21, 0.105, 0.006)
    stairs = box(x - COURT_END - 0.05, y, z - GROUND, 0.05, 0.07, 0.025)
    stairs = min(stairs, box(x - COURT_END - 0.08, y, z - GROUND, 0.05, 0.09, 0.012))
    first = min(slab, gutter, outer, pipe, chimney, pot)
    return min(first, min(dormer, hood, max(turret, -1.0), corbel, max(spire, 0.20 - z), stairs))


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; the courtyard opens towards x, z is up."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    walls = min(wings(x, y, z), stepped_gables(x, y, z))
    return SIZE * min(max(walls, -windows(x, y, z)), extras(x, y, z))


@njit(cache=True)
def _window(u: float, v: float, wide: float, high: float, footprint: float) -> int:
    """White bars on dark glass."""
    bars = max(line(u, wide, 0.011, footprint), line(v, high, 0.011, footprint))
    colour = mix((0.03, 0.035, 0.045), (0.78, 0.76, 0.70), bars)
    return pack(colour, 0.05 * (1.0 - bars))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Bricks with mortar, slates, windows, green copper, a paved yard."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    clouds, veins, _, grain = patterns(x, y, z, footprint, seed)
    value = 0.7 + 0.6 * grain
    wall = min(wings(x, y, z), stepped_gables(x, y, z))
    if wall > 0.004 and extras(x, y, z) < 0.002:
        return _paint_extras(x, y, z, nz, footprint, clouds, value)
    u = y if abs(nx) > abs(ny) else x
    low, high = STOREYS
    if windows(x, y, z) < 0.003 and abs(nz) < 0.5 and wall < -0.25 * RECESS:
        v = repeat(z, (high - low) / 2, low, high)
        if z < GROUND + 0.11 and abs(y) < 0.05 and x < COURT_END + 0.05:
            planks = line(y, 0.02, 0.004, footprint)
            return pack(mix((0.16, 0.09, 0.04), (0.04, 0.02, 0.01), planks), 0.02)
        return _window(_column(x, y, nx, ny), v - 0.012, 0.027, 0.036, footprint)
    if nz > 0.4 and z > EAVES - 0.03:
        slope = z * 1.5
        seam, number = bricks(u if abs(nx) < 0.3 else y, slope, 0.030, 0.024, 0.004, footprint)
        slate = mix((0.30, 0.31, 0.34), (0.20, 0.21, 0.24), clouds)
        slate = mix(slate, (0.07, 0.07, 0.08), 0.8 * seam)
        value *= shade_of(number, 0.16 * min(1.0, 0.02 / footprint))
        return pack((value * slate[0], value * slate[1], value * slate[2]), 0.03)
    seam, number = bricks(u, z, 0.036, 0.0145, 0.0034, footprint)
    red = mix((0.40, 0.075, 0.045), (0.27, 0.045, 0.035), clouds)
    red = mix(red, (0.16, 0.03, 0.03), 0.35 * veins)
    red = mix(red, (0.36, 0.22, 0.17), 0.75 * seam)
    value *= shade_of(number, 0.22 * min(1.0, 0.02 / footprint))
    return pack((value * red[0], value * red[1], value * red[2]), 0.0)


@njit(cache=True)
def _column(x: float, y: float, nx: float, ny: float) -> float:
    """Where in its window a point is, from side to side."""
    if abs(nx) > abs(ny):
        if x > 0.0:
            middle = 0.5 * (OUTER + COURT)
            return repeat(abs(y), 0.115, middle - 0.115, middle + 0.115)
        return repeat(y, 0.11, -0.055, 0.055)
    first = COURT_END + 0.12 if abs(y) < 0.5 * (COURT + OUTER) else BACK + 0.14
    return repeat(x, 0.13, first, FRONT - 0.14)


@njit(cache=True)
def _paint_extras(
    x: float, y: float, z: float, nz: float, footprint: float, clouds: float, value: float
) -> int:
    if z < GROUND + 0.03 and z <= GROUND + 0.004:
        seam, number = bricks(x, y, 0.05, 0.05, 0.006, footprint)
        stone = mix((0.33, 0.32, 0.31), (0.22, 0.21, 0.20), clouds)
        stone = mix(stone, (0.10, 0.10, 0.10), 0.7 * seam)
        value *= shade_of(number, 0.15)
    elif z < GROUND + 0.03:
        stone = (0.45, 0.42, 0.38)
    elif length(x - FRONT + 0.02, y + OUTER - 0.02) < 0.12:
        stone = (0.07, 0.22, 0.12) if z > 0.215 else (0.36, 0.065, 0.04)
        if z <= 0.215:
            seam = line(z, 0.0145, 0.0034, footprint)
            stone = mix(stone, (0.36, 0.22, 0.17), 0.7 * seam)
    elif abs(y) < 0.15 and z > EAVES - 0.1 and x > -0.4:
        ribs = line(y, 0.03, 0.005, footprint)
        stone = mix((0.42, 0.44, 0.47), (0.2, 0.2, 0.22), ribs)
    elif z > EAVES + 0.03:
        stone = mix((0.33, 0.08, 0.05), (0.2, 0.05, 0.04), clouds)
    else:
        stone = (0.62, 0.62, 0.60)
    return pack((value * stone[0], value * stone[1], value * stone[2]), 0.02)
