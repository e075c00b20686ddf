"""Balls around points and rays."""

from __future__ import annotations

import numpy as np
import pytest

from neus.placement.hull import enclosing_ball
from tests.helpers.synthetic_captures import ellipsoid_points

CENTRE = np.array([0.2, -0.1, 0.15])
NO_RAYS = np.zeros((0, 3))


def test_the_ball_of_points_is_about_the_smallest():
    points = ellipsoid_points(2000, CENTRE, np.array([1.0, 0.3, 0.2]))
    centre, radius = enclosing_ball(points, NO_RAYS, NO_RAYS)
    assert radius == pytest.approx(1, abs=0.02)
    np.testing.assert_allclose(centre, CENTRE, atol=0.03)
    assert np.linalg.norm(points - centre, axis=1).max() <= radius * (1 + 1e-12)


def test_a_ball_meets_rays():
    """Rays along x, y and z at distance 1 from the origin on both sides."""
    axes = np.eye(3)[[0, 0, 1, 1, 2, 2]]
    sides = np.eye(3)[[1, 1, 2, 2, 0, 0]] * np.array([1, -1, 1, -1, 1, -1])[:, None]
    centre, radius = enclosing_ball(np.array([[0.3, 0.2, 0.1]]), sides - 5 * axes, axes)
    np.testing.assert_allclose(centre, 0, atol=0.02)
    assert radius == pytest.approx(1, abs=0.02)
