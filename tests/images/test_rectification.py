"""Photos stored turned and distorted: pixels, cameras and marks agree with each other."""

from __future__ import annotations

import numpy as np
import pytest

from neus.images.rectification import Rectification, turn_camera, turn_pixels
from neus.images.undistort import pinhole_intrinsics
from neus.scene.cameras import Cameras
from tests.helpers.lenses import lens
from tests.helpers.synthetic_captures import ring_cameras

WIDTH, HEIGHT = 120, 90
PINHOLE = np.array([[100.0, 0, 55], [0, 110, 40], [0, 0, 1]])


@pytest.mark.parametrize("clockwise", range(4))
def test_a_turned_camera_sees_what_the_turned_image_shows(clockwise):
    pose = ring_cameras(5).camera_to_world[3]
    one = np.array([WIDTH]), np.array([HEIGHT])
    stored = Cameras(PINHOLE[None], pose[None], *one)
    intrinsics, turned_pose = turn_camera(PINHOLE, pose, clockwise, WIDTH, HEIGHT)
    upright = Cameras(intrinsics[None], turned_pose[None], *one)
    points = np.random.default_rng(0).normal(size=(10, 3)) / 3
    pixels, depth = stored.project(0, points)
    turned, turned_depth = upright.project(0, points)
    np.testing.assert_allclose(turned, turn_pixels(pixels, clockwise, WIDTH, HEIGHT), atol=1e-9)
    np.testing.assert_allclose(turned_depth, depth)
    assert np.linalg.det(turned_pose[:, :3]) == pytest.approx(1)


@pytest.mark.parametrize("clockwise", range(4))
def test_pixels_and_images_turn_alike(clockwise):
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    image[20, 70] = 255
    rectify = Rectification(None, PINHOLE, WIDTH, HEIGHT, clockwise)
    row, column = np.argwhere(rectify(image, False) == 255)[0]
    expected = turn_pixels(np.array([[70.5, 20.5]]), clockwise, WIDTH, HEIGHT)[0]
    np.testing.assert_allclose([column + 0.5, row + 0.5], expected)


def test_a_mask_is_upright_where_its_size_allows():
    rng = np.random.default_rng(0)
    for clockwise in range(4):
        rectify = Rectification(None, PINHOLE, WIDTH, HEIGHT, clockwise)
        stored = rng.integers(0, 256, (HEIGHT, WIDTH), dtype=np.uint8)
        upright = np.rot90(stored, -clockwise)
        np.testing.assert_array_equal(rectify(stored, False), upright)
        np.testing.assert_array_equal(rectify(upright, True), upright)
        if clockwise % 2:  # only the stored photo has this size
            np.testing.assert_array_equal(rectify(stored, True), upright)


@pytest.mark.parametrize("clockwise", range(4))
def test_marks_follow_the_lens_and_the_turn(clockwise):
    """A mark in the upright photo, through the inverse of the lens."""
    camera = lens(WIDTH, HEIGHT, -0.1)
    intrinsics = pinhole_intrinsics(camera)
    rectify = Rectification(camera, intrinsics, WIDTH, HEIGHT, clockwise)
    directions = np.array([[0.1, -0.2, 1.0], [-0.3, 0.15, 1.0], [0.0, 0.0, 1.0]])
    stored = camera.img_from_cam(directions)
    assert stored is not None
    in_photo = turn_pixels(stored, clockwise, WIDTH, HEIGHT)
    in_pinhole = (directions @ intrinsics.T)[:, :2]
    expected = turn_pixels(in_pinhole, clockwise, WIDTH, HEIGHT)
    np.testing.assert_allclose(rectify.rectify_pixels(in_photo), expected, atol=1e-6)
