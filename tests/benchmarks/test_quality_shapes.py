"""The yardstick's shapes: depths and views by closed forms, points on the zero set, bounds."""

from __future__ import annotations

from math import sqrt
from typing import Any

import numpy as np
import pytest
from numba import cfunc, float64, int64, njit

from benchmarks.quality import render
from benchmarks.quality.light import gather_light
from benchmarks.quality.render import expose
from benchmarks.quality.rigs import cameras_of
from benchmarks.quality.scans import SCANS
from benchmarks.quality.shapes import Shape, load_shape
from benchmarks.quality.shapes.paints import pack, unpack
from benchmarks.quality.truth import LEAST_COSINE, count_views, sample_surface, seen_surface
from neus.mesh import Mesh
from neus.mesh.clean import face_areas, face_components
from neus.sources.demo.reference import surface_mesh
from neus.sources.demo.sculpture import RADIUS
from neus.sources.demo.tracer import distance_grid
from tests.helpers.yardstick import distances

BALL = 0.6
SHAPES = sorted({scan.shape for scan in SCANS})


@njit
def ball_distance(x: float, y: float, z: float) -> float:
    return sqrt(x * x + y * y + z * z) - BALL


@njit
def pit_distance(x: float, y: float, z: float) -> float:
    """A ball with a narrow, deep hole from above."""
    hole = max(sqrt(x * x + y * y) - 0.15, -0.3 - z)
    return max(sqrt(x * x + y * y + z * z) - BALL, -hole)


@njit
def grey(
    x: float, y: float, z: float, nx: float, ny: float, nz: float, footprint: float, seed: int
) -> int:
    return pack((0.5, 0.4, 0.3), 0.0)


def shape_of(distance) -> Shape:
    point = (float64, float64, float64)
    paint = cfunc(int64(*point, *point, float64, int64))(grey.py_func)
    return Shape(cfunc(float64(*point))(distance.py_func), paint, -BALL)


@pytest.fixture(scope="module")
def ball() -> Shape:
    return shape_of(ball_distance)


def photographed(shape: Shape, rig: str = "cone", views: int = 6):
    """A shape's grid, a mesh of it, its light and a few small cameras."""
    grid = distance_grid(shape.distance, 32)
    vertices, faces = surface_mesh(shape.distance, 0.04)
    rng = np.random.default_rng(0)
    points, normals = sample_surface(shape.distance, vertices, faces, 0.014, rng)
    cache = gather_light(shape, grid, points, normals, 0)
    cameras = cameras_of(rig, views, (40, 30), 1.0, vertices, rng)
    return grid, vertices, faces, cache, cameras


def test_depths_of_a_ball_are_those_of_the_closed_form(ball: Shape):
    grid, _, _, cache, cameras = photographed(ball)
    for index in range(len(cameras)):
        seen = expose(ball, grid, cache, cameras, index, render.TABLE, 0)
        origins, directions = cameras.rays(index, cameras.pixel_grid(index))
        along = -(origins * directions).sum(axis=1)
        inside = BALL**2 - (origins**2).sum(axis=1) + along**2
        expected = np.where(inside > 0, along - np.sqrt(np.maximum(inside, 0)), np.inf)
        depth = seen.depth.ravel()
        # Where a ray only grazes the ball, the tracer's tolerance decides whether it meets it.
        clear = np.abs(inside) > 1e-3
        assert np.array_equal(np.isfinite(depth[clear]), np.isfinite(expected[clear]))
        both = clear & np.isfinite(depth)
        assert both.any()
        assert np.abs(depth[both] - expected[both]).max() < 2e-3
        assert set(np.unique(seen.coverage * render.SAMPLES)) <= {0, 1, 2, 3, 4}
        full = seen.coverage == 1
        assert np.isfinite(seen.depth[full]).all()
        assert seen.rgb.min() >= 0
        assert seen.rgb[full].min() > 0


