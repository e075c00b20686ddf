"""A skull on a museum's stand: deep sockets, a nose, teeth, and arches with hollows behind them."""

from __future__ import annotations

from math import atan2

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

FOOT_Z = -0.81


@njit(cache=True)
def cranium(x: float, y: float, z: float) -> float:
    """The brain case, the brow and the bones of the face, before anything is hollowed."""
    solid = ellipsoid(x + 0.14, y, z - 0.30, 0.62, 0.47, 0.47)
    brow = capsule(x, y, z, 0.40, 0.03, 0.20, 0.33, 0.31, 0.17, 0.085, 0.07)
    solid = smooth_min(solid, brow, 0.10)
    face = ellipsoid(x - 0.25, y, z + 0.18, 0.27, 0.24, 0.34)
    solid = smooth_min(solid, face, 0.10)
    side = capsule(x, y, z, 0.33, 0.32, 0.14, 0.34, 0.30, -0.12, 0.045, 0.075)
    solid = smooth_min(solid, side, 0.06)
    cheek = capsule(x, y, z, 0.36, 0.16, -0.20, 0.33, 0.31, -0.12, 0.08, 0.075)
    solid = smooth_min(solid, cheek, 0.06)
    bridge = capsule(x, y, z, 0.46, 0.0, 0.12, 0.56, 0.0, -0.03, 0.055, 0.035)
    return smooth_min(solid, bridge, 0.06)


@njit(cache=True)
def sockets(x: float, y: float, z: float) -> float:
    """What is cut out of it: an eye, the nose, the hollow of the temple."""
    eye = ellipsoid(x - 0.45, y - 0.185, z - 0.05, 0.16, 0.132, 0.118)
    deep = capsule(x, y, z, 0.46, 0.18, 0.05, 0.10, 0.09, 0.03, 0.105, 0.04)
    eye = smooth_min(eye, deep, 0.05)
    nose = capsule(x, y, z, 0.60, 0.055, -0.19, 0.22, 0.04, -0.17, 0.062, 0.05)
    top = capsule(x, y, z, 0.60, 0.012, -0.06, 0.26, 0.012, -0.10, 0.03, 0.03)
    nose = smooth_min(nose, top, 0.05)
    septum = box(x - 0.30, y, z + 0.17, 0.2, 0.008, 0.2)
    nose = max(nose, -septum)
    temple = ellipsoid(x - 0.17, y - 0.44, z - 0.08, 0.20, 0.16, 0.22)
    return min(eye, nose, temple)


@njit(cache=True)
def jaws(x: float, y: float, z: float) -> float:
    """The lower jaw, from the chin to its joints, and two rows of teeth."""
    body = capsule(x, y, z, 0.43, 0.05, -0.66, 0.31, 0.23, -0.62, 0.075, 0.07)
    rear = capsule(x, y, z, 0.31, 0.23, -0.62, 0.00, 0.36, -0.50, 0.07, 0.065)
    solid = smooth_min(body, rear, 0.04)
    ramus = capsule(x, y, z, 0.00, 0.36, -0.50, -0.05, 0.375, -0.06, 0.065, 0.05)
    solid = smooth_min(solid, ramus, 0.05)
    chin = ellipsoid(x - 0.455, y, z + 0.70, 0.07, 0.10, 0.06)
    solid = smooth_min(solid, chin, 0.06)
    gum = length(length(x - 0.22, y) - 0.205, z + 0.43) - 0.055
    solid = smooth_min(solid, max(gum, 0.16 - x), 0.04)
    u, v = around(x - 0.22, y, 22)
    upper = capsule(u, v, z, 0.215, 0.0, -0.43, 0.228, 0.0, -0.515, 0.031, 0.024)
    lower = capsule(u, v, z, 0.212, 0.0, -0.62, 0.214, 0.0, -0.545, 0.031, 0.023)
    return min(solid, max(min(upper, lower), 0.20 - x))


@njit(cache=True)
def arch(x: float, y: float, z: float) -> float:
    """The cheekbone's arch, free of the skull for most of its length."""
    front = capsule(x, y, z, 0.33, 0.33, -0.12, 0.14, 0.43, -0.10, 0.05, 0.032)
    back = capsule(x, y, z, 0.14, 0.43, -0.10, -0.17, 0.37, 0.03, 0.032, 0.045)
    return smooth_min(front, back, 0.03)


@njit(cache=True)
def stand(x: float, y: float, z: float) -> float:
    radial = length(x + 0.12, y)
    foot = cylinder(radial, z - FOOT_Z - 0.02, 0.26, 0.02)
    rod = cylinder(radial, z + 0.45, 0.035, 0.36)
    jaw = capsule(x, y, z, 0.30, 0.0, FOOT_Z + 0.03, 0.40, 0.0, -0.68, 0.02, 0.02)
    plate = box(x - 0.12, y, z - FOOT_Z - 0.012, 0.26, 0.05, 0.012)
    return min(foot, rod, jaw, plate)


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; it faces x, z is up, radii of the unit sphere."""
    side = abs(y)
    solid = smooth_max(cranium(x, side, z), -sockets(x, side, z), 0.035)
    solid = smooth_min(solid, jaws(x, side, z), 0.02)
    solid = smooth_min(solid, arch(x, side, z), 0.03)
    return min(solid, stand(x, y, z))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Old bone, stained in patches, with sutures; teeth; a black stand."""
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    if stand(x, y, z) < 0.004:
        value = 0.6 + 0.8 * grain
        return pack((0.035 * value, 0.034 * value, 0.036 * value), 0.03)
    colour = mix((0.62, 0.50, 0.33), (0.42, 0.28, 0.15), 0.75 * clouds)
    colour = mix(colour, (0.20, 0.11, 0.06), 0.55 * veins)
    crack = abs(x + 0.12 + 0.06 * (strata - 0.5) + 0.02 * (grain - 0.5))
    seam = (1.0 - ramp(0.004, 0.012, crack)) * ramp(0.45, 0.55, z)
    middle = abs(y + 0.05 * (strata - 0.5) + 0.02 * (grain - 0.5))
    seam = max(seam, (1.0 - ramp(0.004, 0.011, middle)) * ramp(0.4, 0.5, z) * ramp(0.12, 0.2, -x))
    colour = mix(colour, (0.13, 0.07, 0.04), 0.8 * seam)
    if -0.60 < z < -0.44 and x > 0.19:
        angle = abs(atan2(y, x - 0.22))
        ivory = ramp(0.40, 0.42, length(x - 0.22, y) + 0.2) * (1.0 - ramp(1.5, 1.7, angle))
        colour = mix(colour, (0.72, 0.62, 0.42), 0.8 * ivory)
    value = 0.72 + 0.56 * grain
    return pack((value * colour[0], value * colour[1], value * colour[2]), 0.025)
