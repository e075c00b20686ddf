"""Normalisation: the object inside the unit sphere, and filling it, from masks, points or poses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.images.files import write_image
from neus.placement.normalize import MARGIN, normalize, rotation_between
from neus.placement.object_ball import ball_from_points
from neus.scene.cameras import Cameras
from neus.scene.focus import focus_point, whole_radius
from neus.scene.reading import Scene
from neus.scene.similarity import Similarity
from neus.sources.capture import Capture
from tests.helpers.synthetic_captures import (
    UP,
    ellipsoid_masks,
    ellipsoid_points,
    ring_cameras,
    scene_on_disk,
)

CENTRE = np.array([0.2, -0.1, 0.15])
SOURCE = Similarity(  # a source frame with an arbitrary origin, scale and orientation
    37.0, Rotation.from_rotvec([0.4, -2.0, 1.0]).as_matrix(), np.array([100.0, -50, 700])
)
OBJECTS = {
    "sphere": np.full(3, 0.8),
    "plate": np.array([1.0, 0.8, 0.1]),
    "pole": np.array([0.1, 0.15, 1.0]),
    "far too small": np.full(3, 0.1),
}


def captured(tmp_path, cameras: Cameras, *, half_axes=None, points=None) -> Capture:
    """An ellipsoid at CENTRE, seen in the source frame; masks if half axes are given."""
    masks = None if half_axes is None else ellipsoid_masks(cameras, CENTRE, half_axes)
    points = None if points is None else SOURCE.apply(points)
    return Capture(scene_on_disk(tmp_path, cameras.transformed(SOURCE), masks, points), None)


def largest_distance(scene: Scene, half_axes: np.ndarray) -> float:
    """Of the ellipsoid's surface from the origin of the scene."""
    surface = SOURCE.apply(ellipsoid_points(5000, CENTRE, half_axes))
    return np.linalg.norm(scene.to_source.inverse().apply(surface), axis=1).max()


def mask_file(scene: Scene, index: int) -> Path:
    file = scene.frames[index].mask
    assert file is not None
    return file


def focus_of(cameras: Cameras) -> np.ndarray:
    focus = focus_point(cameras.camera_to_world)
    assert focus is not None
    return focus


@pytest.mark.parametrize("name", OBJECTS)
def test_the_object_that_masks_show_lies_in_the_sphere(tmp_path, name):
    half_axes = OBJECTS[name]
    scene = normalize(
        captured(tmp_path, ring_cameras(), half_axes=half_axes), sphere="auto", up="source"
    )
    assert 0.5 < largest_distance(scene, half_axes) < 1


@pytest.mark.parametrize("name", OBJECTS)
def test_points_beside_masks_make_the_sphere_tight(tmp_path, name):
    half_axes = OBJECTS[name]
    on_object = ellipsoid_points(300, CENTRE, half_axes)
    around = np.random.default_rng(3).uniform(-3, 3, (300, 3))
    capture = captured(
        tmp_path,
        ring_cameras(),
        half_axes=half_axes,
        points=np.concatenate([on_object, around]),
    )
    scene = normalize(capture, sphere="auto", up="source")
    assert 0.8 < largest_distance(scene, half_axes) < 1
    assert (np.linalg.norm(scene.points, axis=1) < 1).all()
    assert len(scene.points) == len(scene.points_rgb) >= 300


def test_the_scene_is_the_source_moved_by_one_similarity(tmp_path):
    capture = captured(tmp_path, ring_cameras(), half_axes=OBJECTS["sphere"])
    scene = normalize(capture, sphere="auto", up="cameras")
    back = scene.cameras.transformed(scene.to_source)
    np.testing.assert_allclose(
        back.camera_to_world, capture.scene.cameras.camera_to_world, atol=1e-9
    )
    assert scene.frames == capture.scene.frames
    assert scene.unit == capture.scene.unit