def test_ground_truth_lies_on_the_zero_set_and_views_are_counted_exactly(ball: Shape):
    """Of a convex body a camera sees what faces it, if it is in the picture."""
    grid, vertices, faces, cache, cameras = photographed(ball)
    points, normals = sample_surface(ball.distance, vertices, faces, 0.03, np.random.default_rng(1))
    radii = np.linalg.norm(points, axis=1)
    assert np.abs(radii - BALL).max() < 1e-7
    assert np.abs(normals - points / radii[:, None]).max() < 1e-5
    expected = np.zeros(len(points), int)
    doubtful = np.zeros(len(points), bool)
    for index, centre in enumerate(cameras.centres):
        towards = centre - points
        cosine = (normals * towards).sum(axis=1) / np.linalg.norm(towards, axis=1)
        pixels, depth = cameras.project(index, points)
        expected += (cosine >= LEAST_COSINE) & cameras.in_image(index, pixels, depth)
        doubtful |= np.abs(cosine - LEAST_COSINE) < 1e-6
    counted = count_views(ball.distance, grid, points, normals, cameras)
    assert np.array_equal(counted[~doubtful], expected[~doubtful])
    assert 0 < expected.min() + 1 <= expected.max() <= len(cameras)
    truth = seen_surface(ball.distance, grid, cache, points, normals, cameras)
    assert len(truth.points) == (counted > 0).sum()
    assert truth.views.min() > 0
    assert np.abs(truth.openness - 1).max() < 1e-6


def test_a_pit_is_less_open_and_seen_by_fewer():
    pit = shape_of(pit_distance)
    grid, vertices, faces, cache, cameras = photographed(pit, "sphere", 12)
    points, normals = sample_surface(pit.distance, vertices, faces, 0.03, np.random.default_rng(1))
    views = count_views(pit.distance, grid, points, normals, cameras)
    inside = (np.linalg.norm(points[:, :2], axis=1) < 0.14) & (np.abs(points[:, 2] + 0.3) < 0.05)
    assert inside.any()
    outside = np.abs(np.linalg.norm(points, axis=1) - BALL) < 1e-6
    assert views[inside].mean() < 0.3 * views[outside].mean()
    depths = np.linalg.norm(cache.points, axis=1)
    floor = (np.abs(cache.points[:, 2] + 0.3) < 1e-6) & (depths < 0.33)
    # From the middle of the floor a disc of radius 0.15 is open, 0.88 above it.
    assert cache.openness[floor].mean() == pytest.approx(0.15**2 / (0.15**2 + 0.88**2), abs=0.05)
    assert cache.openness[depths > BALL - 1e-6].mean() > 0.97


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_a_bound_that_fits_into_the_sphere(name: str):
    shape, rng = load_shape(name), np.random.default_rng(0)
    points = rng.uniform(-RADIUS, RADIUS, (20_000, 3))
    near = points + 0.01 * rng.standard_normal(points.shape)
    values, others = distances(shape, points), distances(shape, near)
    slopes = np.abs(values - others) / np.linalg.norm(points - near, axis=1)
    assert slopes.max() < 1.01
    inside = points[values < 0]
    assert len(inside) > 100
    assert np.linalg.norm(inside, axis=1).max() < RADIUS
    assert inside[:, 2].min() > shape.foot_z - 0.02
    paint: Any = shape.paint
    red, green, blue, gloss = unpack(paint.ctypes(*inside[0], 0.0, 0.0, 1.0, 0.01, 0))
    assert 0 <= min(red, green, blue, gloss) <= max(red, green, blue, gloss) <= 1


@pytest.mark.parametrize("name", SHAPES)
def test_every_shape_is_of_one_piece(name: str):
    """A mesh is cut down to its largest piece before it is measured."""
    mesh = Mesh(*surface_mesh(load_shape(name).distance, 0.016))
    area = np.bincount(face_components(mesh), face_areas(mesh))
    assert area.max() > 0.98 * area.sum()


def test_paint_survives_packing():
    rng = np.random.default_rng(0)
    for colour in rng.uniform(size=(100, 4)):
        assert unpack(pack(tuple(colour[:3]), colour[3])) == pytest.approx(colour, abs=2e-5)
