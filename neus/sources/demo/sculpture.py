"""The sculpture: a pierced orb in a twisted band, on a fluted pedestal. One solid, z up.

Its signed distance is a composition of exact primitives, a true bound everywhere. Lengths are in
radii of the unit sphere around the origin, which holds the whole piece.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, cos, sin, sqrt

from numba import cfunc, float64, int64, njit

from neus.sources.demo.primitives import (
    FACE_Y,
    FACE_Z,
    VERTEX_X,
    VERTEX_Z,
    bounded,
    dihedral_fold,
    icosahedral_fold,
    length,
    round_cone,
    rounded_box,
    segment,
    smooth_min,
)

RADIUS = 0.95
"""All of the sculpture lies within this distance of the origin."""
FOOT_Z = -0.76
"""The flat underside, which no camera sees."""
PEDESTAL, CAGE, ORB, CORE, BAND, FINIAL = range(6)
"""The parts, as :func:`part` numbers them; each has its own stone."""

MARGIN = 0.05
ORB_Z, ORB_RADIUS, SHELL = 0.16, 0.44, 0.044
BAND_RADIUS, BAND_HALF, BAND_TURNS = 0.68, 0.050, 13 / 4
"""The band's square section makes 13 quarter turns: one single face, like a Moebius strip."""
BAND_TUBE = BAND_HALF * sqrt(2.0)
_REACH = BAND_TUBE + MARGIN
BAND_STRETCH = sqrt(1.0 + (BAND_TURNS * _REACH / (BAND_RADIUS - _REACH)) ** 2)
"""Lipschitz constant of the map that untwists the band, within ``MARGIN`` of its tube."""
_TILT_COS, _TILT_SIN = cos(-0.36), sin(-0.36)


@njit(cache=True)
def pedestal(x: float, y: float, z: float) -> float:
    """An octagonal plinth, a fluted drum, a ring of beads and a dome."""
    radial = length(x, y)
    bound = max(radial - 0.53, abs(z + 0.54) - 0.225)
    if bound >= MARGIN:
        return bound
    u, v = dihedral_fold(x, y, 3)
    plinth = rounded_box(u, z + 0.715, 0.48, 0.045, 0.008)
    dimple = length(length(u - 0.492, v), z + 0.715) - 0.032
    side = length(length(u - 0.487, v - 0.105), z + 0.715) - 0.024
    solid = max(plinth, -min(dimple, side))
    solid = min(solid, rounded_box(radial, z + 0.660, 0.420, 0.024, 0.010))
    solid = smooth_min(solid, length(radial - 0.335, z + 0.622) - 0.034, 0.012)
    u, v = dihedral_fold(x, y, 4)
    flute = segment(u, v, z, 0.312, 0.0, -0.565, 0.312, 0.0, -0.485) - 0.042
    drum = rounded_box(radial, z + 0.535, 0.296, 0.105, 0.006)
    solid = min(solid, max(drum, -flute))
    solid = min(solid, length(radial - 0.292, z + 0.434) - 0.022)
    solid = min(solid, rounded_box(radial, z + 0.408, 0.330, 0.025, 0.006))
    u, v = dihedral_fold(x, y, 5)
    solid = min(solid, length(length(u - 0.300, v), z + 0.375) - 0.0255)
    dome = max(sqrt(x * x + y * y + (z + 0.52) ** 2) - 0.240, -0.40 - z)
    return bounded(bound, min(solid, dome), MARGIN)


@njit(cache=True)
def cage(x: float, y: float, z: float) -> float:
    """The axis of the piece, and eight pairs of rods that carry the orb on a ring."""
    radial = length(x, y)
    solid = segment(x, y, z, 0.0, 0.0, -0.40, 0.0, 0.0, 0.70) - 0.028
    bound = max(radial - 0.29, abs(z + 0.30) - 0.13)
    if bound >= MARGIN:
        return min(solid, bound)
    u, v = dihedral_fold(x, y, 3)
    rod = segment(u, v, z, 0.238, 0.0, -0.390, 0.175, 0.0725, -0.238) - 0.0165
    ring = length(radial - 0.1860, z + 0.2353) - 0.0290
    return min(solid, bounded(bound, smooth_min(rod, ring, 0.015), MARGIN))


@njit(cache=True)
def _orb_wedge(x: float, y: float, z: float) -> tuple[float, float, float]:
    """Turn a five-fold axis of the icosahedral group upright, then fold into its wedge."""
    z -= ORB_Z
    return icosahedral_fold(VERTEX_Z * x + VERTEX_X * z, y, VERTEX_Z * z - VERTEX_X * x)


