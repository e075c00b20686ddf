"""A small demo scan for tests: fewer and smaller images, a coarser mesh, fewer points."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from neus.sources.demo import scan, sculpture
from neus.sources.demo.tracer import trace

VIEWS, WIDTH, HEIGHT = 5, 64, 48
SMALL: dict[str, Any] = {"views": VIEWS, "width": WIDTH, "height": HEIGHT}


@contextmanager
def coarse_reference() -> Iterator[None]:
    """A coarser mesh and fewer points, which take less time; nothing else changes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "MESH_CELL", 0.016)
        patch.setattr(scan, "POINT_SPACING", 0.02)
        yield


def sdf(points: np.ndarray) -> np.ndarray:
    """The sculpture's distance at each point."""
    return np.array([sculpture.sdf(*point) for point in points])


def files(folder: Path) -> dict[str, bytes]:
    """The content of each file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def first_hit(
    distance: Callable, grid: np.ndarray, origin: np.ndarray, direction: np.ndarray
) -> tuple[float, float, float]:
    """:func:`trace` from a camera, with a cone of a hundredth."""
    (ox, oy, oz), (dx, dy, dz) = origin, direction
    return trace(distance, grid, ox, oy, oz, dx, dy, dz, 0.0, 0.01)
