"""A helmet: dark, glossy, hollow behind its slits, with a comb, rivets and cheek guards."""

from __future__ import annotations

from numba import njit

from benchmarks.quality.shapes.paints import pack
from benchmarks.quality.shapes.solids import (
    around,
    ball,
    box,
    capsule,
    cylinder,
    ellipsoid,
    smooth_max,
)
from neus.sources.demo.primitives import length, smooth_min
from neus.sources.demo.stone import mix, patterns, ramp

FOOT_Z = -0.78


@njit(cache=True)
def skull_cap(x: float, y: float, z: float, grown: float) -> float:
    """The closed outside of the helmet; ``grown`` moves it outwards."""
    dome = ellipsoid(x + 0.05, y, z - 0.12, 0.56 + grown, 0.47 + grown, 0.56 + grown)
    chin = ellipsoid(x - 0.05, y, z + 0.20, 0.50 + grown, 0.38 + grown, 0.46 + grown)
    solid = smooth_min(dome, chin, 0.12)
    beak = capsule(x, y, z, 0.40, 0.0, 0.0, 0.56, 0.0, -0.14, 0.14 + grown, 0.06 + grown)
    return smooth_min(solid, beak, 0.14)


@njit(cache=True)
def shell(x: float, y: float, z: float) -> float:
    """A thick sheet, open below, with slits for the eyes and holes to breathe."""
    outer, inner = skull_cap(x, y, z, 0.0), skull_cap(x, y, z, -0.07)
    solid = smooth_max(outer, -inner, 0.015)
    solid = smooth_max(solid, -0.52 - z + 0.25 * x, 0.02) / 1.03
    side = abs(y)
    slit = box(x - 0.50, side - 0.19, z - 0.13 + 0.1 * side, 0.30, 0.125, 0.036) / 1.01
    holes = 1e9
    for row in range(3):
        for column in range(3):
            px, pz = 0.26 + 0.085 * column, -0.12 - 0.085 * row
            hole = max(length(x - px, z - pz) - 0.026, 0.02 - y)
            holes = min(holes, hole)
    return smooth_max(solid, -min(slit, holes), 0.012)


@njit(cache=True)
def trimmings(x: float, y: float, z: float) -> float:
    """A comb over the crown, a rim over the eyes, a hinge on each side, rivets."""
    side = abs(y)
    ring = length(x + 0.05, z - 0.12)
    comb = max(abs(side) - 0.022, ring - 0.66, 0.50 - ring, -0.02 - z + 0.25 * x, x - 0.38)
    rim = skull_cap(x, y, z, 0.022)
    rim = max(rim, abs(z - 0.235 + 0.1 * side) / 1.01 - 0.022, -0.05 - x)
    lower = max(skull_cap(x, y, z, 0.022), abs(z + 0.49 - 0.25 * x) / 1.03 - 0.026)
    lower = max(lower, -skull_cap(x, y, z, -0.05))
    hinge = cylinder(length(x + 0.05, z - 0.10), side - 0.46, 0.085, 0.045)
    pin = ball(x + 0.05, side - 0.51, z - 0.10, 0.035)
    _, v = around(x + 0.02, y, 24)
    rivet = 1e9
    if z < 0.0:
        rivet = length(skull_cap(x, y, z, 0.022), length(v, z + 0.49 - 0.25 * x)) - 0.014
    return min(min(comb, rim, lower), min(hinge, pin, rivet))


@njit(cache=True)
def stand(x: float, y: float, z: float) -> float:
    radial = length(x, y)
    foot = cylinder(radial, z + 0.755, 0.36, 0.025)
    post = cylinder(radial, z + 0.05, 0.09, 0.68)
    return min(foot, post, ball(x, y, z - 0.22, 0.24))


@njit(cache=True)
def distance(x: float, y: float, z: float) -> float:
    """Signed distance bound, positive outside; it faces x, z is up, radii of the unit sphere."""
    solid = min(shell(x, y, z), trimmings(x, y, z))
    return min(0.87 * solid, stand(x, y, z))


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Black lacquer with scratches and a few stains of rust, brass trimmings, a wooden stand."""
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    if stand(x, y, z) < 0.003:
        wood = mix((0.22, 0.12, 0.06), (0.10, 0.05, 0.03), ramp(0.4, 0.6, strata))
        value = 0.7 + 0.6 * grain
        return pack((value * wood[0], value * wood[1], value * wood[2]), 0.02)
    if trimmings(x, y, z) < 0.003 and shell(x, y, z) > 0.002:
        brass = mix((0.30, 0.19, 0.06), (0.12, 0.07, 0.03), clouds)
        return pack(mix(brass, (0.05, 0.04, 0.03), 0.6 * veins), 0.22)
    dark = mix((0.022, 0.024, 0.030), (0.045, 0.040, 0.038), clouds)
    dark = mix(dark, (0.13, 0.12, 0.11), 0.45 * veins * ramp(0.45, 0.6, strata))
    rust = ramp(0.62, 0.75, grain) * ramp(0.55, 0.75, clouds)
    return pack(mix(dark, (0.13, 0.055, 0.025), rust), 0.13 * (1.0 - rust))
