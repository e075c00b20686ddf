"""Up and front of what cameras look at, whichever way the world is turned."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.scene import Similarity, look_at, standpoint
from neus.scene.cameras import Cameras

UP = np.array([0.0, 0, 1])


def cameras_at(azimuths: np.ndarray, elevation: float) -> Cameras:
    """Cameras that look at the origin from so many degrees around z."""
    a, e = np.radians(azimuths), np.radians(elevation)
    centres = np.stack([np.cos(a) * np.cos(e), np.sin(a) * np.cos(e), np.sin(e) + 0 * a], axis=1)
    poses = np.stack([look_at(3 * c, np.zeros(3), UP) for c in centres])
    count = len(poses)
    intrinsics = np.tile(np.diag([50.0, 50, 1]), (count, 1, 1))
    return Cameras(intrinsics, poses, np.full(count, 64), np.full(count, 48))


@given(st.integers(0, 2**32 - 1), st.floats(0, 360), st.floats(10, 60))
def test_front_is_the_side_that_the_cameras_look_at(
    seed: int, middle: float, elevation: float
) -> None:
    rng = np.random.default_rng(seed)
    around = rng.uniform(5, 60, 6)
    cameras = cameras_at(middle + np.concatenate([around, -around]), elevation)
    rotation = np.linalg.qr(rng.normal(size=(3, 3)))[0]
    turn = Similarity(2.0, rotation * np.sign(np.linalg.det(rotation)), rng.normal(size=3))
    up, front = standpoint(cameras.transformed(turn))
    wanted = np.array([np.cos(np.radians(middle)), np.sin(np.radians(middle)), 0])
    np.testing.assert_allclose(up, turn.apply_to_directions(UP[None])[0], atol=1e-6)
    np.testing.assert_allclose(front, turn.apply_to_directions(wanted[None])[0], atol=1e-6)


def test_all_around_it_is_the_side_of_the_first_camera() -> None:
    up, front = standpoint(cameras_at(30 + np.arange(0, 360, 30.0), 20))
    np.testing.assert_allclose(up, UP, atol=1e-6)
    np.testing.assert_allclose(front, [np.sqrt(3) / 2, 0.5, 0], atol=1e-6)


@pytest.mark.parametrize("count", [1, 3])
def test_cameras_that_look_straight_down_have_a_front_all_the_same(count: int) -> None:
    pose = look_at(np.array([0.0, 0, 3]), np.zeros(3), np.array([0.0, 1, 0]))
    many = np.full(count, 64)
    cameras = Cameras(np.tile(np.eye(3), (count, 1, 1)), np.stack([pose] * count), many, many)
    up, front = standpoint(cameras)
    assert up @ front == pytest.approx(0, abs=1e-9)
    assert np.linalg.norm(front) == pytest.approx(1)
