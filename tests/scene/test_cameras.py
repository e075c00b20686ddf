"""Pinhole cameras: closed forms, and projection against rays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neus.scene.cameras import Cameras, from_projections, look_at
from neus.scene.similarity import Similarity


def random_camera(seed: int) -> Cameras:
    rng = np.random.default_rng(seed)
    width, height = rng.integers(20, 2000, 2)
    intrinsics = np.eye(3)
    intrinsics[[0, 1], [0, 1]] = rng.uniform(0.5, 3, 2) * width
    intrinsics[:2, 2] = rng.uniform(0.2, 0.8, 2) * [width, height]
    pose = np.concatenate(
        [Rotation.from_quat(rng.normal(size=4)).as_matrix(), 5 * rng.normal(size=(3, 1))], 1
    )
    return Cameras(intrinsics[None], pose[None], np.array([width]), np.array([height]))


cameras = st.integers(0, 2**32 - 1).map(random_camera)
PIXELS = np.random.default_rng(0).uniform(0, 300, (30, 2))


def test_projection_in_closed_form():
    intrinsics = np.array([[[100.0, 0, 50], [0, 200, 40], [0, 0, 1]]])
    pose = np.eye(4)[None, :3].copy()
    pose[0, :, 3] = [1, 2, 3]
    camera = Cameras(intrinsics, pose, np.array([100]), np.array([80]))
    pixels, depth = camera.project(0, np.array([[1.0, 2, 5], [2, 3, 5], [1, 2, 1]]))
    np.testing.assert_allclose(pixels[:2], [[50, 40], [100, 140]])  # x right, y down
    np.testing.assert_allclose(depth, [2, 2, -2])
    np.testing.assert_array_equal(camera.in_image(0, pixels, depth), [True, False, False])
    np.testing.assert_allclose(camera.centres, [[1, 2, 3]])
    np.testing.assert_allclose(camera.optical_axes, [[0, 0, 1]])
    np.testing.assert_allclose(camera.ups, [[0, -1, 0]])


@given(cameras, st.floats(0.1, 100))
def test_points_on_a_ray_project_to_its_pixel(camera: Cameras, t: float):
    origins, directions = camera.rays(0, PIXELS)
    np.testing.assert_allclose(np.linalg.norm(directions, axis=1), 1)
    pixels, depth = camera.project(0, origins + t * directions)
    np.testing.assert_allclose(pixels, PIXELS, rtol=1e-7, atol=1e-6)
    assert (depth > 0).all()


@given(cameras, st.integers(1, 500), st.integers(1, 500))
def test_resized_cameras_see_the_same_through_scaled_pixels(camera, width, height):
    small = camera.resized(np.array([width]), np.array([height]))
    factors = [width / camera.widths[0], height / camera.heights[0]]
    np.testing.assert_allclose(
        small.rays(0, PIXELS * factors)[1], camera.rays(0, PIXELS)[1], atol=1e-9
    )
    assert (small.widths[0], small.heights[0]) == (width, height)


@given(cameras, st.integers(0, 2**32 - 1))
def test_a_moved_camera_sees_moved_points_in_the_same_pixels(camera: Cameras, seed: int):
    rng = np.random.default_rng(seed)
    similarity = Similarity(
        float(np.exp(rng.normal())),
        Rotation.from_quat(rng.normal(size=4)).as_matrix(),
        rng.normal(size=3),
    )
    origins, directions = camera.rays(0, PIXELS)
    points = similarity.apply(origins + 3 * directions)
    pixels, depth = camera.transformed(similarity).project(0, points)
    np.testing.assert_allclose(pixels, PIXELS, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(
        depth, similarity.scale * camera.project(0, origins + 3 * directions)[1]
    )


@given(cameras, st.floats(0.01, 100), st.sampled_from([-1, 1]))
def test_projection_matrices_of_any_scale_and_sign_are_split(camera, scale, sign):
    rotation, centre = camera.camera_to_world[0, :, :3], camera.centres[0]
    world_to_camera = np.concatenate([rotation.T, -rotation.T @ centre[:, None]], axis=1)
    matrix = camera.intrinsics[0] @ world_to_camera
    of_all = from_projections(np.stack([matrix, sign * scale * matrix]))
    for intrinsics, pose in zip(*of_all, strict=True):
        np.testing.assert_allclose(intrinsics, camera.intrinsics[0], rtol=1e-7, atol=1e-6)
        np.testing.assert_allclose(pose, camera.camera_to_world[0], rtol=1e-7, atol=1e-7)


def test_projection_without_a_centre_is_refused():
    orthographic = np.eye(4)[[0, 1, 3]]
    with pytest.raises(ValueError, match="no centre"):
        from_projections(orthographic[None])


def test_look_at():
    pose = look_at(np.array([0.0, -5, 0]), np.zeros(3), np.array([0.0, 0, 1]))
    np.testing.assert_allclose(pose, [[1, 0, 0, 0], [0, 0, 1, -5], [0, -1, 0, 0]], atol=1e-15)
    assert np.linalg.det(pose[:, :3]) == pytest.approx(1)
    with pytest.raises(ValueError, match="parallel"):
        look_at(np.array([0.0, 0, 5]), np.zeros(3), np.array([0.0, 0, 1]))
    with pytest.raises(ValueError, match="own centre"):
        look_at(np.zeros(3), np.zeros(3), np.array([0.0, 0, 1]))


def test_pixel_grid_goes_row_by_row_through_pixel_centres():
    camera = random_camera(0).resized(np.array([3]), np.array([2]))
    np.testing.assert_array_equal(
        camera.pixel_grid(0),
        [[0.5, 0.5], [1.5, 0.5], [2.5, 0.5], [0.5, 1.5], [1.5, 1.5], [2.5, 1.5]],
    )


def test_indexing_keeps_a_batch():
    batch = Cameras(
        *(
            np.concatenate([getattr(random_camera(s), name) for s in (1, 2, 3)])
            for name in ("intrinsics", "camera_to_world", "widths", "heights")
        )
    )
    assert len(batch) == 3
    assert len(batch[[2, 0]]) == 2
    np.testing.assert_array_equal(batch[[2, 0]].centres, batch.centres[[2, 0]])
