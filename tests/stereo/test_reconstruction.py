"""From photos of known surfaces to one cloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from neus.scene import Scene
from neus.stereo.depth_maps import depth_map
from neus.stereo.pictures import Pictures
from neus.stereo.reconstruction import Stereo, expected, reconstruct
from neus.stereo.settings import StereoSettings
from tests.helpers.textured_scenes import RADIUS, Truth, textured_scene

CPU = torch.device("cpu")
FOOTPRINT = 3 / 120
"""Of a pixel at the scene's centre."""


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], tuple[Scene, list[Truth]]]:
    made = {
        shape: textured_scene(tmp_path_factory.mktemp(shape), shape, test=(2,))
        for shape in ("plane", "ball")
    }
    return made.__getitem__


@pytest.fixture(scope="module", params=["plane", "ball"])
def found(request: pytest.FixtureRequest, scenes) -> tuple[str, list[Truth], Stereo]:
    scene, truths = scenes(request.param)
    return request.param, [truths[i] for i in scene.train], reconstruct(scene, CPU)


def distance(shape: str, points: np.ndarray) -> np.ndarray:
    if shape == "plane":
        return np.abs(points[:, 2])
    return np.abs(np.linalg.norm(points, axis=1) - RADIUS)


def test_depths_are_right_within_a_fraction_of_a_footprint(found):
    _, truths, stereo = found
    errors, angles = [], []
    for seen, truth, said in zip(stereo.maps, truths, stereo.agreement, strict=True):
        errors.append(np.abs(seen.depth - truth.depth)[said.kept])
        cosine = (seen.normal * truth.normal).sum(axis=2)[said.kept]
        angles.append(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
    assert np.median(np.concatenate(errors)) < 0.25 * FOOTPRINT
    assert np.percentile(np.concatenate(errors), 95) < 2 * FOOTPRINT
    assert np.median(np.concatenate(angles)) < 7


def test_what_it_will_take_grows_with_the_pixels_that_it_looks_at(scenes):
    scene, _ = scenes("plane")
    seconds = expected(scene)
    size = scene.cameras.widths, scene.cameras.heights
    larger = replace(scene, cameras=scene.cameras.resized(*(2 * n for n in size)))
    each = int(size[0][0] * size[1][0])
    assert expected(larger) == pytest.approx({part: 4 * s for part, s in seconds.items()})
    assert expected(larger, StereoSettings(pixels=each)) == pytest.approx(seconds)
    bounded = StereoSettings(all_pixels=len(scene.train) * each // 2)
    assert expected(larger, bounded)["cloud"] == pytest.approx(seconds["cloud"] / 2, rel=1e-3)


def test_most_of_what_the_views_show_is_kept_and_trusted(found):
    _, _, stereo = found
    assert stereo.coverage > 0.85
    assert np.median(stereo.points.confidence) > 0.7
    assert stereo.sentence is None


def test_fused_points_lie_on_the_surface_with_its_normals(found):
    shape, _, stereo = found
    points = stereo.points
    assert np.median(distance(shape, points.position)) < 0.2 * FOOTPRINT
    outwards = np.array([0.0, 0, 1]) if shape == "plane" else points.position / RADIUS
    cosine = (points.normal * outwards).sum(axis=1)
    assert np.degrees(np.arccos(np.clip(np.median(cosine), -1, 1))) < 9
    np.testing.assert_allclose(np.linalg.norm(points.normal, axis=1), 1, atol=1e-5)
    assert abs(np.median(points.footprint) / FOOTPRINT - 1) < 0.3


def test_fused_points_keep_the_views_that_saw_them(found):
    _, truths, stereo = found
    points, counts = stereo.points, np.diff(stereo.points.first)
    assert points.first[0] == 0
    assert points.first[-1] == len(points.views)
    assert counts.min() >= 3  # its own view, and two that agree
    owner = np.repeat(np.arange(len(points)), counts)
    assert len(set(zip(owner.tolist(), points.views.tolist(), strict=True))) == len(owner)
    for view, truth in enumerate(truths):
        seen = points.position[owner[points.views == view]].astype(float)
        pixels, depth = stereo.cameras.project(view, seen)
        assert stereo.cameras.in_image(view, pixels, depth).all()
        column, row = pixels.astype(int).T
        near_truth = truth.hit[row, column]
        assert near_truth.mean() > 0.98
        error = np.abs(truth.depth[row, column] - depth)[near_truth]
        assert np.percentile(error, 90) < 2 * FOOTPRINT


def test_merging_makes_fewer_points_than_the_maps_have(found):
    _, _, stereo = found
    pixels = sum(int(said.kept.sum()) for said in stereo.agreement)
    assert len(stereo.points) < pixels / 3


def test_held_out_views_are_not_even_read(scenes, tmp_path: Path):
    scene, _ = scenes("plane")
    (frame,) = scene.test
    absent = replace(scene.frames[frame], image=tmp_path / "none.png", mask=tmp_path / "none.png")
    frames = tuple(absent if i == frame else f for i, f in enumerate(scene.frames))
    settings = StereoSettings(sweeps=(2, 1, 1))
    whole, without = (reconstruct(s, CPU, settings) for s in (scene, replace(scene, frames=frames)))
    assert without.views == list(scene.train)
    np.testing.assert_array_equal(whole.points.position, without.points.position)


def test_threads_and_runs_change_no_bit(scenes):
    scene, _ = scenes("ball")
    settings, before = StereoSettings(sweeps=(2, 1, 1)), torch.get_num_threads()
    clouds = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        clouds.append(reconstruct(scene, CPU, settings).points)
    torch.set_num_threads(before)
    np.testing.assert_array_equal(clouds[0].position, clouds[1].position)
    np.testing.assert_array_equal(clouds[0].views, clouds[1].views)
    other = reconstruct(scene, CPU, settings, seed=1).points
    assert not np.array_equal(clouds[0].position, other.position)


def test_without_texture_there_is_little_and_little_trust(tmp_path: Path):
    scene, _ = textured_scene(tmp_path, "ball", contrast=0, noise=0.003)
    stereo = reconstruct(scene, CPU)
    trust = np.concatenate([said.confidence[m.active] for said, m in zip(
        stereo.agreement, stereo.maps, strict=True)])  # fmt: skip
    assert trust.mean() < 0.02


@pytest.mark.parametrize("views", [0, 1, 2])
def test_too_few_views_give_an_empty_cloud_and_a_sentence(tmp_path: Path, views: int):
    scene, _ = textured_scene(tmp_path, "plane", views=views + 2, test=(0, 1))
    stereo = reconstruct(scene, CPU)
    assert len(stereo.points) == 0
    assert stereo.coverage == 0
    assert stereo.sentence is not None
    assert f"there are {views}" in stereo.sentence


def test_photos_of_other_things_give_an_empty_cloud_and_a_sentence(tmp_path: Path):
    scene, _ = textured_scene(tmp_path, "plane", views=4)
    rng = np.random.default_rng(0)
    for frame in scene.frames:
        cv2.imwrite(str(frame.image), np.full((72, 96, 3), rng.integers(255), np.uint8))
    stereo = reconstruct(scene, CPU, StereoSettings(sweeps=(2, 1, 1)))
    assert len(stereo.points) == 0
    assert stereo.sentence is not None
    assert stereo.sentence.startswith("no three training views agree")


def test_without_masks_the_surface_is_found_as_well(tmp_path: Path):
    scene, _ = textured_scene(tmp_path, "ball", masks=False)
    points = reconstruct(scene, CPU).points
    assert len(points) > 1000
    assert np.median(distance("ball", points.position)) < 0.3 * FOOTPRINT


def test_the_truth_as_a_start_is_kept(scenes):
    """One sweep from the rendered depth, which a random start needs many for."""
    scene, truths = scenes("plane")
    settings = StereoSettings(sweeps=(0, 0, 1))
    pictures = Pictures(scene, pixels=10**6, levels=3)
    first = truths[scene.train[0]]
    seeded = depth_map(pictures, 0, [1, 2, 3], settings, CPU, 0, (first.depth, first.normal))
    blind = depth_map(pictures, 0, [1, 2, 3], settings, CPU, 0)
    errors = [np.median(np.abs(m.depth - first.depth)[first.hit]) for m in (seeded, blind)]
    assert errors[0] < 0.1 * FOOTPRINT
    assert errors[1] > 2 * errors[0]
