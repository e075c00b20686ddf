"""Undistortion: against the lens in closed form, and of a photo in waves."""

from __future__ import annotations

import numpy as np
import pytest

from neus.images.undistort import pinhole_intrinsics, source_map, undistort_pixels, warp
from tests.helpers.lenses import lens, normalized_plane


@pytest.mark.parametrize("k", [0.2, 0.02, -0.1])
def test_undistortion_against_the_lens(k):
    camera = lens(90, 60, k)
    intrinsics = pinhole_intrinsics(camera)
    source = source_map(camera, intrinsics)
    assert source.min() >= -0.51  # every pixel has a source; OpenCV's first centre is 0
    assert (source.max(axis=(0, 1)) <= [89.51, 59.51]).all()
    if k < 0:
        np.testing.assert_allclose(intrinsics, camera.calibration_matrix())
    else:
        assert intrinsics[0, 0] > 99
    np.testing.assert_array_equal(intrinsics[:2, 2], [45, 30])
    pixels = np.array([[45.0, 30], [10.5, 20.5], [80.5, 55.5]])
    rays = np.linalg.inv(intrinsics) @ np.concatenate([pixels, np.ones((3, 1))], axis=1).T
    x, y = rays[:2]
    factor = 1 + k * (x * x + y * y)
    in_photo = np.stack([99 * x * factor + 45, 99 * y * factor + 30], axis=1)
    columns, rows = (pixels[1:] - 0.5).astype(int).T
    np.testing.assert_allclose(source[rows, columns] + 0.5, in_photo[1:], atol=1e-4)
    np.testing.assert_allclose(undistort_pixels(camera, intrinsics, in_photo), pixels, atol=1e-6)


@pytest.mark.parametrize("k", [0.2, -0.1])
def test_a_distorted_photo_becomes_that_of_a_pinhole(k):
    def waves(plane: np.ndarray) -> np.ndarray:
        return np.rint(127 + 120 * np.sin(40 * plane[..., 0]) * np.cos(30 * plane[..., 1]))

    camera = lens(240, 180, k)
    intrinsics = pinhole_intrinsics(camera)
    x, y = np.meshgrid(np.arange(240) + 0.5, np.arange(180) + 0.5)
    expected = waves((np.stack([x, y], axis=2) - intrinsics[:2, 2]) / intrinsics[0, 0])
    photo = waves(normalized_plane(camera)).astype(np.uint8)
    undistorted = warp(photo, source_map(camera, intrinsics))
    assert np.abs(photo - expected).max() > 30
    assert np.abs(undistorted - expected)[2:-2, 2:-2].max() <= 3


def test_photos_without_distortion_stay_as_they_are():
    camera = lens(90, 60, 0.0)
    photo = np.random.default_rng(0).integers(0, 256, (60, 90, 3), dtype=np.uint8)
    source = source_map(camera, pinhole_intrinsics(camera))
    np.testing.assert_array_equal(warp(photo, source), photo)
