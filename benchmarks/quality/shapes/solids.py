"""More solids for compiled scalar code, each a 1-Lipschitz bound of its signed distance.

They are the closed forms of constructive solid geometry, like those of
:mod:`neus.sources.demo.primitives`; intersections of half-spaces are bounds, not exact.
"""

from __future__ import annotations

from math import atan2, cos, floor, pi, sin, sqrt

from numba import njit

from neus.sources.demo.primitives import length, smooth_min


@njit(cache=True)
def smooth_max(a: float, b: float, width: float) -> float:
    """Intersection of two solids with a fillet of about ``width``."""
    return -smooth_min(-a, -b, width)


@njit(cache=True)
def ball(x: float, y: float, z: float, radius: float) -> float:
    return sqrt(x * x + y * y + z * z) - radius


@njit(cache=True)
def box(x: float, y: float, z: float, half_x: float, half_y: float, half_z: float) -> float:
    """A box about the origin with sharp edges: exact."""
    dx, dy, dz = abs(x) - half_x, abs(y) - half_y, abs(z) - half_z
    ax, ay, az = max(dx, 0.0), max(dy, 0.0), max(dz, 0.0)
    return sqrt(ax * ax + ay * ay + az * az) + min(max(dx, dy, dz), 0.0)


@njit(cache=True)
def ellipsoid(x: float, y: float, z: float, a: float, b: float, c: float) -> float:
    """An ellipsoid about the origin: its scaled radius times the least half axis, a bound."""
    return (sqrt((x / a) ** 2 + (y / b) ** 2 + (z / c) ** 2) - 1.0) * min(a, b, c)


@njit(cache=True)
def capsule(
    x: float, y: float, z: float,
    ax: float, ay: float, az: float, bx: float, by: float, bz: float,
    r0: float, r1: float,
) -> float:  # fmt: skip
    """A rod from a to b whose radius goes from ``r0`` to ``r1``, divided by its Lipschitz bound."""
    ux, uy, uz = bx - ax, by - ay, bz - az
    px, py, pz = x - ax, y - ay, z - az
    squared = ux * ux + uy * uy + uz * uz
    t = min(max((px * ux + py * uy + pz * uz) / squared, 0.0), 1.0)
    px, py, pz = px - t * ux, py - t * uy, pz - t * uz
    slope = (r1 - r0) / sqrt(squared)
    solid = sqrt(px * px + py * py + pz * pz) - r0 - t * (r1 - r0)
    return solid / sqrt(1.0 + slope * slope)


@njit(cache=True)
def cylinder(radial: float, z: float, radius: float, half: float) -> float:
    """An upright cylinder about the origin, from the distance to its axis: exact."""
    dr, dz = radial - radius, abs(z) - half
    return length(max(dr, 0.0), max(dz, 0.0)) + min(max(dr, dz), 0.0)


@njit(cache=True)
def gable(
    along: float, across: float, z: float, half_length: float, half_width: float, height: float
) -> float:
    """A ridge roof on the plane z = 0; the ridge runs ``along``."""
    slope = sqrt(half_width * half_width + height * height)
    side = (abs(across) * height + z * half_width - half_width * height) / slope
    return max(side, -z, abs(along) - half_length)


@njit(cache=True)
def repeat(u: float, step: float, first: float, last: float) -> float:
    """``u`` relative to the nearest of the places ``first``, ``first + step``, ..., ``last``.

    Continuous, so long as what stands there is symmetric.
    """
    count = floor((last - first) / step + 0.5)
    index = min(max(floor((u - first) / step + 0.5), 0.0), count)
    return u - first - index * step


@njit(cache=True)
def turn(x: float, y: float, angle: float) -> tuple[float, float]:
    """The plane turned by ``-angle``, as what stands in it is turned by ``angle``."""
    c, s = cos(angle), sin(angle)
    return c * x + s * y, c * y - s * x


@njit(cache=True)
def around(x: float, y: float, count: int) -> tuple[float, float]:
    """The plane turned so that the nearest of ``count`` rays from the origin is the x axis."""
    step = 2.0 * pi / count
    return turn(x, y, step * floor(atan2(y, x) / step + 0.5))
