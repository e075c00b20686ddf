"""A white jug and a bowl with two eggs: large, smooth, with hardly a mark on them."""

from __future__ import annotations

from numba import njit

from benchmarks.quality.shapes.paints import pack
from benchmarks.quality.shapes.solids import ball, capsule, cylinder, ellipsoid, smooth_max
from neus.sources.demo.primitives import length, rounded_box, smooth_min
from neus.sources.demo.stone import mix, patterns, ramp

SIZE = 0.92
"""Of what follows, which is drawn somewhat larger than the unit sphere."""
DRAWN_FOOT = -0.685
FOOT_Z = SIZE * DRAWN_FOOT


@njit(cache=True)
def jug(x: float, y: float, z: float) -> float:
    """Turned, hollow at its mouth, with a spout and a handle."""
    x, y = x + 0.18, y + 0.20
    radial = length(x, y)
    belly = ellipsoid(x, y, z + 0.22, 0.40, 0.40, 0.44)
    neck = cylinder(radial, z - 0.30, 0.19, 0.28) - 0.0
    lip = length(radial - 0.22, z - 0.58) - 0.035
    solid = smooth_min(smooth_min(belly, neck, 0.22), lip, 0.10)
    spout = capsule(x, y, z, 0.12, 0.06, 0.40, 0.34, 0.15, 0.60, 0.11, 0.05)
    solid = smooth_min(solid, spout, 0.08)
    inside = capsule(x, y, z, 0.0, 0.0, 0.05, 0.0, 0.0, 0.75, 0.10, 0.19)
    gutter = capsule(x, y, z, 0.08, 0.04, 0.60, 0.40, 0.18, 0.68, 0.12, 0.05)
    solid = smooth_max(solid, -smooth_min(inside, gutter, 0.05), 0.03)
    foot = cylinder(radial, z + 0.64, 0.27, 0.04)
    solid = smooth_min(solid, foot, 0.05)
    u, v = 0.9 * x + 0.436 * y, 0.9 * y - 0.436 * x
    loop = length(length(u + 0.34, z - 0.20) - 0.24, v) - 0.045
    loop = max(loop, u + 0.18)
    return smooth_min(solid, loop, 0.05)


@njit(cache=True)
def bowl(x: float, y: float, z: float) -> float:
    x, y, z = x - 0.38, y - 0.36, z + 0.40
    shell = abs(ball(x, y, z - 0.06, 0.30)) - 0.022
    shell = smooth_max(shell, z - 0.08, 0.02)
    return smooth_min(shell, cylinder(length(x, y), z + 0.24, 0.14, 0.04), 0.03)


@njit(cache=True)
def eggs(x: float, y: float, z: float) -> float:
    one = ellipsoid(x - 0.36, y - 0.44, z + 0.40, 0.155, 0.115, 0.115)
    two = ellipsoid(x - 0.44, y - 0.22, z + 0.43, 0.11, 0.13, 0.105)
    return min(one, two)


@njit(cache=True)
def board(x: float, y: float, z: float) -> float:
    """What both stand on."""
    p, q = 0.7 * (x - 0.1) + 0.714 * (y - 0.08), 0.7 * (y - 0.08) - 0.714 * (x - 0.1)
    return rounded_box(length(max(abs(p) - 0.22, 0.0), q), z + 0.665, 0.42, 0.02, 0.015)


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; z is up, radii of the unit sphere."""
    x, y, z = x / SIZE, y / SIZE, z / SIZE
    return SIZE * min(min(jug(x, y, z), bowl(x, y, z)), min(eggs(x, y, z), board(x, y, z)))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """White glaze with one blue band, a grey bowl, plain eggs: nothing for stereo to hold on to."""
    x, y, z, footprint = x / SIZE, y / SIZE, z / SIZE, footprint / SIZE
    clouds, _, _, _ = patterns(x, y, z, footprint, seed)
    if eggs(x, y, z) < 0.003:
        return pack(mix((0.66, 0.48, 0.34), (0.62, 0.44, 0.30), clouds), 0.0)
    if board(x, y, z) < 0.003:
        return pack(mix((0.16, 0.15, 0.14), (0.13, 0.12, 0.115), clouds), 0.0)
    if bowl(x, y, z) < 0.003:
        return pack((0.30, 0.33, 0.34), 0.03)
    band = ramp(0.155, 0.16, z) * (1.0 - ramp(0.195, 0.20, z))
    colour = mix((0.70, 0.69, 0.66), (0.08, 0.14, 0.34), 0.9 * band)
    colour = mix(colour, (0.60, 0.58, 0.54), 0.10 * clouds)
    return pack(colour, 0.035)
