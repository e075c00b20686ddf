"""Gains of photos from points that several of them see, against the gains they were made with."""

from __future__ import annotations

import numpy as np
import pytest

from neus.scene import Cameras
from neus.stereo import StereoPoints
from neus.stereo.exposure import at_one_exposure, equalised, follows_from_place, photo_gains
from tests.helpers.known_points import points_on_the_sphere
from tests.helpers.trainings import sphere_capture

VIEWS = 8


@pytest.fixture(scope="module")
def true_gains() -> np.ndarray:
    """A factor each, and a little of another white; 1 in the geometric mean."""
    rng = np.random.default_rng(5)
    logarithms = 0.12 * rng.standard_normal((VIEWS, 1)) + 0.02 * rng.standard_normal((VIEWS, 3))
    return np.exp(logarithms - logarithms.mean(axis=0))


@pytest.fixture(scope="module")
def plain() -> tuple[Cameras, list[np.ndarray]]:
    cameras, images, _ = sphere_capture(VIEWS, 48)
    return cameras, [(0.6 * image).astype(np.uint8) for image in images]


def exposed(images: list[np.ndarray], gains: np.ndarray) -> list[np.ndarray]:
    """As cameras of these gains show it, with noise."""
    rng = np.random.default_rng(0)
    noisy = [i * g + rng.normal(0, 2, i.shape) for i, g in zip(images, gains, strict=True)]
    return [np.clip(np.rint(image), 0, 255).astype(np.uint8) for image in noisy]


def test_gains_are_those_that_photos_were_made_with(plain, true_gains: np.ndarray):
    cameras, images = plain
    found = photo_gains(points_on_the_sphere(cameras), cameras, exposed(images, true_gains))
    np.testing.assert_allclose(found, true_gains, rtol=0.02)
    np.testing.assert_allclose(np.log(found).mean(axis=0), 0, atol=1e-9)


def test_a_highlight_is_no_exposure(plain, true_gains: np.ndarray):
    cameras, images = plain
    photos = exposed(images, true_gains)
    shining = photos[2][20:29, 16:32]
    photos[2][20:29, 16:32] = np.maximum(shining, 190)
    found = photo_gains(points_on_the_sphere(cameras), cameras, photos)
    np.testing.assert_allclose(found, true_gains, rtol=0.03)


def test_photos_that_are_equal_stay_as_they_are(plain):
    cameras, images = plain
    said: list[str] = []
    same = at_one_exposure(points_on_the_sphere(cameras), cameras, images, said.append)
    for before, after in zip(images, same, strict=True):
        assert np.abs(before.astype(int) - after).max() <= 1
    assert said[0].startswith("photos differ in brightness by 0.")


def test_photos_come_to_their_mean(plain, true_gains: np.ndarray):
    cameras, images = plain
    photos = exposed(images, true_gains)
    found = at_one_exposure(points_on_the_sphere(cameras), cameras, photos)
    off = [np.abs(f.astype(int) - i)[i > 30].mean() for f, i in zip(found, images, strict=True)]
    before = [np.abs(p.astype(int) - i)[i > 30].mean() for p, i in zip(photos, images, strict=True)]
    assert max(off) < 3 < max(before)


def test_a_photo_without_sightings_keeps_its_colours(plain, true_gains: np.ndarray):
    cameras, images = plain
    points = points_on_the_sphere(cameras)
    kept = points.views != 3
    owner = np.repeat(np.arange(len(points)), np.diff(points.first))[kept]
    first = np.concatenate([[0], np.cumsum(np.bincount(owner, minlength=len(points)))])
    names = ("position", "normal", "colour", "confidence", "footprint")
    parts = {name: getattr(points, name) for name in names}
    without = StereoPoints(**parts, first=first, views=points.views[kept])
    found = photo_gains(without, cameras, exposed(images, true_gains))
    assert (found[3] == 1).all()
    others = np.arange(VIEWS) != 3
    expected = true_gains[others] / np.exp(np.log(true_gains[others]).mean(axis=0))
    np.testing.assert_allclose(found[others], expected, rtol=0.02)
    assert (photo_gains(StereoPoints.none(), cameras, images) == 1).all()


def test_what_becomes_too_bright_is_clipped():
    image = np.array([[[0, 100, 250]]], np.uint8)
    assert equalised(image, np.array([0.5, 0.5, 0.5])).tolist() == [[[0, 200, 255]]]


def test_light_that_moves_with_the_camera_is_no_exposure(plain, true_gains: np.ndarray):
    cameras, images = plain
    assert not follows_from_place(true_gains, cameras)
    around = np.arctan2(cameras.centres[:, 1], cameras.centres[:, 0])
    smooth = np.exp(0.2 * np.cos(around))[:, None].repeat(3, axis=1)
    assert follows_from_place(smooth, cameras)
    assert not follows_from_place(np.ones((VIEWS, 3)), cameras)
    said: list[str] = []
    photos = exposed(images, smooth)
    same = at_one_exposure(points_on_the_sphere(cameras), cameras, photos, said.append)
    assert all(after is before for after, before in zip(same, photos, strict=True))
    assert "where they were taken" in said[0]


def test_few_photos_stay_as_they_are(plain):
    cameras, images = plain
    few, some = cameras[[0, 1, 2]], images[:3]
    assert at_one_exposure(points_on_the_sphere(few), few, some) == some
