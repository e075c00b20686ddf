"""Shapes of the yardstick, looked at from outside their kernels."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.quality.shapes import Shape


def distances(shape: Shape, points: np.ndarray) -> np.ndarray:
    """Of points ``[n, 3]`` in the shape's own frame, in its unit."""
    compiled: Any = shape.distance
    return np.array([compiled.ctypes(*point) for point in points])
