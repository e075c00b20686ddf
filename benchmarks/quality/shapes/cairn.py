"""A cairn: a heap of stones of all colours with deep gaps between them."""

from __future__ import annotations

from math import floor, sqrt

from numba import njit

from benchmarks.quality.shapes.paints import pack
from benchmarks.quality.shapes.solids import turn
from neus.sources.demo.primitives import smooth_min
from neus.sources.demo.stone import mix, patterns, ramp

SIZE = 0.88
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.752
FOOT_Z = SIZE * DRAWN_FOOT
STONES = (
    (0.30, 0.26, -0.58, 0.30, 0.26, 0.17, 0.3, 0.10),
    (-0.34, 0.24, -0.57, 0.33, 0.27, 0.18, 1.9, -0.08),
    (0.26, -0.33, -0.57, 0.30, 0.28, 0.18, 2.7, 0.05),
    (-0.26, -0.30, -0.59, 0.29, 0.27, 0.16, 0.9, 0.06),
    (0.58, -0.04, -0.63, 0.20, 0.16, 0.12, 1.2, 0.0),
    (-0.64, -0.10, -0.62, 0.18, 0.22, 0.13, 0.2, 0.0),
    (0.04, 0.02, -0.30, 0.42, 0.34, 0.15, 0.6, -0.12),
    (-0.30, 0.05, -0.22, 0.22, 0.20, 0.13, 1.4, 0.25),
    (0.10, -0.10, -0.07, 0.30, 0.25, 0.12, 2.2, 0.10),
    (0.02, 0.06, 0.14, 0.25, 0.20, 0.11, 0.5, -0.10),
    (0.05, -0.01, 0.34, 0.18, 0.15, 0.10, 1.7, 0.12),
    (0.02, 0.03, 0.53, 0.13, 0.12, 0.10, 0.1, -0.15),
    (0.04, 0.01, 0.70, 0.085, 0.075, 0.08, 0.9, 0.0),
    (0.44, 0.52, -0.66, 0.13, 0.11, 0.085, 0.4, 0.0),
    (0.52, -0.42, -0.67, 0.11, 0.12, 0.08, 2.0, 0.0),
)
"""Centre, half axes, turn about z and tilt of each stone."""


@njit(cache=True)
def stone(x: float, y: float, z: float, number: int) -> float:
    """A pebble: an ellipsoid whose section is between a circle and a square, a bound."""
    s = STONES[number]
    x, y, z = x - s[0], y - s[1], z - s[2]
    x, y = turn(x, y, s[6])
    x, z = turn(x, z, s[7])
    a, b, c = s[3], s[4], s[5]
    u, v, w = x / a, y / b, z / c
    power = sqrt(sqrt(u * u * u * u + v * v * v * v + w * w * w * w))
    round_one = sqrt(u * u + v * v + w * w)
    least = min(a, b, c)
    return (0.5 * power + 0.5 * round_one - 1.0) * least


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; z is up, radii of the unit sphere."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    solid = 1e9
    for number in range(len(STONES)):
        solid = smooth_min(solid, stone(x, y, z, number), 0.012)
    return SIZE * solid


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Granite, slate, sandstone, quartz with veins: each stone its own."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    nearest, number = 1e9, 0
    for k in range(len(STONES)):
        d = stone(x, y, z, k)
        if d < nearest:
            nearest, number = d, k
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed + 31 * number)
    value = 0.45 + 1.1 * grain
    kind = number % 5
    if kind == 0:
        colour = mix((0.40, 0.38, 0.36), (0.16, 0.15, 0.15), clouds)
        colour = mix(colour, (0.62, 0.56, 0.52), ramp(0.56, 0.66, grain))
    elif kind == 1:
        colour = mix((0.16, 0.18, 0.21), (0.08, 0.09, 0.11), clouds)
        colour = mix(colour, (0.60, 0.60, 0.56), 0.9 * veins)
    elif kind == 2:
        layer = abs(9.0 * (strata + z) - floor(9.0 * (strata + z)) - 0.5)
        colour = mix((0.46, 0.28, 0.15), (0.30, 0.14, 0.08), ramp(0.1, 0.4, layer))
    elif kind == 3:
        colour = mix((0.52, 0.44, 0.38), (0.40, 0.24, 0.20), clouds)
        colour = mix(colour, (0.15, 0.10, 0.09), 0.8 * veins)
    else:
        colour = mix((0.24, 0.26, 0.18), (0.13, 0.16, 0.10), clouds)
        colour = mix(colour, (0.42, 0.40, 0.22), ramp(0.55, 0.7, strata))
    return pack((value * colour[0], value * colour[1], value * colour[2]), 0.0)
