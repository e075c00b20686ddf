"""The protocol of Tanks and Temples: against plain loops, closed forms, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from neus.errors import InputError
from neus.metrics.geometry import Surface
from neus.metrics.tanks import (
    align_trajectories,
    same_cameras,
    tanks_distances,
    tanks_figures,
    voxel_means,
)
from neus.metrics.tanks_reference import (
    CropVolume,
    TanksReference,
    load_tanks,
    read_trajectory,
    read_volume,
)
from neus.scene import Similarity
from tests.helpers import tanks_loops
from tests.helpers.small_scenes import program
from tests.metrics.test_evaluation import random_similarity

STAR = [(0.9, 0.0), (0.2, 0.2), (0.0, 0.9), (-0.2, 0.2), (-0.9, 0.0), (0.0, -0.5)]
"""A concave outline."""


def volume_along(axis: str, low: float = -0.5, high: float = 0.5) -> dict[str, Any]:
    along = "XYZ".index(axis)
    corners = [list(np.insert(np.array(corner), along, 0.0)) for corner in STAR]
    return {
        "class_name": "SelectionPolygonVolume",
        "orthogonal_axis": axis,
        "bounding_polygon": corners,
        "axis_min": low,
        "axis_max": high,
    }


def clouds(seed: int, count: int = 6000) -> dict[str, np.ndarray]:
    """A wavy sheet as the truth, and a noisy part of it with stray points, in another frame."""
    rng = np.random.default_rng(seed)
    sheet = rng.uniform(-1, 1, (count, 3))
    sheet[:, 2] = 0.2 * np.sin(4 * sheet[:, 0]) + 0.1 * sheet[:, 1]
    truth = sheet + 0.002 * rng.normal(size=sheet.shape)
    found = sheet[sheet[:, 0] < 0.4] + 0.006 * rng.normal(size=(int((sheet[:, 0] < 0.4).sum()), 3))
    found = np.concatenate([found, rng.uniform(-1, 1, (count // 5, 3))])
    centres = rng.normal(size=(30, 3)) * 2
    to_truth, to_ours = random_similarity(rng), random_similarity(rng)
    ours = to_ours.apply(centres)
    return {
        "truth": truth.astype(np.float32).astype(float),
        "points": to_ours.apply(found).astype(np.float32).astype(float),
        "centres": ours,
        "log": to_truth.inverse().apply(centres + 0.003 * rng.normal(size=centres.shape)),
        "alignment": to_truth.matrix,
    }


@pytest.mark.parametrize(("scene", "axis"), [("Barn", "Z"), ("Courthouse", "Y"), ("Truck", "X")])
def test_four_digits_are_those_of_an_independent_implementation(
    tmp_path: Path, scene: str, axis: str
) -> None:
    """From the files to the figures, by the program, with a mesh that is a cloud."""
    of, volume = clouds(len(scene)), volume_along(axis)
    tanks_loops.write_scene(tmp_path, scene, of["truth"], of["log"], of["alignment"], volume)
    trimesh.PointCloud(of["points"]).export(tmp_path / "found.ply")
    tanks_loops.write_trajectory(tmp_path / "found.log", of["centres"])
    words = ["--mesh", tmp_path / "found.ply", "--reference-root", tmp_path, "--tanks", scene]
    words += ["--trajectory", tmp_path / "found.log", "--output", tmp_path / "mesh-none.json"]
    assert program("evaluate_mesh")([str(word) for word in words]) == 0
    report = json.loads((tmp_path / "mesh-none.json").read_text())

    reference = load_tanks(tmp_path, scene)
    matrix = of["alignment"]
    true_centres = of["log"] @ matrix[:3, :3].T + matrix[:3, 3]
    np.testing.assert_allclose(reference.centres, true_centres, atol=1e-9)
    wanted = tanks_loops.figures_by_loop(
        of["points"], of["centres"], of["truth"], true_centres, volume, reference.tau
    )
    found = [report[name] for name in ("precision", "recall", "fscore")]
    assert [f"{x:.4f}" for x in found] == [f"{x:.4f}" for x in wanted]
    assert 0.05 < wanted[2] < 0.95, "figures that a mistake would change"
    assert (report["protocol"], report["unit"], report["fscore_threshold"]) == (
        *("tanks", "m"),
        reference.tau,
    )
    assert report["alignment"]["cameras"] == 30


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.sampled_from("XYZ"))
def test_the_volume_holds_what_its_outline_winds_around(seed: int, axis: str) -> None:
    points = np.random.default_rng(seed).uniform(-1, 1, (60, 3))
    volume = volume_along(axis)
    along = "XYZ".index(axis)
    u, v = (i for i in range(3) if i != along)
    crop = CropVolume(np.array(STAR), (u, v, along), -0.5, 0.5)
    expected = tanks_loops.cropped(points, volume)
    np.testing.assert_array_equal(points[crop.holds(points)], expected)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10**6), st.floats(0.05, 0.5))
def test_voxels_are_those_of_a_plain_loop(seed: int, size: float) -> None:
    points = np.random.default_rng(seed).normal(size=(200, 3))
    found, expected = voxel_means(points, size), tanks_loops.one_a_voxel(points, size)
    assert len(found) == len(expected)
    ours, theirs = (cloud[np.lexsort(cloud.round(9).T)] for cloud in (found, expected))
    np.testing.assert_allclose(ours, theirs, atol=1e-12)


@pytest.mark.parametrize(("gap", "near"), [(0.7, 1.0), (1.1, 0.0)])
def test_two_sheets_are_near_or_not(gap: float, near: float) -> None:
    """Closed form; a mesh is measured as densely as a cloud."""
    side = np.linspace(-0.4, 0.4, 161)
    x, y = (axis.ravel() for axis in np.meshgrid(side, side))
    sheet = np.stack([x, y, np.zeros_like(x)], axis=1)
    square = np.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5]])
    reference = TanksReference(
        sheet, CropVolume(square, (0, 1, 2), -1.0, 1.0), np.zeros((3, 3)), tau=0.02
    )
    corners = np.array([[-0.4, -0.4, 0], [0.4, -0.4, 0], [0.4, 0.4, 0], [-0.4, 0.4, 0]])
    corners[:, 2] = gap * reference.tau
    mesh = Surface(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    figures = tanks_figures(tanks_distances(mesh, reference), reference)
    assert (figures.precision, figures.recall, figures.fscore) == (near, near, near)
    assert figures.accuracy == pytest.approx(gap * reference.tau, rel=0.1)


def test_cameras_that_went_astray_do_not_turn_the_mesh() -> None:
    rng = np.random.default_rng(2)
    true, similarity = rng.normal(size=(40, 3)) * 3, random_similarity(rng)
    centres = similarity.apply(true)
    centres[:5] += rng.normal(size=(5, 3)) * 4
    found = align_trajectories(centres, true)
    assert found.cameras == 35
    np.testing.assert_allclose(found.similarity.apply(similarity.apply(true)), true, atol=1e-6)
    with pytest.raises(InputError, match="check that the images are the scene's"):
        align_trajectories(rng.normal(size=(40, 3)), true)


def test_cameras_belong_together_by_order_or_by_number() -> None:
    assert same_cameras(3, None, 3).tolist() == [[0, 0], [1, 1], [2, 2]]
    assert same_cameras(2, [3, 1], 4).tolist() == [[0, 2], [1, 0]]
    for numbers in (None, [1, None], [1, 9], [2, 2]):
        with pytest.raises(InputError, match="there are 2 cameras, and the reference has 4"):
            same_cameras(2, numbers, 4)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("Barn.json", "{}", "no volume to crop by"),
        ("Barn.json", json.dumps(volume_along("Z", 1.0, 0.0)), "has no inside"),
        ("Barn_trans.txt", "1 2 3", "no 4x4 matrix"),
        ("Barn_COLMAP_SfM.log", "0 0 0\n1 0 0 0\n", "no trajectory"),
        ("Barn_COLMAP_SfM.log", "", "no trajectory"),
        ("Barn_COLMAP_SfM.log", None, "lacks .*Barn_COLMAP_SfM.log"),
    ],
)
def test_files_that_are_wrong_are_named(
    tmp_path: Path, name: str, text: str | None, message: str
) -> None:
    of = clouds(0, 100)
    volume = volume_along("Z")
    tanks_loops.write_scene(tmp_path, "Barn", of["truth"], of["log"], of["alignment"], volume)
    path = tmp_path / "Barn" / name
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(InputError, match=message) as caught:
        load_tanks(tmp_path, "Barn")
    assert name in str(caught.value)
    with pytest.raises(InputError, match="expected one of Barn"):
        load_tanks(tmp_path, "Barns")


def test_a_surface_outside_of_the_volume_is_no_figure(tmp_path: Path) -> None:
    of = clouds(0, 100)
    tanks_loops.write_scene(
        tmp_path, "Barn", of["truth"], of["log"], of["alignment"], volume_along("Z")
    )
    reference = load_tanks(tmp_path, "Barn")
    far = Similarity(1.0, np.eye(3), np.array([50.0, 0, 0])).apply(of["truth"])
    with pytest.raises(InputError, match="holds nothing of the surface"):
        tanks_distances(Surface(far), reference)
    assert read_volume(tmp_path / "Barn" / "Barn.json").axes == (0, 1, 2)
    assert read_trajectory(tmp_path / "Barn" / "Barn_COLMAP_SfM.log").shape == (30, 4, 4)
