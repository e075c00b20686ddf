"""What surfaces are painted with: colours of a point as one number, and patterns that alias not.

A paint returns linear reflectances and gloss packed into 60 bits, since a function behind a C
pointer, which keeps every shape out of the renderer's compilation, returns one number.
"""

from __future__ import annotations

from math import floor

from numba import njit

from neus.sources.demo.stone import ramp

LEVELS = 32767.0


@njit(cache=True)
def pack(colour: tuple[float, float, float], gloss: float) -> int:
    """Linear RGB and the reflectance at normal incidence, each in [0, 1], at 15 bits each."""
    r = int(min(max(colour[0], 0.0), 1.0) * LEVELS + 0.5)
    g = int(min(max(colour[1], 0.0), 1.0) * LEVELS + 0.5)
    b = int(min(max(colour[2], 0.0), 1.0) * LEVELS + 0.5)
    return ((r << 45) | (g << 30)) | ((b << 15) | int(min(max(gloss, 0.0), 1.0) * LEVELS + 0.5))


@njit(cache=True)
def unpack(code: int) -> tuple[float, float, float, float]:
    """RGB and gloss of :func:`pack`."""
    return (
        (code >> 45) / LEVELS,
        ((code >> 30) & 32767) / LEVELS,
        ((code >> 15) & 32767) / LEVELS,
        (code & 32767) / LEVELS,
    )


@njit(cache=True)
def line(u: float, step: float, width: float, footprint: float) -> float:
    """Coverage of lines ``width`` wide every ``step``: filtered over ``footprint``."""
    u = abs(u - step * floor(u / step + 0.5))
    soft = max(0.5 * footprint, 1e-6)
    sharp = 1.0 - ramp(0.5 * width - soft, 0.5 * width + soft, u)
    fade = min(max(1.5 * step / footprint - 1.0, 0.0), 1.0)
    return fade * sharp + (1.0 - fade) * min(width / step, 1.0)


@njit(cache=True)
def bricks(
    u: float, v: float, long: float, high: float, mortar: float, footprint: float
) -> tuple[float, int]:
    """Coverage of the mortar of a running bond, and a number of the brick that is there."""
    course = floor(v / high)
    u = u + 0.5 * long * (course % 2)
    seam = max(line(v, high, mortar, footprint), line(u, long, mortar, footprint))
    return seam, int(floor(u / long) * 73 + course * 179)


@njit(cache=True)
def shade_of(number: int, spread: float) -> float:
    """A brightness about 1, the same for the same number."""
    mask = 0xFFFFFFFF
    h = (number * 0x9E3779B1) & mask
    h = ((h ^ (h >> 15)) * 0x85EBCA6B) & mask
    return 1.0 + spread * (((h >> 16) & 1023) / 511.5 - 1.0)
