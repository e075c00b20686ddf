"""Coloured clouds: which colour an error has, and where a point lies in a picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.images.stored import read_image
from neus.metrics import error_clouds
from neus.metrics.error_clouds import (
    FILES,
    NOT_COUNTED,
    SIDE,
    Viewpoint,
    cloud_picture,
    error_colours,
    first_picture,
    write_error_clouds,
)
from neus.metrics.surfaces import SurfaceDistances, surface_figures

X, Y, Z = np.eye(3)


def test_colours_run_from_blue_to_red_and_stay_there() -> None:
    colours = error_colours(np.array([0.0, 1, 2, 5, np.inf]), 2.0).astype(int)
    assert colours[0].argmax() == 2
    assert colours[1].argmax() == 1
    assert colours[2].argmax() == 0
    np.testing.assert_array_equal(colours[3], colours[2])
    np.testing.assert_array_equal(colours[4], NOT_COUNTED)
    assert error_colours(np.zeros(0), 1.0).shape == (0, 3)


def test_near_points_hide_far_ones_and_axes_point_as_they_should() -> None:
    points = np.array([[0.0, 0, 0], [0, 0, 1], [-1, 0, 0], [1, 0, 0], [0, 1, 0], [0, -1, 0]])
    colours = np.array([[1, 1, 1], [2, 2, 2], [3, 3, 3], [4, 4, 4], [5, 5, 5], [6, 6, 6]], np.uint8)
    picture = cloud_picture(points, 40 * colours, right=X, up=Y)[:, :, 0]
    assert picture[0, 0] == 255
    middle = SIDE // 2
    centre = picture[middle, middle]
    assert centre not in (40, 255)  # darkened by the slope, the near point's 80 at most
    columns = np.flatnonzero((picture != 255).any(axis=0))
    rows = np.flatnonzero((picture != 255).any(axis=1))
    left, right = picture[middle, columns[0] + 1], picture[middle, columns[-1] - 1]
    top, bottom = picture[rows[0] + 1, middle], picture[rows[-1] - 1, middle]
    assert left < right
    assert top < bottom


@pytest.mark.parametrize(("height", "width"), [(1.9, 0.9 * 2 / 2.9), (12.0, 0.9)])
def test_a_spire_is_in_the_picture_and_a_speck_does_not_shrink_it(
    height: float, width: float
) -> None:
    """Few points above a ball of radius 1: a line that begins on it, or a knot far from it."""
    ball = np.random.default_rng(0).normal(size=(20_000, 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    spire = np.array([[0, y, 0] for y in np.linspace(1 if height < 3 else height, height, 40)])
    points = np.concatenate([ball, spire])
    colours = np.full(points.shape, 200, np.uint8)
    colours[len(ball) :] = 0
    picture = cloud_picture(points, colours, X, Y)
    hit = (picture != 255).any(axis=2)
    assert np.flatnonzero(hit.any(axis=1))[0] == pytest.approx(0.05 * SIDE, abs=4)
    assert np.ptp(np.flatnonzero(hit.any(axis=0))) == pytest.approx(width * SIDE, abs=6)
    assert (picture == 0).any() == (height < 3)


def test_an_empty_cloud_is_a_white_picture() -> None:
    assert (cloud_picture(np.zeros((0, 3)), np.zeros((0, 3), np.uint8), X, Y) == 255).all()


@pytest.mark.parametrize("front", [-Y, Z])
def test_viewpoints_are_right_handed_and_turn_about_up(front: np.ndarray) -> None:
    view = Viewpoint(up=5 * Z, front=front)
    for around, above in ((0, 0), (70, 25), (0, 80)):
        right, up = view.axes(around, above)
        viewer = np.cross(right, up)
        frame = np.stack([right, up, viewer])
        np.testing.assert_allclose(frame @ frame.T, np.eye(3), atol=1e-12)
        assert right @ Z == pytest.approx(0)
        assert viewer @ Z == pytest.approx(np.sin(np.radians(above)))
    np.testing.assert_allclose(np.cross(*Viewpoint(Z, -Y).axes(0, 0)), -Y, atol=1e-12)


def test_files_hold_both_directions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_clouds, "MOST_POINTS", 300)
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1000, 3))
    distances = SurfaceDistances(points, np.full(1000, 0.1), points[:200], np.full(200, np.inf))
    distances.reference_to_data[:100] = 1.0
    figures = surface_figures(distances, threshold=0.5, diameter=1, unit="mm", protocol="dtu")
    write_error_clouds(tmp_path, distances, figures, Viewpoint(up=Z, front=-Y))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(FILES)
    for name, count in (("accuracy", 250), ("completeness", 200)):
        cloud = trimesh.load(tmp_path / f"{name}.ply")
        assert isinstance(cloud, trimesh.PointCloud)
        assert len(cloud.vertices) == count
        four = read_image(tmp_path / f"{name}.png")
        assert four.shape[1] > 2 * SIDE
    axes = Viewpoint(up=Z, front=-Y).axes(*error_clouds.ANGLES["front"])
    expected = cloud_picture(points, error_colours(distances.data_to_reference, 1.0), *axes)
    np.testing.assert_array_equal(first_picture(read_image(tmp_path / "accuracy.png")), expected)
    colours = np.asarray(cloud.colors)[:, :3]
    np.testing.assert_array_equal(colours[150], NOT_COUNTED)
    np.testing.assert_array_equal(colours[0], error_colours(np.array([1.0]), 1.0)[0])
