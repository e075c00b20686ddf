"""Which views are matched."""

from __future__ import annotations

import numpy as np

from neus.scene import Cameras, look_at
from neus.stereo.sources import angles_between, choose_sources, overlapping

RULE = {"near": 3, "wide": 1, "narrowest": 4.0, "wide_from": 30.0, "widest": 60.0}


def ring(degrees: list[float]) -> Cameras:
    """Cameras in one plane around the origin, which they look at."""
    angles = np.radians(degrees)
    centres = 3 * np.stack([np.cos(angles), np.sin(angles), np.zeros(len(angles))], axis=1)
    poses = np.stack([look_at(c, np.zeros(3), np.array([0.0, 0, 1])) for c in centres])
    K = np.tile(np.array([[60.0, 0, 32], [0, 60, 24], [0, 0, 1]]), (len(angles), 1, 1))
    return Cameras(K, poses, np.full(len(angles), 64), np.full(len(angles), 48))


def test_angles_are_those_of_the_ring():
    angles = angles_between(ring([0, 10, 25, 90]))
    np.testing.assert_allclose(angles[0], [0, 10, 25, 90], atol=1e-6)
    np.testing.assert_allclose(angles, angles.T, atol=1e-12)


def test_the_nearest_beyond_the_narrowest_and_some_wide_ones():
    chosen = choose_sources(ring([0, 2, 5, 8, 11, 14, 31, 40, 70]), **RULE)
    assert chosen[0] == [2, 3, 4, 6]


def test_too_near_views_fill_up_where_there_are_no_others():
    assert choose_sources(ring([0, 1, 2, 3]), **RULE)[0] == [3, 2, 1]
    assert choose_sources(ring([0]), **RULE) == [[]]


def test_views_beyond_the_widest_are_left_alone():
    assert choose_sources(ring([0, 61, 180]), **RULE)[0] == []


def test_a_view_that_looks_away_is_no_source():
    cameras = ring([0, 10, 20])
    cameras.camera_to_world[1, :, :3] *= np.array([-1, 1, -1])  # about its own vertical axis
    assert not overlapping(cameras)[0, 1]
    assert choose_sources(cameras, **RULE)[0] == [2]
