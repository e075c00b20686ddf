"""The DTU protocol against plain loops and closed forms, and its reference files."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from scipy.io import savemat

from neus.errors import InputError
from neus.metrics.dtu import dtu_distances, dtu_figures
from neus.metrics.dtu_reference import DtuReference, load_reference
from neus.metrics.geometry import Surface
from neus.metrics.surfaces import SurfaceFigures
from tests.helpers.dtu_loops import (
    figures_by_loop,
    lattice,
    points_by_loop,
    reference_of,
    square,
    write_reference,
)


def measured(
    surface: Surface, reference: DtuReference, *, seed: int = 0, workers: int = 1
) -> SurfaceFigures:
    distances = dtu_distances(surface, reference, seed=seed, workers=workers)
    return dtu_figures(distances, reference)


@pytest.mark.parametrize("as_cloud", [False, True])
def test_whole_protocol_agrees_with_plain_loops(as_cloud: bool) -> None:
    rng = np.random.default_rng(5)
    mesh = trimesh.creation.icosphere(2, 2.0)
    vertices = np.array(mesh.vertices) + 0.05 * rng.standard_normal(mesh.vertices.shape)
    # A far patch for the cut-off, and a triangle without area.
    vertices = np.concatenate([vertices, [[24, 0, 0], [26, 0, 0], [24, 2, 0]]])
    count = len(vertices)
    faces = [*mesh.faces, [count - 3, count - 2, count - 1], [0, 0, 1]]
    surface = Surface(vertices, np.array(faces))
    if as_cloud:
        surface = Surface(points_by_loop(surface, 0.1))
    directions = rng.standard_normal((800, 3))
    points = 2.1 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    points[:5] += [0, 30, 0]
    shape = (60, 12, 12)
    reference = DtuReference(
        points=points,
        observed=rng.random(shape) > 0.3,
        bounds=np.array([[-2.5, -2.5, -2.5], [27.0, 2.5, 2.5]]),
        resolution=0.5,
        plane=np.array([0.1, 0.2, 1.0, 0.4]),
    )
    found = measured(surface, reference, seed=11, workers=2)
    accuracy, completeness = figures_by_loop(surface, reference, seed=11)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-6)
    assert found.completeness == pytest.approx(completeness, abs=1e-6)
    assert found.chamfer == pytest.approx((accuracy + completeness) / 2, abs=1e-6)
    assert (found.unit, found.protocol) == ("mm", "dtu")
    distances = dtu_distances(surface, reference, seed=11)
    assert found.precision == (distances.data_to_reference <= 1).mean()
    assert found.recall == (distances.reference_to_data <= 1).mean()
    assert found.fscore == pytest.approx(
        2 * found.precision * found.recall / (found.precision + found.recall)
    )


def test_parallel_planes_are_their_offset_apart() -> None:
    stl = lattice(10, spacing=0.1)
    found = measured(square(10, z=3.0), reference_of(stl), seed=0)
    assert found.accuracy == pytest.approx(3.0, abs=1e-3)
    assert found.completeness == pytest.approx(3.0, abs=0.01)


def test_concentric_spheres() -> None:
    inner, outer = trimesh.creation.icosphere(6, 10.0), trimesh.creation.icosphere(4, 10.5)
    surface = Surface(np.array(outer.vertices), np.array(outer.faces))
    found = measured(surface, reference_of(np.array(inner.vertices)), seed=0)
    assert found.accuracy == pytest.approx(0.5, abs=0.02)
    assert found.completeness == pytest.approx(0.5, abs=0.02)
    assert found.diameter == pytest.approx(20 * math.sqrt(3), rel=1e-3)


def test_distances_of_20_mm_and_more_are_dropped_not_clipped() -> None:
    stl = np.array([[0.0, 0, 0]])
    near, at_limit, beyond = [0.0, 0, 2], [0.0, 20, 0], [0.0, 30, 0]
    just_below = [np.nextafter(20, 0), 0.0, 0.0]
    reference = reference_of(stl)
    cloud = Surface(np.array([near, at_limit, beyond]))
    assert measured(cloud, reference, seed=0).accuracy == 2
    cloud = Surface(np.array([near, just_below]))
    assert measured(cloud, reference, seed=0).accuracy == pytest.approx(11)
    lonely = replace(reference, points=np.array([[0.0, 0, 0], [0, 0, 40]]))
    assert measured(Surface(np.array([near])), lonely, seed=0).completeness == 2


def test_only_observed_voxels_count_for_accuracy_but_all_data_for_completeness() -> None:
    reference = reference_of(np.array([[0.0, 0, 0], [10, 0, 0]]))
    reference.observed[60] = False  # x = 10
    cloud = Surface(np.array([[0.0, 0, 1], [10, 0, 5], [10.4, 0, 5], [10.6, 0, 6]]))
    found = dtu_distances(cloud, reference, seed=0)
    np.testing.assert_array_equal(found.data, [[0, 0, 1], [10.6, 0, 6]])
    np.testing.assert_allclose(found.data_to_reference, [1, math.hypot(0.6, 6)])
    np.testing.assert_allclose(found.reference_to_data, [1, 5])


@pytest.mark.parametrize(
    ("x", "observed"), [(-10.4, True), (-10.6, False), (10.4, True), (10.6, False)]
)
def test_the_grid_ends_half_a_voxel_beyond_its_outermost_centres(x: float, observed: bool) -> None:
    reference = reference_of(np.array([[0.0, 0, 0]]), lower=-10, upper=10)
    found = dtu_distances(Surface(np.array([[x, 0.0, 0.0]])), reference, seed=0)
    assert len(found.data) == observed


def test_accuracy_is_measured_to_all_stl_points_even_below_the_table() -> None:
    reference = reference_of(np.array([[0.0, 0, -3], [0, 0, 5]]), plane=(0, 0, 1, 0))
    found = dtu_distances(Surface(np.array([[0.0, 0, -2]])), reference, seed=0)
    np.testing.assert_allclose(found.data_to_reference, [1])
    np.testing.assert_array_equal(found.reference, [[0, 0, 5]])
    np.testing.assert_allclose(found.reference_to_data, [7])


def test_tilted_table_cuts_the_reference() -> None:
    reference = reference_of(lattice(5, spacing=1.0), plane=(1, 1, 0, -2))
    found = dtu_distances(square(5), reference, seed=0)
    expected = reference.points[reference.points[:, 0] + reference.points[:, 1] > 2]
    np.testing.assert_array_equal(found.reference, expected)


@pytest.mark.parametrize(
    ("x", "counts"),
    [(-10 - 60, True), (-10 - 60.01, False), (10 + 119.99, True), (10 + 120, False)],
)
def test_bounds_are_wider_above_than_below(x: float, counts: bool) -> None:
    """A reference point beside the mesh's point is matched only while that lies in the bounds."""
    reference = reference_of(np.array([[x, 0, 1], [0, 0, 0]]), lower=-10, upper=10)
    cloud = Surface(np.array([[x, 0.0, 0.0], [0, 0, 0]]))
    found = dtu_distances(cloud, reference, seed=0).reference_to_data
    assert found[0] == (1 if counts else math.inf)


