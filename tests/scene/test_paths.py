"""The spheric path: what it looks at, where it runs, and the captures that it must survive."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.scene.cameras import look_at
from neus.scene.paths import camera_path, centre_of_interest, circular_path, spheric_path
from neus.scene.vertical import up_direction

UP = np.array([0.0, 0.0, 1.0])
FOCUS = np.array([0.1, -0.2, 0.05])


def rig(azimuths, elevations, distance: float | np.ndarray = 3.0, focus=FOCUS, up=UP) -> np.ndarray:
    """Cameras at angles in degrees that look at one point."""
    azimuth, elevation = np.deg2rad(np.broadcast_arrays(azimuths, elevations))
    level = np.cos(elevation)
    directions = np.stack(
        [level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=1
    )
    centres = focus + np.reshape(distance, (-1, 1)) * directions
    return np.stack([look_at(centre, focus, up) for centre in centres])


def cap_rig(half_angle=30.0, count=49, seed=0) -> np.ndarray:
    """Cameras over a round cap whose middle is at azimuth 40, elevation 20 degrees."""
    rng = np.random.default_rng(seed)
    angle, turn = half_angle * np.sqrt(rng.random(count)), 2 * np.pi * rng.random(count)
    return rig(40 + angle * np.cos(turn) / np.cos(np.deg2rad(20)), 20 + angle * np.sin(turn))


RIGS = {
    "cap": cap_rig(),
    "ring": rig(np.arange(0, 360, 22.5), 10.0),
    "dome": rig(np.random.default_rng(1).uniform(0, 360, 100), np.linspace(0, 89, 100)),
    "half ring": rig(np.linspace(-95, 95, 20), 30.0),
    "two": rig([0, 50], [10, 20]),
    "opposite": rig([0, 180], [70, 70]),
    "column": rig(np.zeros(6), np.linspace(-20, 60, 6)),
    "from above": rig(
        np.random.default_rng(2).uniform(-60, 60, 30),
        np.random.default_rng(3).uniform(65, 88, 30),
        up=np.array([1.0, 0.0, 0.2]),
    ),
}


def steps(path: np.ndarray) -> np.ndarray:
    """Distances from each camera to the next, from the last back to the first."""
    return np.linalg.norm(np.roll(path[:, :, 3], -1, axis=0) - path[:, :, 3], axis=1)


@pytest.fixture(params=RIGS)
def cameras(request) -> np.ndarray:
    return RIGS[request.param]


class TestEveryPath:
    def test_it_looks_at_the_focus_from_the_median_distance(self, cameras):
        path = spheric_path(cameras, 90)
        offsets = FOCUS - path[:, :, 3]
        distances = np.linalg.norm(offsets, axis=1)
        np.testing.assert_allclose(distances, 3.0, atol=1e-9)
        np.testing.assert_allclose(path[:, :, 2], offsets / distances[:, None], atol=1e-9)

    def test_its_axes_are_a_right_handed_frame(self, cameras):
        rotations = spheric_path(cameras, 90)[:, :, :3]
        gram = rotations.transpose(0, 2, 1) @ rotations
        np.testing.assert_allclose(gram, np.broadcast_to(np.eye(3), gram.shape), atol=1e-12)
        np.testing.assert_allclose(np.linalg.det(rotations), 1, atol=1e-12)

    def test_it_is_closed_and_its_speed_is_even(self, cameras):
        path = spheric_path(cameras, 720)
        assert steps(path).max() < 1.05 * steps(path).min()
        turns = np.linalg.norm(np.roll(path[:, :, :3], -1, axis=0) - path[:, :, :3], axis=(1, 2))
        assert turns.max() < 0.1  # and the image does not jump either, not even at the seam

    @pytest.mark.parametrize("name", sorted(RIGS.keys() - {"opposite"}))
    def test_image_tops_are_on_the_side_of_the_nearest_cameras_top(self, name):
        cameras = RIGS[name]
        path = spheric_path(cameras, 90)
        directions, path_directions = cameras[:, :, 2], path[:, :, 2]
        nearest = (path_directions @ directions.T).argmax(axis=1)
        assert (path[:, :, 1] * cameras[nearest, :, 1]).sum(axis=1).min() > 0.5


class TestOrbits:
    def test_a_ring_is_followed_exactly(self):
        path = spheric_path(RIGS["ring"], 32)
        heights = path[:, 2, 3] - FOCUS[2]
        np.testing.assert_allclose(heights, 3 * np.sin(np.deg2rad(10)), atol=1e-9)
        np.testing.assert_allclose(-path[:, :, 1] @ UP, np.cos(np.deg2rad(10)), atol=1e-9)
        azimuth = np.unwrap(np.arctan2(*(path[:, 1::-1, 3] - FOCUS[1::-1]).T))
        np.testing.assert_allclose(np.abs(np.diff(azimuth)), 2 * np.pi / 32, atol=1e-6)

    def test_a_dome_is_circled_with_a_gentle_wave_about_the_median_elevation(self):
        path = spheric_path(RIGS["dome"], 360)
        elevation = np.rad2deg(np.arcsin((path[:, 2, 3] - FOCUS[2]) / 3))
        assert elevation.max() == pytest.approx(44.5 + 10, abs=0.01)
        assert elevation.min() == pytest.approx(44.5 - 10, abs=0.01)

    def test_three_cameras_all_around_are_a_full_turn(self):
        path = spheric_path(rig([0, 120, 240], 0.0), 36)
        assert np.linalg.norm(path[:, :, 3].mean(axis=0) - FOCUS) < 1e-6

    def test_cameras_at_the_pole_keep_the_image_upright_along_the_path(self):
        path = spheric_path(rig(np.arange(0, 360, 30), 89.0), 60)
        assert np.rad2deg(np.arcsin((path[:, 2, 3] - FOCUS[2]) / 3)).max() <= 85 + 1e-9


class TestCircles:
    def test_it_has_the_cameras_mean_height_and_distance(self):
        """Two rings, 3 away at 10 degrees and 4 away at 50 degrees."""
        low, high = (rig(np.arange(0, 360, 30), e, distance=d) for e, d in ((10.0, 3), (50.0, 4)))
        path = circular_path(np.concatenate([low, high]), 40)
        offsets = path[:, :, 3] - FOCUS
        height = (3 * np.sin(np.deg2rad(10)) + 4 * np.sin(np.deg2rad(50))) / 2
        np.testing.assert_allclose(offsets[:, 2], height, atol=1e-6)
        np.testing.assert_allclose(np.linalg.norm(offsets, axis=1), 3.5, atol=1e-6)
        towards = -offsets / 3.5
        np.testing.assert_allclose(path[:, :, 2], towards, atol=1e-6)
        assert (-path[:, :, 1] @ UP > 0.5).all()
        np.testing.assert_allclose(steps(path), steps(path)[0], atol=1e-9)

    def test_cameras_above_the_object_do_not_make_it_spin_at_the_pole(self):
        path = circular_path(rig(np.arange(0, 360, 30), 89.0), 12)
        assert np.rad2deg(np.arcsin((path[:, 2, 3] - FOCUS[2]) / 3)).max() <= 85 + 1e-9
        assert np.isfinite(path).all()

    @pytest.mark.parametrize(
        ("name", "expected"), [("ring", circular_path), ("dome", circular_path),
                               ("cap", spheric_path), ("half ring", spheric_path)]
    )  # fmt: skip
    def test_full_captures_are_circled_and_caps_are_not(self, name: str, expected):
        np.testing.assert_array_equal(camera_path(RIGS[name], 8), expected(RIGS[name], 8))
        for kind, path in (("circular", circular_path), ("spheric", spheric_path)):
            found = camera_path(RIGS[name], 8, kind)
            np.testing.assert_array_equal(found, path(RIGS[name], 8))


class TestLoops:
    def test_a_loop_stays_in_the_cap_and_goes_around_its_middle(self):
        cameras = RIGS["cap"]
        directions = (cameras[:, :, 3] - FOCUS) / 3
        middle = directions.mean(axis=0) / np.linalg.norm(directions.mean(axis=0))
        path_directions = (spheric_path(cameras, 120)[:, :, 3] - FOCUS) / 3
        edge = np.arccos(np.clip(directions @ middle, -1, 1)).max()
        angles = np.arccos(np.clip(path_directions @ middle, -1, 1))
        assert angles.max() < edge
        assert angles.min() > 0.4 * edge
        nearest = np.arccos(np.clip(path_directions @ directions.T, -1, 1)).min(axis=1)
        assert nearest.max() < np.deg2rad(10)

    def test_a_half_ring_is_followed_and_not_cut_short(self):
        path = spheric_path(RIGS["half ring"], 120)[:, :, 3] - FOCUS
        elevation = np.rad2deg(np.arcsin(path[:, 2] / 3))
        azimuth = np.rad2deg(np.arctan2(path[:, 1], path[:, 0]))
        assert np.abs(elevation - 30).max() < 11
        assert np.abs(azimuth).max() == pytest.approx(0.8 * 95, abs=1)

    def test_a_column_is_a_narrow_loop_without_a_turn_on_the_spot(self):
        path = spheric_path(RIGS["column"], 240)[:, :, 3] - FOCUS
        assert np.rad2deg(np.ptp(np.arctan2(path[:, 1], path[:, 0]))) > 5


class TestFocus:
    def test_one_camera_that_looks_astray_has_little_say(self):
        cameras = cap_rig()
        centre = cameras[0, :, 3]
        cameras[0] = look_at(centre, FOCUS + np.array([0.0, 0.5, 1.0]), UP)
        np.testing.assert_allclose(centre_of_interest(cameras), FOCUS, atol=5e-3)

    def test_parallel_axes_fall_back_to_the_origin(self):
        cameras = np.stack([look_at(np.array([3, y, 0.0]), np.array([0, y, 0.0]), UP) for y in
                            (-1.0, 0.0, 1.0)])  # fmt: skip
        np.testing.assert_array_equal(centre_of_interest(cameras), 0)
        path = spheric_path(cameras, 20)
        assert np.isfinite(path).all()

    def test_a_focus_outside_the_unit_sphere_falls_back_to_the_origin(self):
        np.testing.assert_array_equal(
            centre_of_interest(rig([0, 40, 80], 10.0, focus=np.array([1.5, 0.0, 0.0]))), 0
        )

    def test_cameras_that_look_away_fall_back_to_the_origin(self):
        cameras = RIGS["ring"].copy()
        cameras[:, :, [0, 2]] *= -1
        np.testing.assert_array_equal(centre_of_interest(cameras), 0)

    @pytest.mark.parametrize("name", ["half ring", "ring", "dome", "two"])
    def test_level_cameras_give_the_vertical_however_they_are_spread(self, name):
        np.testing.assert_allclose(up_direction(RIGS[name]), UP, atol=1e-9)

    def test_cameras_held_a_little_askew_give_nearly_the_vertical(self):
        cameras = RIGS["half ring"].copy()
        rolls = np.random.default_rng(0).normal(0, 5, len(cameras))
        cameras[:, :, :3] @= Rotation.from_euler("z", rolls[:, None], degrees=True).as_matrix()
        assert up_direction(cameras) @ UP > np.cos(np.deg2rad(3))

    def test_tops_that_cancel_out_leave_the_normal_of_the_ring(self):
        cameras = RIGS["ring"].copy()
        for number, camera in enumerate(cameras):
            camera[:, :3] = camera[:, :3] @ Rotation.from_euler("z", 90 * number, True).as_matrix()
        assert abs(up_direction(cameras) @ UP) == pytest.approx(1, abs=1e-9)
        assert np.isfinite(spheric_path(cameras, 20)).all()


@settings(max_examples=40, deadline=None)
@given(
    quaternion=st.lists(st.floats(-1, 1), min_size=4, max_size=4).filter(
        lambda q: np.linalg.norm(q) > 0.1
    ),
    name=st.sampled_from(sorted(RIGS)),
)
def test_the_path_turns_with_the_scene(quaternion, name):
    """Whatever direction is up."""
    turn = Rotation.from_quat(quaternion).as_matrix()
    path = spheric_path(RIGS[name], 24)
    turned = spheric_path(turn @ RIGS[name], 24)
    np.testing.assert_allclose(turned, turn @ path, atol=1e-6)


class TestRefusals:
    def test_one_camera(self):
        with pytest.raises(InputError, match="two training cameras"):
            spheric_path(RIGS["ring"][:1], 30)

    def test_identical_cameras(self):
        with pytest.raises(InputError, match="in one place"):
            spheric_path(np.repeat(RIGS["ring"][:1], 5, axis=0), 30)

    def test_cameras_behind_one_another(self):
        with pytest.raises(InputError, match="one direction"):
            spheric_path(rig([0, 0, 0], 0.0, distance=np.array([2, 3, 4]), focus=np.zeros(3)), 30)

    def test_a_pose_that_is_not_finite(self):
        cameras = RIGS["ring"].copy()
        cameras[3, 0, 3] = np.nan
        with pytest.raises(InputError, match="not finite"):
            spheric_path(cameras, 30)

    def test_no_frames(self):
        with pytest.raises(InputError, match="0 frames"):
            spheric_path(RIGS["ring"], 0)
