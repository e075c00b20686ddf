"""The yardstick's scans: depths and views by closed forms, points on the zero set, bounds."""

from __future__ import annotations

import json
from dataclasses import replace
from math import sqrt
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numba import cfunc, float64, int64, njit

from benchmarks.quality import generate, render, studio
from benchmarks.quality.developing import Sensor, defocused, develop
from benchmarks.quality.light import gather_light
from benchmarks.quality.render import Exposure, expose
from benchmarks.quality.rigs import cameras_of, cone, shares, sphere
from benchmarks.quality.scans import SCANS, SUBSET, Scan
from benchmarks.quality.shapes import Shape, load_shape
from benchmarks.quality.shapes.paints import pack, unpack
from benchmarks.quality.surface_figures import load_truth, measure_mesh
from benchmarks.quality.truth import LEAST_COSINE, count_views, sample_surface, seen_surface
from neus.mesh import Mesh
from neus.mesh.clean import face_areas, face_components
from neus.metrics.dtu_reference import load_reference
from neus.metrics.geometry import load_surface
from neus.sources import read_dtu
from neus.sources.demo.reference import surface_mesh
from neus.sources.demo.sculpture import RADIUS
from neus.sources.demo.tracer import distance_grid

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


def distances(shape: Shape, points: np.ndarray) -> np.ndarray:
    compiled: Any = shape.distance
    return np.array([compiled.ctypes(*point) for point in points])


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


SMALL = Scan("small", "skull", "", 60.0, 1.0, views=9, width=40, height=30)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("quality") / "small"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"GRID": 48, "MESH_CELL": 0.03, "LIGHT_SPACING": 0.02}.items():
            patch.setattr(studio, name, value)
        patch.setattr(generate, "SPACING_MM", 1.0)
        generate.make_scan(SMALL, folder, 0)
        generate.make_scan(SMALL, folder.with_name("again"), 0)
    return folder


def test_a_scan_is_read_as_dtu_and_comes_out_the_same_again(small: Path):
    capture = read_dtu(small, masks=True)
    assert len(capture.scene.frames) == SMALL.views
    again = small.with_name("again")
    for path in [*small.glob("image/*.png"), *small.glob("mask/*.png")]:
        assert path.read_bytes() == (again / path.relative_to(small)).read_bytes()
    mask = cv2.imread(str(small / "mask" / "004.png"))
    assert mask is not None
    assert 0.05 < (mask > 127).mean() < 0.9
    record = json.loads((small / "scan.json").read_text())
    assert record["samples_a_pixel"] >= 4
    assert record["diameter_mm"] == pytest.approx(54, rel=0.1)


def test_reference_points_lie_on_the_shape_in_its_world_frame(small: Path):
    reference = load_reference(small / "reference" / "dtu", 1)
    world = generate.to_world(SMALL)
    in_shape = world.inverse().apply(reference.points)
    off = np.abs(distances(load_shape(SMALL.shape), in_shape))
    assert off.max() * world.scale < 1e-3
    truth = load_truth(small)
    assert len(truth.views) == len(truth.openness) == len(reference.points)
    train = sum(1 for index in range(SMALL.views) if index % 8)
    assert 1 <= truth.views.min() <= truth.views.max() <= train
    capture = read_dtu(small, masks=True)
    inside = 0
    for index in range(SMALL.views):
        pixels, depth = capture.scene.cameras.project(index, reference.points)
        inside = inside + capture.scene.cameras.in_image(index, pixels, depth)
    assert (inside >= truth.views).all()


def test_the_exact_surface_is_right_whoever_sees_it(small: Path):
    """Its unseen backs cost nothing, and moving it costs what it is moved by."""
    exact = load_surface(small / "reference" / "mesh.ply")
    found = measure_mesh(exact, small, 54.0, threads=1)
    assert found["accuracy"] < 0.25
    assert found["completeness"] < 0.25
    assert found["missed"] == 0
    world = generate.to_world(SMALL)
    grown = replace(exact, vertices=world.translation + 1.04 * (exact.vertices - world.translation))
    worse = measure_mesh(grown, small, 54.0, threads=1)
    assert 0.3 < worse["overall"] < 0.04 * 30


def test_rows_of_the_cone_are_dtus():
    rng = np.random.default_rng(0)
    places = cone(49, rng)
    assert len(places) == 49
    elevation = np.degrees(np.arcsin(places[:, 2]))
    azimuth = np.degrees(np.arctan2(places[:, 1], places[:, 0]))
    assert (elevation.min(), elevation.max()) == pytest.approx((14, 66), abs=1)
    assert (azimuth.min(), azimuth.max()) == pytest.approx((-53, 53), abs=1)
    assert np.linalg.norm(sphere(64, rng).mean(axis=0)) < 0.25
    assert shares(np.array([5.0, 6, 8, 9, 10, 11]), 49) == [5, 6, 8, 9, 10, 11]
    assert sum(shares(np.array([5.0, 6, 8, 9, 10, 11]), 7)) == 7


def test_defocus_keeps_what_is_uniform_and_blurs_what_is_not():
    rgb = np.full((12, 12, 3), 0.4)
    depth = np.full((12, 12), 2.0)
    seen = Exposure(rgb, np.ones((12, 12)), depth)
    assert defocused(seen, 20.0, 3.0) == pytest.approx(rgb)
    rgb[:, 6:] = 0.8
    edge = defocused(seen, 20.0, 3.0)
    assert 0.45 < edge[6, 5, 0] < 0.6
    assert defocused(seen, 20.0, 2.0) == pytest.approx(rgb)
    assert defocused(seen, 0.0, 3.0) is rgb


def test_exposure_varies_and_noise_follows_the_signal():
    seen = Exposure(np.full((60, 60, 3), 0.3), np.ones((60, 60)), np.full((60, 60), 2.0))
    rng = np.random.default_rng(0)
    steady = Sensor(exposure_spread=0.0, white_spread=0.0)
    one, other = (develop(seen, steady, 1.0, 2.0, rng).astype(float) for _ in range(2))
    assert abs(one.mean() - other.mean()) < 0.5
    assert 0.5 < one.std() < 6
    loud = Sensor(exposure_spread=0.3)
    means = [develop(seen, loud, 1.0, 2.0, rng).mean() for _ in range(8)]
    assert np.std(means) > 5


def test_ten_scans_and_more_of_which_two_are_apart():
    names = [scan.name for scan in SCANS]
    assert len(names) == len(set(names)) >= 10
    assert sum(scan.group == "apart" for scan in SCANS) == 2
    assert all(next(s for s in SCANS if s.name == name).group == "tuned" for name in SUBSET)
    assert len({scan.key(0) for scan in SCANS}) == len(SCANS)
