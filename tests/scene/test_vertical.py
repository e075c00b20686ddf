"""Which way is up: cameras held level or not, and the ground under an object."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.scene.vertical import ground_normal
from tests.helpers.synthetic_captures import ellipsoid_points, ring_cameras

TILT = Rotation.from_rotvec([0.25, 0.1, 0]).as_matrix()
"""Of the ground against the cameras' vertical: 15 degrees."""


def ground(count: int, rng: np.random.Generator) -> np.ndarray:
    flat = np.stack([*rng.uniform(-3, 3, (2, count)), rng.normal(0, 0.005, count)], axis=1)
    return (flat - [0, 0, 1]) @ TILT.T


@pytest.mark.parametrize("scale", [1.0, 1e-3, 1e4])
def test_the_ground_is_found_among_object_and_wall_in_any_unit(scale):
    rng = np.random.default_rng(0)
    wall = np.stack([rng.normal(3, 0.005, 300), *rng.uniform(-3, 3, (2, 300))], axis=1)
    anywhere = rng.uniform(-3, 3, (200, 3))
    on_object = ellipsoid_points(200, np.zeros(3), np.full(3, 0.8))
    points = scale * np.concatenate([ground(250, rng), wall, anywhere, on_object])
    poses = ring_cameras(12).camera_to_world
    poses[:, :, 3] *= scale
    normal = ground_normal(points, poses, np.random.default_rng(1))
    assert normal @ TILT[:, 2] > np.cos(np.deg2rad(0.5))
    again = ground_normal(points, poses, np.random.default_rng(1))
    np.testing.assert_array_equal(normal, again)


def test_without_ground_the_remedy_is_named():
    rng = np.random.default_rng(0)
    poses = ring_cameras(12).camera_to_world
    for points in (np.zeros((0, 3)), rng.normal(size=(200, 3)), np.ones((50, 3))):
        with pytest.raises(InputError, match="set up to cameras"):
            ground_normal(points, poses, np.random.default_rng(0))