def test_the_seed_decides() -> None:
    cloud = Surface(np.random.default_rng(0).random((3000, 3)))
    reference = reference_of(np.random.default_rng(1).random((100, 3)))
    once = measured(cloud, reference, seed=4)
    assert measured(cloud, reference, seed=4, workers=2).accuracy == once.accuracy
    assert measured(cloud, reference, seed=5).accuracy != once.accuracy


def test_seeds_agree_within_half_a_per_cent() -> None:
    """A mesh with known noise; the order of thinning moves the figures, but hardly."""
    rng = np.random.default_rng(3)
    mesh = trimesh.creation.icosphere(5, 20.0)
    vertices = np.array(mesh.vertices)
    noisy = Surface(vertices * (1 + 0.01 * rng.standard_normal((len(vertices), 1))), mesh.faces)
    reference = reference_of(np.array(trimesh.creation.icosphere(6, 20.0).vertices))
    found = [measured(noisy, reference, seed=seed) for seed in range(3)]
    for figure in ("accuracy", "completeness"):
        values = [getattr(figures, figure) for figures in found]
        assert max(values) < 1.005 * min(values), figure
        assert max(values) > min(values), figure


def test_a_mesh_in_another_frame_is_refused() -> None:
    reference = reference_of(lattice(2))
    for surface in (square(1, z=25), square(1, z=1000)):
        with pytest.raises(InputError, match="world frame"):
            measured(surface, reference)


def test_reference_is_read_from_the_benchmarks_files(tmp_path: Path) -> None:
    wanted = reference_of(lattice(2), resolution=2.0, plane=(1, 2, 3, 4))
    wanted.observed[1, 2, 3] = False
    write_reference(tmp_path, wanted, 24)
    found = load_reference(tmp_path, 24)
    np.testing.assert_array_equal(found.points, wanted.points)
    np.testing.assert_array_equal(found.observed, wanted.observed)
    np.testing.assert_array_equal(found.bounds, wanted.bounds)
    np.testing.assert_array_equal(found.plane, wanted.plane)
    assert found.resolution == 2.0
    assert found.observed.dtype == bool


def test_all_missing_files_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_reference(tmp_path, 9)
    for name in ("stl009_total.ply", "ObsMask9_10.mat", "Plane9.mat", "Points.zip"):
        assert name in str(caught.value)


def test_damaged_reference_files_are_refused(tmp_path: Path) -> None:
    write_reference(tmp_path, reference_of(lattice(2)), 24)
    savemat(tmp_path / "ObsMask" / "Plane24.mat", {"Q": np.zeros(4)})
    with pytest.raises(InputError, match=r"Plane24.mat: lacks P"):
        load_reference(tmp_path, 24)
    (tmp_path / "ObsMask" / "Plane24.mat").write_bytes(b"no")
    with pytest.raises(InputError, match=r"Plane24.mat: is no MATLAB file"):
        load_reference(tmp_path, 24)
