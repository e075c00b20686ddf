"""How far the cloud around a point bears it out: planes do, scatter and lines do not."""

from __future__ import annotations

import numpy as np
import pytest

from neus.stereo import support
from neus.stereo.support import support_of_points

PIXEL = 0.005


def plane(count: int = 4000, thickness: float = 0.0) -> np.ndarray:
    spread = np.random.default_rng(0).uniform(-0.2, 0.2, (count, 3))
    return spread * [1, 1, thickness / 0.4] + [0.3, -0.2, 0.1]


def facing(count: int, normal: tuple[float, float, float]) -> np.ndarray:
    return np.tile(np.array(normal) / np.linalg.norm(normal), (count, 1))


def median(points: np.ndarray, normal: tuple[float, float, float]) -> float:
    found = support_of_points(points, facing(len(points), normal), np.full(len(points), PIXEL))
    assert found.shape == (len(points),)
    assert found.min() >= 0
    assert found.max() <= 1
    return float(np.median(found))


def test_points_in_their_own_plane_are_borne_out():
    assert median(plane(), (0, 0, 1)) > 0.98
    assert median(plane(), (0, 0, -1)) > 0.98
    assert median(plane(thickness=PIXEL), (0, 0, 1)) > 0.95


@pytest.mark.parametrize("degrees", [20, 45, 90])
def test_a_normal_that_is_not_the_planes_counts_less(degrees: float):
    angle = np.radians(degrees)
    tilted = (float(np.sin(angle)), 0.0, float(np.cos(angle)))
    assert median(plane(), tilted) == pytest.approx(np.cos(angle) ** 4, abs=0.02)


def test_scatter_and_lines_bear_nothing_out():
    assert median(plane(thickness=0.4), (0, 0, 1)) < 0.1
    rng = np.random.default_rng(1)
    line = rng.normal(0, 0.4 * PIXEL, (4000, 3)) + rng.uniform(-0.3, 0.3, (4000, 1)) * [0, 1, 0]
    assert median(line, (0, 0, 1)) < 0.2


def test_it_follows_the_footprint():
    """A bent surface is a plane to small pixels and none to large ones."""
    normal = np.random.default_rng(2).normal(size=(20_000, 3))
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    fine, coarse = (
        np.median(support_of_points(0.2 * normal, normal, np.full(len(normal), pixel)))
        for pixel in (0.004, 0.03)
    )
    assert fine > 0.9
    assert coarse < 0.7


def test_a_point_alone_and_no_point():
    for normal in np.eye(3):
        assert support_of_points(np.zeros((1, 3)), normal[None], np.array([PIXEL])).tolist() == [0]
    none = np.zeros((0, 3))
    assert len(support_of_points(none, none, np.zeros(0))) == 0


def test_threads_and_pieces_change_no_bit(monkeypatch: pytest.MonkeyPatch):
    points = plane(thickness=PIXEL)
    operands = (points, facing(len(points), (0, 0, 1)), np.full(len(points), PIXEL))
    whole = support_of_points(*operands)
    monkeypatch.setattr(support, "_AT_ONCE", 100)
    np.testing.assert_array_equal(support_of_points(*operands, threads=3), whole)
