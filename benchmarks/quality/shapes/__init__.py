"""The shapes of the scans: a signed distance bound and a paint each, as compiled scalar code.

A shape is a module with

- ``distance(x, y, z)``: 1-Lipschitz, positive outside, in radii of the unit sphere; all of the
  surface lies within ``tracer.RADIUS`` of the origin; z is up, and x points to the middle of the
  cone of cameras;
- ``paint(x, y, z, nx, ny, nz, footprint, seed)``: colours and gloss of a surface point, packed by
  :func:`benchmarks.quality.shapes.paints.pack`, with patterns finer than ``footprint`` faded out;
- ``FOOT_Z``: height of the table that it stands on.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

from numba import cfunc, float64, int64


class Shape(NamedTuple):
    """A shape behind C pointers, which keep it out of the renderer's compilation."""

    distance: Callable[[float, float, float], float]
    paint: Callable[..., int]
    foot_z: float


def load_shape(name: str) -> Shape:
    """Compile the shape that the module ``name`` of this package holds."""
    module = import_module(f"{__name__}.{name}")
    point = (float64, float64, float64)
    distance = cfunc(float64(*point), cache=True)(module.distance.py_func)
    paint = cfunc(int64(*point, *point, float64, int64), cache=True)(module.paint.py_func)
    return Shape(distance, paint, module.FOOT_Z)
