"""Exact signed distances, folds and blends, for compiled scalar code.

Every function is 1-Lipschitz in the point, and every fold is a piecewise isometry that is
continuous across its mirrors, so whatever is composed of them with ``min`` and ``max`` is again a
bound on the true distance: safe for sphere tracing (Hart, The Visual Computer 12, 1996). The
closed forms are the classical ones of constructive solid geometry.
"""

from __future__ import annotations

from math import cos, hypot, pi, sin, sqrt

from numba import njit

WEDGES = 5
"""Mirrors of the finest dihedral fold: 2^5 sectors."""
_COS = tuple(cos(2 * pi / 2**k) for k in range(WEDGES + 2))
_SIN = tuple(sin(2 * pi / 2**k) for k in range(WEDGES + 2))


@njit(cache=True)
def length(x: float, y: float) -> float:
    """``hypot`` without its guard against overflow, which costs more than the root."""
    return sqrt(x * x + y * y)


@njit(cache=True)
def smooth_min(a: float, b: float, width: float) -> float:
    """Union of two solids with a fillet of about ``width``: never above ``min(a, b)``."""
    overlap = max(width - abs(a - b), 0.0) / width
    return min(a, b) - 0.25 * width * overlap * overlap


@njit(cache=True)
def bounded(bound: float, detail: float, margin: float) -> float:
    """A detailed solid inside a simple bound, whose distance alone counts beyond ``margin``.

    Continuous and 1-Lipschitz although ``detail`` need be evaluated (and be 1-Lipschitz) only
    where ``bound < margin``: at that limit the value is ``max(margin, at most margin)``.
    """
    return max(bound, min(detail, margin))


@njit(cache=True)
def rounded_box(x: float, y: float, half_x: float, half_y: float, radius: float) -> float:
    """A rectangle about the origin of the plane, its corners rounded by ``radius``."""
    dx, dy = abs(x) - half_x + radius, abs(y) - half_y + radius
    return length(max(dx, 0.0), max(dy, 0.0)) + min(max(dx, dy), 0.0) - radius


@njit(cache=True)
def segment(
    x: float, y: float, z: float, ax: float, ay: float, az: float, bx: float, by: float, bz: float
) -> float:
    """Distance to the segment from a to b; subtract a radius for a capsule."""
    ux, uy, uz = bx - ax, by - ay, bz - az
    px, py, pz = x - ax, y - ay, z - az
    t = (px * ux + py * uy + pz * uz) / (ux * ux + uy * uy + uz * uz)
    t = min(max(t, 0.0), 1.0)
    px, py, pz = px - t * ux, py - t * uy, pz - t * uz
    return sqrt(px * px + py * py + pz * pz)


@njit(cache=True)
def round_cone(radial: float, z: float, height: float, r0: float, r1: float) -> float:
    """Two spheres on the z axis, ``r0`` at 0 and ``r1`` at ``height``, and the cone around them."""
    slope = (r0 - r1) / height
    along = sqrt(1.0 - slope * slope)
    t = z * along - radial * slope
    if t < 0.0:
        return length(radial, z) - r0
    if t > along * height:
        return length(radial, z - height) - r1
    return radial * along + z * slope - r0


@njit(cache=True)
def dihedral_fold(x: float, y: float, order: int) -> tuple[float, float]:
    """Mirror the plane into one wedge of angle ``pi / 2^order`` above the x axis (order >= 1)."""
    x, y = abs(x), abs(y)
    for k in range(3, order + 2):
        below = x * _SIN[k] - y * _COS[k]
        if below < 0.0:
            x -= 2.0 * below * _SIN[k]
            y += 2.0 * below * _COS[k]
    return x, y


_FIVE = cos(pi / 5)
_THREE = sqrt(0.75 - _FIVE * _FIVE)
VERTEX_X, VERTEX_Z = _THREE / hypot(_THREE, 0.5), 0.5 / hypot(_THREE, 0.5)
"""In the icosahedral wedge: the five-fold axis (a vertex) is (VERTEX_X, 0, VERTEX_Z)."""
FACE_Y, FACE_Z = _THREE / hypot(_THREE, _FIVE), _FIVE / hypot(_THREE, _FIVE)
"""In the icosahedral wedge: the three-fold axis (a face) is (0, FACE_Y, FACE_Z)."""


@njit(cache=True)
def icosahedral_fold(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Mirror space into the wedge of the full icosahedral group, its two-fold axis along z."""
    for _ in range(5):
        x, y = abs(x), abs(y)
        beyond = min(-0.5 * x - _FIVE * y + _THREE * z, 0.0)
        x += beyond
        y += 2.0 * beyond * _FIVE
        z -= 2.0 * beyond * _THREE
    return abs(x), abs(y), z
