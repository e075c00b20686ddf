"""The picture of the unit sphere: its outline where it is, in every photo and map."""

from __future__ import annotations

import numpy as np

from neus.images.stored import read_image
from neus.scene.cameras import look_at
from neus.scene.overview import SPHERE, circle, overview
from neus.scene.writing import write_scene
from tests.helpers.synthetic_captures import ellipsoid_masks, ring_cameras, scene_on_disk


def test_the_outline_of_the_sphere_is_where_rays_touch_it():
    centre = np.array([2.0, -1, 0.5])
    distance = float(np.linalg.norm(centre))
    outline = circle(centre / distance, 1 / distance)
    np.testing.assert_allclose(np.linalg.norm(outline, axis=1), 1)
    np.testing.assert_allclose(((outline - centre) * outline).sum(axis=1), 0, atol=1e-12)


def test_the_circle_drawn_is_the_silhouette_of_the_unit_sphere(tmp_path):
    cameras = ring_cameras(6, distance=4.0)
    masks = ellipsoid_masks(cameras, np.zeros(3), np.ones(3))
    write_scene(
        scene_on_disk(tmp_path / "source", cameras, masks, np.eye(3) / 2),
        tmp_path / "scene",
        downscale=1,
        holdout=3,
        threads=1,
    )
    picture = read_image(tmp_path / "scene" / "overview.png")
    top = 24 + 4  # captions and the gap below them
    photo = picture[top : top + 90, :120].astype(int)
    red = np.abs(photo - SPHERE).sum(axis=2) < 60
    y, x = np.nonzero(red)
    assert red.sum() > 100
    inside = np.pad(masks[0] > 127, 3)
    touched = [
        inside[row : row + 7, column : column + 7].any() for row, column in zip(y, x, strict=True)
    ]
    assert np.mean(touched) > 0.9  # the rest is noise of the photo that happens to be red
    edge = (masks[0] > 127)[1:-1, 1:-1]
    outline = edge & ~((masks[0] > 127)[2:, 1:-1] & (masks[0] > 127)[:-2, 1:-1])
    rows, columns = np.nonzero(outline)
    near = [
        red[max(0, r - 1) : r + 4, max(0, c - 1) : c + 4].any()
        for r, c in zip(rows, columns, strict=True)
    ]
    assert np.mean(near) > 0.95  # and red all along it


def test_a_camera_inside_the_sphere_and_a_single_photo_are_drawn(tmp_path):
    cameras = ring_cameras(3, distance=0.5)
    cameras.camera_to_world[0] = look_at(np.array([3.0, 0, 0]), np.array([6.0, 0, 0]), np.eye(3)[2])
    scene = scene_on_disk(tmp_path, cameras, None)
    assert overview(scene).ndim == 3