def test_a_stated_sphere_is_taken_as_it_is(tmp_path):
    capture = captured(tmp_path, ring_cameras(), half_axes=OBJECTS["sphere"])
    stated = Similarity(50.0, np.eye(3), np.array([1.0, 2, 3]))
    scene = normalize(replace(capture, sphere=stated), sphere="auto", up="source")
    np.testing.assert_array_equal(scene.to_source.matrix, stated.matrix)


def test_cameras_on_one_side_and_an_object_beyond_the_frame(tmp_path):
    cameras = ring_cameras(15, azimuths=(-35, 35), focal=230.0)
    half_axes = np.array([0.5, 0.9, 0.8])
    capture = captured(
        tmp_path,
        cameras,
        half_axes=half_axes,
        points=ellipsoid_points(300, CENTRE, half_axes),
    )
    assert 0.8 < largest_distance(normalize(capture, sphere="auto", up="source"), half_axes) < 1


def test_specks_empty_masks_and_one_lost_mask_do_not_matter(tmp_path):
    half_axes = np.array([0.5, 0.4, 0.6])
    cameras = ring_cameras(24)
    capture = captured(
        tmp_path, cameras, half_axes=half_axes, points=ellipsoid_points(300, CENTRE, half_axes)
    )
    clean = normalize(capture, sphere="auto", up="source")
    masks = ellipsoid_masks(cameras, CENTRE, half_axes)
    masks[3][2:5, 3:6] = 255  # a speck
    masks[5][:] = 0  # the object is out of the frame
    masks[9] = np.roll(masks[9], 40, axis=1)  # the mask of another image
    for i in (3, 5, 9):
        write_image(mask_file(capture.scene, i), masks[i])
    scene = normalize(capture, sphere="auto", up="source")
    assert largest_distance(scene, half_axes) < 1
    assert scene.to_source.scale == pytest.approx(clean.to_source.scale, rel=0.05)


def test_points_alone_show_the_object_in_front_of_its_surroundings(tmp_path):
    half_axes = np.array([0.6, 0.5, 0.4])
    rng = np.random.default_rng(0)
    walls = rng.normal(size=(800, 3))
    walls *= 9 / np.linalg.norm(walls, axis=1, keepdims=True)
    wrong = rng.uniform(-1.2, 1.2, (4, 3))
    points = np.concatenate([ellipsoid_points(400, CENTRE, half_axes), walls, wrong])
    capture = captured(tmp_path, ring_cameras(), points=points)
    assert 0.75 < largest_distance(normalize(capture, sphere="auto", up="source"), half_axes) < 1


def test_poses_alone_give_what_the_images_show_whole(tmp_path):
    cameras = ring_cameras(focus=CENTRE)
    scene = normalize(captured(tmp_path, cameras), sphere="auto", up="source")
    np.testing.assert_allclose(scene.to_source.translation, SOURCE.apply(CENTRE[None])[0])
    half_view = np.arctan2(45, 110)  # of the shorter side
    assert scene.to_source.scale == pytest.approx(37 * 4 * np.sin(half_view))
    assert whole_radius(cameras, CENTRE) == pytest.approx(4 * np.sin(half_view))


def test_upright_turns_the_cameras_up_to_z_and_only_when_asked(tmp_path):
    capture = captured(tmp_path, ring_cameras(), half_axes=OBJECTS["sphere"])
    upright = normalize(capture, sphere="auto", up="cameras")
    vertical = SOURCE.rotation @ UP
    np.testing.assert_allclose(upright.to_source.rotation.T @ vertical, UP, atol=1e-6)
    assert upright.cameras.ups[:, 2].min() > 0
    np.testing.assert_array_equal(
        normalize(capture, sphere="auto", up="source").to_source.rotation, np.eye(3)
    )


