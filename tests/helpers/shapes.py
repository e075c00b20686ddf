"""Shapes with known surfaces, and what holds for every good mesh."""

from __future__ import annotations

import numpy as np

from neus.mesh import Mesh
from neus.mesh.clean import component_volumes
from neus.mesh.isosurface import extract_isosurface


def ball(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)):
    return lambda x: np.linalg.norm(x - np.array(centre, np.float32), axis=1) - radius


def bumpy(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x, axis=1) - 0.6 - 0.05 * np.prod(np.sin(12 * x), axis=1)


def torus(x: np.ndarray) -> np.ndarray:
    return np.hypot(np.hypot(x[:, 0], x[:, 1]) - 0.6, x[:, 2]) - 0.2


def union(*fields):
    return lambda x: np.min([field(x) for field in fields], axis=0)


def difference(solid, hole):
    return lambda x: np.maximum(solid(x), -hole(x))


def mesh_of(sdf, resolution: int = 48) -> Mesh:
    return Mesh(*extract_isosurface(sdf, resolution))


def assert_watertight(faces: np.ndarray) -> None:
    """Each directed edge once, and its reverse once: closed, oriented, two faces an edge."""
    starts, ends = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = int(faces.max()) + 1
    forwards, backwards = np.sort(count * starts + ends), np.sort(count * ends + starts)
    assert (np.diff(forwards) > 0).all()
    np.testing.assert_array_equal(forwards, backwards)


def volume(mesh: Mesh) -> float:
    return float(component_volumes(mesh, np.zeros(len(mesh.faces), int))[0])
