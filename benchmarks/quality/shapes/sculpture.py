"""The demo's sculpture, which stands on the floor of the demo's room."""

from __future__ import annotations

from numba import njit

from benchmarks.quality.shapes.paints import pack
from neus.sources.demo import sculpture
from neus.sources.demo.sculpture import FOOT_Z as FOOT
from neus.sources.demo.sculpture import part
from neus.sources.demo.stone import albedo

FOOT_Z = FOOT
distance = sculpture.sdf


@njit(cache=True)
def paint(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    """Its stones, faintly polished."""
    return pack(albedo(x, y, z, part(x, y, z), footprint, seed), 0.03)