@njit(cache=True)
def orb(x: float, y: float, z: float) -> float:
    """A shell with 12 large rimmed niches, 20 small ones, beads and engraved lines."""
    bound = sqrt(x * x + y * y + (z - ORB_Z) ** 2) - ORB_RADIUS - 0.04
    if bound >= MARGIN:
        return bound
    u, v, w = _orb_wedge(x, y, z)
    distance = bound + ORB_RADIUS + 0.04
    shell = abs(distance - ORB_RADIUS + SHELL / 2) - SHELL / 2
    line = max(abs(v) - 0.008, ORB_RADIUS - 0.013 - distance)
    along = u * VERTEX_X + w * VERTEX_Z
    across = sqrt(max(distance * distance - along * along, 0.0))
    along_face = v * FACE_Y + w * FACE_Z
    across_face = sqrt(max(distance * distance - along_face * along_face, 0.0))
    solid = max(shell, -min(line, across - 0.134, across_face - 0.066))
    rim = length(across - 0.141, along - 0.416) - 0.0264
    bead = sqrt(u * u + v * v + (w - ORB_RADIUS + 0.004) ** 2) - 0.0286
    return bounded(bound, min(solid, rim, bead), MARGIN)


@njit(cache=True)
def core(x: float, y: float, z: float) -> float:
    """What the orb's holes end on: flat facets behind the large ones, a ball behind the small."""
    ball = sqrt(x * x + y * y + (z - ORB_Z) ** 2) - 0.420
    if ball >= MARGIN:
        return ball
    u, _, w = _orb_wedge(x, y, z)
    return bounded(ball, u * VERTEX_X + w * VERTEX_Z - 0.396, MARGIN)


@njit(cache=True)
def band(x: float, y: float, z: float) -> float:
    """A tilted ring of square section that twists as it goes round, on four beaded spokes."""
    z -= ORB_Z
    y, z = _TILT_COS * y - _TILT_SIN * z, _TILT_SIN * y + _TILT_COS * z
    radial = length(x, y)
    tube = length(radial - BAND_RADIUS, z) - BAND_TUBE
    u, v = dihedral_fold(x, y, 2)
    spoke = segment(u, v, z, 0.14, 0.0, 0.0, BAND_RADIUS, 0.0, 0.0) - 0.021
    bead = length(length(u - 0.545, v), z) - 0.040
    spoke = smooth_min(spoke, bead, 0.02)
    if tube >= MARGIN:
        return min(spoke, tube)
    angle = BAND_TURNS * atan2(y, x)
    across, c, s = radial - BAND_RADIUS, cos(angle), sin(angle)
    square = rounded_box(c * across + s * z, c * z - s * across, BAND_HALF, BAND_HALF, 0.007)
    return min(spoke, bounded(tube, square / BAND_STRETCH, MARGIN))


@njit(cache=True)
def finial(x: float, y: float, z: float) -> float:
    """A turned spire: a collar, three beads that grow smaller, a point."""
    radial = length(x, y)
    bound = max(radial - 0.13, abs(z - 0.76) - 0.16)
    if bound >= MARGIN:
        return bound
    solid = length(max(radial - 0.080, 0.0), z - 0.640) - 0.022
    solid = smooth_min(solid, length(radial, z - 0.702) - 0.058, 0.010)
    solid = smooth_min(solid, length(radial, z - 0.776) - 0.042, 0.010)
    solid = smooth_min(solid, length(max(radial - 0.030, 0.0), z - 0.815) - 0.012, 0.006)
    spike = round_cone(radial, z - 0.820, 0.080, 0.026, 0.009)
    return bounded(bound, min(solid, spike), MARGIN)


@njit(cache=True)
def sdf(x: float, y: float, z: float) -> float:
    """Signed distance bound of the whole sculpture, positive outside, 1-Lipschitz."""
    return min(
        min(pedestal(x, y, z), cage(x, y, z), orb(x, y, z)),
        min(core(x, y, z), band(x, y, z), finial(x, y, z)),
    )


@njit(cache=True)
def part(x: float, y: float, z: float) -> int:
    """The part whose surface is nearest: ``PEDESTAL`` to ``FINIAL``."""
    nearest, distance = PEDESTAL, pedestal(x, y, z)
    for name, candidate in (
        (CAGE, cage(x, y, z)),
        (ORB, orb(x, y, z)),
        (CORE, core(x, y, z)),
        (BAND, band(x, y, z)),
        (FINIAL, finial(x, y, z)),
    ):
        if candidate < distance:
            nearest, distance = name, candidate
    return nearest


def compiled() -> tuple[Callable, Callable]:
    """:func:`sdf` and :func:`part` behind C pointers, for compiled code that takes them.

    A pointer keeps the sculpture out of its callers, which then compile in a fraction of the time
    and serve any other solid as well.
    """
    point = (float64, float64, float64)
    return cfunc(float64(*point), cache=True)(sdf.py_func), cfunc(int64(*point), cache=True)(
        part.py_func
    )
