"""The demo's sculpture: its distance, against bounds and oracles, and the rays that find it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from numba import cfunc, float64
from scipy.spatial import KDTree

from neus.sources.demo import primitives, scan, sculpture
from neus.sources.demo.reference import surface_mesh
from neus.sources.demo.tracer import (
    TOLERANCE,
    distance_grid,
    project,
    sample_box,
    visible,
)
from tests.helpers.demo_scan import first_hit, sdf

coordinate = st.floats(-2, 2)


@pytest.fixture(scope="module")
def distance() -> Callable:
    return sculpture.compiled()[0]


@pytest.fixture(scope="module")
def surface(distance: Callable) -> trimesh.Trimesh:
    """The reference mesh at its full resolution, in the sculpture's frame."""
    return trimesh.Trimesh(*surface_mesh(distance, scan.MESH_CELL), process=False)


@pytest.fixture(scope="module")
def grid(distance: Callable) -> np.ndarray:
    return distance_grid(distance, 96)


def test_the_distance_changes_no_faster_than_the_point_moves(distance: Callable) -> None:
    cell = 2.2 / 199
    values = sample_box(distance, -1.1, cell, 200, np.inf)
    for axis in range(3):
        assert np.abs(np.diff(values, axis=axis)).max() <= cell + 1e-6
    rng = np.random.default_rng(0)
    start, end = rng.uniform(-1.1, 1.1, (2, 10_000, 3))
    change = np.abs(sdf(end) - sdf(start))
    assert (change <= np.linalg.norm(end - start, axis=1) + 1e-12).all()


def test_the_distance_bounds_the_way_to_the_surface_and_is_tight_near_it(
    surface: trimesh.Trimesh,
) -> None:
    rng = np.random.default_rng(1)
    points = rng.uniform(-1, 1, (5_000, 3))
    nearest = KDTree(surface.vertices).query(points)[0]
    assert (np.abs(sdf(points)) <= nearest + 1e-9).all()
    chosen = rng.choice(len(surface.vertices), 5_000)
    vertices, normals = surface.vertices[chosen], surface.vertex_normals[chosen]
    assert np.median(sdf(vertices + 0.002 * normals)) > 0.0018
    assert np.median(sdf(vertices - 0.002 * normals)) < -0.0018


@settings(deadline=None)  # the first example compiles
@given(coordinate, coordinate, st.integers(1, primitives.WEDGES))
def test_the_dihedral_fold_is_the_largest_of_all_turned_copies(
    x: float, y: float, order: int
) -> None:
    u, v = primitives.dihedral_fold(x, y, order)
    angles = np.arange(2**order) * (2 * np.pi / 2**order)
    assert u == pytest.approx((x * np.cos(angles) + y * np.sin(angles)).max(), abs=1e-12)
    assert np.hypot(u, v) == pytest.approx(np.hypot(x, y), abs=1e-12)
    assert v >= -1e-12


def icosahedron() -> np.ndarray:
    """The 12 vertices with two-fold axes along x, y and z, of length 1."""
    golden = (1 + np.sqrt(5)) / 2
    corners = [
        np.roll((0, a, b * golden), turn) for a, b, turn in product((-1, 1), (-1, 1), range(3))
    ]
    return np.array(corners) / np.hypot(1, golden)


@settings(deadline=None)  # the first example compiles
@given(coordinate, coordinate, coordinate)
def test_the_icosahedral_fold_meets_the_nearest_of_twelve_vertices(
    x: float, y: float, z: float
) -> None:
    u, v, w = primitives.icosahedral_fold(x, y, z)
    along = u * primitives.VERTEX_X + w * primitives.VERTEX_Z
    mirrored = icosahedron() @ (x, y, z), icosahedron()[:, [1, 0, 2]] @ (x, y, z)
    assert along == pytest.approx(min((m.max() for m in mirrored), key=lambda m: abs(m - along)))
    assert np.linalg.norm((u, v, w)) == pytest.approx(np.linalg.norm((x, y, z)), abs=1e-12)


@pytest.fixture(scope="module")
def ball() -> Callable:
    """A sphere of radius 0.5 about (0.1, -0.2, 0.05)."""
    return cfunc(float64(float64, float64, float64))(
        lambda x, y, z: ((x - 0.1) ** 2 + (y + 0.2) ** 2 + (z - 0.05) ** 2) ** 0.5 - 0.5
    )


BALL_CENTRE = np.array([0.1, -0.2, 0.05])


def test_rays_meet_a_sphere_where_the_quadratic_says(ball: Callable) -> None:
    rng = np.random.default_rng(2)
    grid = distance_grid(ball, 40)
    origin = np.array([2.0, 1.5, -1.0])
    for target in rng.uniform(-0.7, 0.7, (300, 3)):
        direction = (target - origin) / np.linalg.norm(target - origin)
        half = direction @ (origin - BALL_CENTRE)
        root = half**2 - (origin - BALL_CENTRE) @ (origin - BALL_CENTRE) + 0.25
        if abs(root) < 1e-3:
            continue  # so oblique that the tolerance decides
        t, nearest, clear = first_hit(ball, grid, origin, direction)
        if root < 0:
            assert t == np.inf
            foot = origin - half * direction
            miss = (np.linalg.norm(foot - BALL_CENTRE) - 0.5) / -half
            assert 0 < nearest < miss * 1.1 + 1e-3
        else:
            assert t == pytest.approx(-half - np.sqrt(root), abs=TOLERANCE / np.sqrt(root))
            assert clear < t


def test_points_of_a_sphere_are_projected_and_seen_from_their_side_alone(ball: Callable) -> None:
    rng = np.random.default_rng(3)
    grid = distance_grid(ball, 40)
    outwards = rng.normal(size=(500, 3))
    outwards /= np.linalg.norm(outwards, axis=1, keepdims=True)
    points, normals = project(ball, BALL_CENTRE + rng.uniform(0.45, 0.55, (500, 1)) * outwards)
    np.testing.assert_allclose(points, BALL_CENTRE + 0.5 * outwards, atol=1e-7)
    np.testing.assert_allclose(normals, outwards, atol=1e-5)
    centres = np.array([[2.0, 0, 0], [0, 0, 3.0]])
    views = centres - points[:, None]
    cosines = (views * normals[:, None]).sum(axis=2) / np.linalg.norm(views, axis=2)
    seen = visible(ball, grid, points, normals, centres, 0.1)
    np.testing.assert_array_equal(seen, (cosines >= 0.1).any(axis=1))


def plain_march(origin: np.ndarray, direction: np.ndarray) -> float:
    """Textbook sphere tracing, without grid and relaxation."""
    t = 0.0
    while t < 6:
        step = sculpture.sdf(*(origin + t * direction))
        if step < TOLERANCE:
            return t
        t += step
    return np.inf


def test_rays_meet_the_sculpture_on_its_surface_as_by_plain_marching(
    distance: Callable, grid: np.ndarray
) -> None:
    rng = np.random.default_rng(4)
    origins = rng.normal(size=(400, 3))
    origins *= 3 / np.linalg.norm(origins, axis=1, keepdims=True)
    directions = rng.uniform(-0.6, 0.6, (400, 3)) - origins
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    hits = 0
    for origin, direction in zip(origins, directions, strict=True):
        t = first_hit(distance, grid, origin, direction)[0]
        assert t == pytest.approx(plain_march(origin, direction), abs=1e-3)
        if t < np.inf:
            hits += 1
            assert abs(sculpture.sdf(*(origin + t * direction))) <= TOLERANCE
    assert hits > 100
