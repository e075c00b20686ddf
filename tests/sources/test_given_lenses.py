"""Lenses as ``transforms.json`` states them: angles, matrices, sizes, terms and their names."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image

from neus.images import ORIENTATION
from neus.scene import load_image
from neus.sources.radial_lens import RadialLens
from tests.helpers.foreign_scans import (
    COUNT,
    FOCAL,
    SIZE,
    assert_read,
    cameras,
    numbered,
    picture,
    read,
    without_intrinsics,
    write_scan,
)


def test_angles_alone(tmp_path):
    def edit(content):
        without_intrinsics(content)
        content["camera_angle_x"] = 2 * math.atan(SIZE[0] / 2 / FOCAL)

    write_scan(tmp_path, edit)
    assert_read(read(tmp_path)[0])


def test_degrees_of_instant_ngp(tmp_path):
    def edit(content):
        without_intrinsics(content)
        content["x_fov"] = math.degrees(2 * math.atan(SIZE[0] / 2 / FOCAL))

    write_scan(tmp_path, edit)
    assert_read(read(tmp_path)[0])


def test_a_frame_s_own_intrinsics_stand_above_the_shared_ones(tmp_path):
    """Metashape's and RealityCapture's converters mix both."""

    def edit(content):
        content["frames"][1] |= {"fl_x": 33.0, "fl_y": 34.0, "cx": 15.0}
        content["frames"][2] |= {"camera_angle_x": 2 * math.atan(SIZE[0] / 2 / 25)}
        content["frames"][3] |= {"intrinsics": [31.0, 32.0, 14.0, 11.0]}

    write_scan(tmp_path, edit)
    found = read(tmp_path)[0].scene.cameras.intrinsics
    np.testing.assert_allclose(found[1], [[33, 0, 15], [0, 34, 12], [0, 0, 1]])
    np.testing.assert_allclose(found[2], [[25, 0, 16], [0, 25, 12], [0, 0, 1]])
    np.testing.assert_allclose(found[3], [[31, 0, 14], [0, 32, 11], [0, 0, 1]])
    np.testing.assert_allclose(found[0], cameras().intrinsics[0])


def test_images_of_half_the_size_and_of_a_size_that_was_rounded(tmp_path):
    write_scan(tmp_path / "a", lambda c: c.update(w=64, h=48, fl_x=60, fl_y=60, cx=32, cy=24))
    capture, said = read(tmp_path / "a")
    assert_read(capture)
    assert "is for images of 64x48, but 6 are 32x24: their intrinsics are scaled" in said
    write_scan(tmp_path / "b", lambda c: c.update(w=65, h=49, fl_x=60, fl_y=60, cx=32.5, cy=24.5))
    found = read(tmp_path / "b")[0].scene.cameras.intrinsics[0]
    np.testing.assert_allclose(found[[0, 1], [0, 1]], [60 * 32 / 65, 60 * 24 / 49])


def test_k3_and_k4_of_a_perspective_lens_are_radial_terms(tmp_path):
    keys = {"k1": -0.1, "k2": 0.02, "k3": 0.01, "p1": 1e-3, "p2": -2e-3}
    write_scan(tmp_path / "a", lambda content: content.update(keys, camera_model="OPENCV"))
    capture, _ = read(tmp_path / "a")
    assert load_image(capture.scene, 0).shape == (24, 32, 3)
    write_scan(tmp_path / "b", lambda content: content.update(keys, k4=0.003))
    frame = read(tmp_path / "b")[0].scene.frames[0]
    assert frame.rectify is not None
    lens = frame.rectify.lens  # pyright: ignore
    assert isinstance(lens, RadialLens)
    with_three = read(tmp_path / "a")[0].scene.frames[0].rectify.lens  # pyright: ignore
    plain = RadialLens(*SIZE, lens.pinhole, lens.radial * [1, 1, 1, 0], lens.tangential)
    points = np.random.default_rng(0).uniform(-0.4, 0.4, (50, 3))
    points[:, 2] += 1
    np.testing.assert_allclose(plain.img_from_cam(points), with_three.img_from_cam(points))
    pixels = lens.img_from_cam(points)
    np.testing.assert_allclose(lens.cam_from_img(pixels), points[:, :2] / points[:, 2:], atol=1e-9)


@pytest.mark.parametrize(
    "keys",
    [{"camera_model": "OPENCV_FISHEYE"}, {"is_fisheye": True}, {"camera_model": "fisheye"}],
)
def test_fisheye_lenses_by_name(tmp_path, keys):
    write_scan(tmp_path, lambda content: content.update(keys, k1=0.01, k2=0.0, k3=0.001, k4=0.0))
    frame = read(tmp_path)[0].scene.frames[0]
    assert frame.rectify.lens.model_name == "OPENCV_FISHEYE"  # pyright: ignore


def test_a_photo_whose_camera_is_stated_upright(tmp_path):
    """A phone stores a photo lying and tags it; some exporters state it as it is seen."""
    upright = [np.ascontiguousarray(picture(i)) for i in range(COUNT)]
    tags = Image.Exif()
    tags[ORIENTATION] = 6
    names = numbered("images/{:04d}.webp")
    write_scan(tmp_path, names=names, files=[])
    (tmp_path / "images").mkdir()
    for name, image in zip(names, upright, strict=True):
        Image.fromarray(np.rot90(image)).save(tmp_path / name, exif=tags, lossless=True)
    capture, _ = read(tmp_path)
    assert_read(capture)
    np.testing.assert_array_equal(load_image(capture.scene, 3), upright[3])
