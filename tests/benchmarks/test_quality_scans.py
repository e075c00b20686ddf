"""The yardstick's scans: what is written, its reference, rigs, sensors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.quality import generate, studio
from benchmarks.quality.developing import Sensor, defocused, develop
from benchmarks.quality.exact_depths import exact_starts
from benchmarks.quality.render import Exposure
from benchmarks.quality.rigs import cone, shares, sphere
from benchmarks.quality.scans import SCANS, SUBSET, Scan
from benchmarks.quality.shapes import load_shape
from benchmarks.quality.surface_figures import load_truth, measure_mesh
from neus.metrics.dtu_reference import load_reference
from neus.metrics.geometry import load_surface
from neus.scene import Frame, Scene
from neus.sources import read_dtu
from tests.helpers.yardstick import distances

SMALL = Scan("small", "skull", "", 60.0, 1.0, views=9, width=40, height=30)


@pytest.fixture(scope="module")
def coarse() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"GRID": 48, "MESH_CELL": 0.03, "LIGHT_SPACING": 0.03}.items():
            patch.setattr(studio, name, value)
        patch.setattr(generate, "SPACING_MM", 1.0)
        yield


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, coarse: None) -> Path:
    folder = tmp_path_factory.mktemp("quality") / "small"
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


def test_exact_depths_and_normals_are_of_the_surface(coarse: None):
    opened = studio.open_studio(SMALL, 0)
    views, to_world = opened.cameras, generate.to_world(SMALL)
    twice_as_large = replace(to_world, scale=2 * to_world.scale)
    frames = tuple(Frame(str(i), Path(f"{i}.png"), None) for i in range(len(views)))
    none = np.zeros((0, 3))
    scene = Scene(frames, views, twice_as_large, "mm", (0,), none, none.astype(np.uint8))
    starts = exact_starts(opened, scene)
    assert len(starts) == len(views) - 1
    depth, normal = starts[3]
    seen = depth > 0
    assert 0.05 < seen.mean() < 0.9
    origins, rays = views.rays(4, views.pixel_grid(4)[seen.ravel()])
    axis = views.optical_axes[4]
    points = origins + rays * (2 * depth[seen] / (rays @ axis))[:, None]
    shape = load_shape(SMALL.shape)
    assert np.abs(distances(shape, points)).max() < 1e-3
    outwards = normal[seen] @ views.camera_to_world[4, :, :3].T
    assert np.linalg.norm(outwards, axis=1) == pytest.approx(1)
    assert np.median(distances(shape, points + 0.01 * outwards)) == pytest.approx(0.01, rel=0.1)
    assert ((outwards * rays).sum(axis=1) < 0).all()


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
