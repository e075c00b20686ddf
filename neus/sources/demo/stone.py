"""The stones of the sculpture: veined, clouded, speckled, and nowhere the same twice.

Solid textures (Perlin, SIGGRAPH 1985; Peachey, SIGGRAPH 1985) on value noise over an integer
hash. Octaves finer than a pixel fade out, so that a single sample per pixel does not alias.
Colours are linear reflectances.
"""

from __future__ import annotations

from math import floor, sin, sqrt

from numba import njit

from neus.sources.demo.sculpture import (
    BAND,
    CAGE,
    CORE,
    FINIAL,
    ORB_RADIUS,
    ORB_Z,
    PEDESTAL,
)

DRUM_LOW, DRUM_HIGH, DRUM_RADIUS = -0.60, -0.436, 0.305
"""The fluted drum of the pedestal is of another stone."""
COARSEST = 0.22
OCTAVES = 6


@njit(cache=True)
def _hash(i: int, j: int, k: int, seed: int) -> int:
    """32 well-mixed bits of a lattice point (a multiply-xorshift finaliser)."""
    mask = 0xFFFFFFFF
    h = (i * 0x8DA6B343 + j * 0xD8163841 + k * 0xCB1AB31F + seed * 0x9E3779B1) & mask
    h = ((h ^ (h >> 16)) * 0x7FEB352D) & mask
    h = ((h ^ (h >> 15)) * 0x846CA68B) & mask
    return h ^ (h >> 16)


@njit(cache=True)
def _noise(x: float, y: float, z: float, seed: int) -> tuple[float, float, float, float]:
    """Four independent value noises in [0, 1], with twice differentiable blending."""
    i, j, k = floor(x), floor(y), floor(z)
    fx, fy, fz = x - i, y - j, z - k
    fx = fx * fx * fx * (fx * (6.0 * fx - 15.0) + 10.0)
    fy = fy * fy * fy * (fy * (6.0 * fy - 15.0) + 10.0)
    fz = fz * fz * fz * (fz * (6.0 * fz - 15.0) + 10.0)
    a = b = c = d = 0.0
    for corner in range(8):
        ox, oy, oz = corner & 1, (corner >> 1) & 1, corner >> 2
        weight = (fx if ox else 1.0 - fx) * (fy if oy else 1.0 - fy) * (fz if oz else 1.0 - fz)
        bits = _hash(i + ox, j + oy, k + oz, seed)
        a += weight * (bits & 255)
        b += weight * ((bits >> 8) & 255)
        c += weight * ((bits >> 16) & 255)
        d += weight * (bits >> 24)
    return a / 255.0, b / 255.0, c / 255.0, d / 255.0


@njit(cache=True)
def ramp(low: float, high: float, value: float) -> float:
    """0 below ``low``, 1 above ``high``, a smooth step between."""
    t = min(max((value - low) / (high - low), 0.0), 1.0)
    return t * t * (3.0 - 2.0 * t)


@njit(cache=True)
def patterns(
    x: float, y: float, z: float, footprint: float, seed: int
) -> tuple[float, float, float, float]:
    """Clouds, veins, strata and grain at a point, each in [0, 1]."""
    # The sums start at a vanishing share of the mean, which a pixel wider than all cells shows.
    clouds = veins = strata = grain = 0.5e-9
    rough = smooth = fine = 1e-9
    cell, amplitude = COARSEST, 1.0
    for octave in range(OCTAVES):
        fade = min(max(cell / footprint - 1.0, 0.0), 1.0)
        if fade == 0.0:
            break
        a, b, c, d = _noise(x / cell, y / cell, z / cell, seed + octave)
        clouds, rough = clouds + fade * amplitude * a, rough + fade * amplitude
        weight = fade * amplitude * amplitude
        veins, strata, smooth = veins + weight * b, strata + weight * c, smooth + weight
        if octave >= 2:
            grain, fine = grain + fade * d, fine + fade
        cell, amplitude = 0.47 * cell, 0.72 * amplitude
        x, y, z = 0.36 * x + 0.48 * y - 0.8 * z, -0.8 * x + 0.6 * y, 0.48 * x + 0.64 * y + 0.6 * z
    clouds = ramp(0.28, 0.72, clouds / rough)
    veins = 1.0 - ramp(0.0, 0.03, abs(veins / smooth - 0.5))
    return clouds, veins, strata / smooth, grain / fine