def test_the_focus_is_where_the_axes_meet_and_one_stray_camera_has_little_say():
    cameras = ring_cameras(focus=CENTRE)
    np.testing.assert_allclose(focus_of(cameras), CENTRE, atol=1e-9)
    poses = cameras.camera_to_world.copy()
    poses[4, :, :3] = Rotation.from_rotvec([0, 0, 0.7]).as_matrix() @ poses[4, :, :3]
    np.testing.assert_allclose(focus_of(replace(cameras, camera_to_world=poses)), CENTRE, atol=1e-2)


def test_there_is_no_focus_of_parallel_or_outward_axes():
    cameras = ring_cameras()
    parallel = cameras.camera_to_world.copy()
    parallel[:, :, :3] = parallel[0, :, :3]
    assert focus_point(parallel) is None
    outward = cameras.camera_to_world.copy()
    outward[:, :, [0, 2]] *= -1
    assert focus_point(outward) is None


def test_parallel_cameras_with_points_are_normalised(tmp_path):
    cameras = ring_cameras()
    poses = np.tile(cameras.camera_to_world[:1], (12, 1, 1))
    poses[:, :, 3] += np.linspace(-0.5, 0.5, 12)[:, None] * poses[:, :, 0]
    row = replace(cameras, camera_to_world=poses)
    half_axes = np.full(3, 0.4)
    points = ellipsoid_points(200, CENTRE, half_axes)
    scene = normalize(captured(tmp_path, row, points=points), sphere="auto", up="cameras")
    assert 0.75 < largest_distance(scene, half_axes) < 1


def test_what_cannot_be_normalised_is_refused_in_one_sentence(tmp_path):
    capture = captured(tmp_path, ring_cameras(), half_axes=OBJECTS["sphere"])
    scene = capture.scene
    two = replace(scene, frames=scene.frames[:2], cameras=scene.cameras[:2])
    one_place = scene.cameras.camera_to_world.copy()
    one_place[:, :, 3] = one_place[0, :, 3]
    turning = replace(scene, cameras=replace(scene.cameras, camera_to_world=one_place))
    parallel = scene.cameras.camera_to_world.copy()
    parallel[:, :, :3] = parallel[0, :, :3]
    no_focus = replace(scene, cameras=replace(scene.cameras, camera_to_world=parallel))
    no_masks = tuple(replace(frame, mask=None) for frame in scene.frames)
    for unusable, sentence in (
        (two, "2 images"),
        (turning, "from one place"),
        (no_focus, "take photos all around"),
        (replace(no_focus, frames=no_masks), "add masks"),
    ):
        with pytest.raises(InputError, match=sentence):
            normalize(Capture(unusable, None), sphere="auto", up="source")
    for i in range(len(scene.frames)):  # the left edge in some, the right edge in others
        mask = np.zeros((90, 120), np.uint8)
        mask[:, slice(110, 120) if i % 2 else slice(0, 10)] = 255
        write_image(mask_file(scene, i), mask)
    with pytest.raises(InputError, match="do not agree"):
        normalize(capture, sphere="auto", up="source")
    for i in range(len(scene.frames)):
        write_image(mask_file(scene, i), np.zeros((90, 120), np.uint8))
    with pytest.raises(InputError, match="all masks are black"):
        normalize(capture, sphere="auto", up="source")


def test_few_cameras_that_see_all_points_keep_them(tmp_path):
    points = ellipsoid_points(100, CENTRE, np.full(3, 0.5))
    _, radius = ball_from_points(ring_cameras(3), points)
    assert radius * MARGIN > 0.5


@given(st.integers(0, 2**32 - 1))
def test_rotation_between(seed: int):
    rng = np.random.default_rng(seed)
    origin, target = (v / np.linalg.norm(v) for v in rng.normal(size=(2, 3)))
    for end in (target, origin, -origin):
        rotation = rotation_between(origin, end)
        np.testing.assert_allclose(rotation @ origin, end, atol=1e-7)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-7)
        assert np.linalg.det(rotation) == pytest.approx(1)