@njit(cache=True)
def wall_pattern(x: float, y: float, z: float, footprint: float, seed: int) -> tuple[float, float]:
    """Clouds and grain at a point of a wall, each in [0, 1]."""
    clouds, _, _, grain = patterns(0.6 * x, 0.6 * y, 0.6 * z, 0.6 * footprint, seed)
    return clouds, grain


@njit(cache=True)
def mix(a, b, weight: float) -> tuple[float, float, float]:
    return (
        a[0] + weight * (b[0] - a[0]),
        a[1] + weight * (b[1] - a[1]),
        a[2] + weight * (b[2] - a[2]),
    )


@njit(cache=True)
def albedo(
    x: float, y: float, z: float, piece: int, footprint: float, seed: int
) -> tuple[float, float, float]:
    """Linear RGB reflectance at a surface point of a part, for pixels ``footprint`` wide there."""
    clouds, veins, strata, grain = patterns(x, y, z, footprint, seed)
    speckle = 0.6 * ramp(0.59, 0.71, grain)
    r, g, b = _stone(x, y, z, piece, clouds, veins, strata, speckle)
    value = 0.55 + 0.9 * grain
    return value * r, value * g, value * b


@njit(cache=True)
def _stone(
    x: float,
    y: float,
    z: float,
    piece: int,
    clouds: float,
    veins: float,
    strata: float,
    speckle: float,
) -> tuple[float, float, float]:
    """Ivory marble, porphyry, bronze, jasper, agate, and a glaze over gold."""
    if piece == PEDESTAL:
        if DRUM_LOW < z < DRUM_HIGH and x * x + y * y < DRUM_RADIUS**2:
            colour = mix((0.42, 0.09, 0.06), (0.14, 0.025, 0.03), clouds)
            return mix(colour, (0.85, 0.62, 0.48), max(0.7 * veins, speckle))
        colour = mix((0.84, 0.74, 0.56), (0.40, 0.28, 0.17), clouds)
        colour = mix(colour, (0.10, 0.045, 0.03), 0.8 * veins)
        return mix(colour, (0.12, 0.05, 0.03), 0.8 * speckle)
    if piece == CAGE:
        colour = mix((0.50, 0.27, 0.09), (0.10, 0.05, 0.03), clouds)
        return mix(colour, (0.12, 0.40, 0.33), max(veins, speckle))
    if piece == CORE:
        colour = mix((0.78, 0.07, 0.03), (0.20, 0.005, 0.02), clouds)
        return mix(colour, (0.92, 0.55, 0.34), 0.7 * max(veins, speckle))
    if piece == BAND:
        stripe = 0.5 + 0.5 * sin(36.0 * strata + 7.0 * x - 5.0 * y + 4.0 * z)
        colour = mix((0.86, 0.42, 0.08), (0.16, 0.04, 0.015), stripe * (0.55 + 0.45 * clouds))
        colour = mix(colour, (0.92, 0.78, 0.52), 0.6 * ramp(0.85, 1.0, 1.0 - stripe))
        return mix(colour, (0.08, 0.02, 0.01), 0.8 * speckle)
    if piece == FINIAL:
        stripe = 0.5 + 0.5 * sin(70.0 * strata + 60.0 * z)
        colour = mix((0.85, 0.26, 0.08), (0.26, 0.03, 0.025), 0.4 * clouds + 0.6 * stripe)
        return mix(colour, (0.92, 0.78, 0.55), max(veins, speckle))
    depth = ORB_RADIUS - sqrt(x * x + y * y + (z - ORB_Z) ** 2)
    gold = mix((0.92, 0.58, 0.14), (0.40, 0.16, 0.04), clouds)
    gold = mix(gold, (0.14, 0.05, 0.02), max(veins, 0.8 * speckle))
    glaze = mix((0.03, 0.42, 0.46), (0.01, 0.07, 0.22), clouds)
    glaze = mix(glaze, (0.70, 0.80, 0.62), 0.75 * veins)
    glaze = mix(glaze, (0.90, 0.62, 0.20), 0.9 * speckle)
    return mix(gold, glaze, ramp(-0.012, -0.004, depth) * (1.0 - ramp(0.026, 0.028, depth)))
