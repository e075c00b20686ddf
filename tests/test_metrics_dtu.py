"""The DTU protocol against plain loops and closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.io import savemat

from neus.errors import InputError
from neus.metrics.dtu import DtuReference, dtu_distances, dtu_figures, load_reference
from neus.metrics.geometry import Surface
from neus.metrics.thinning import points_of_mesh, thin


def reference_of(
    points: np.ndarray,
    lower: float = -50.0,
    upper: float = 50.0,
    resolution: float = 1.0,
    plane: tuple[float, float, float, float] = (0, 0, 1, 1000),
) -> DtuReference:
    """All voxels of a cube observed, and by default no point below the table."""
    side = round((upper - lower) / resolution) + 1
    bounds = np.array([[lower] * 3, [upper] * 3])
    return DtuReference(points, np.ones((side,) * 3, bool), bounds, resolution, np.array(plane))


def lattice(size: float, z: float = 0.0, spacing: float = 0.25) -> np.ndarray:
    axis = np.arange(-size, size + spacing / 2, spacing)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([x, y, np.full_like(x, z)], -1).reshape(-1, 3)


def square(size: float, z: float = 0.0) -> Surface:
    corners = [[-size, -size, z], [size, -size, z], [size, size, z], [-size, size, z]]
    return Surface(np.array(corners, float), np.array([[0, 1, 2], [0, 2, 3]]))


def thin_by_loop(points: np.ndarray, radius: float, order: np.ndarray) -> np.ndarray:
    """Each kept point removes all others within the radius."""
    removed, kept = np.zeros(len(points), bool), np.zeros(len(points), bool)
    for index in order:
        if not removed[index]:
            kept[index] = True
            offsets = points - points[index]
            removed |= (offsets * offsets).sum(axis=1) <= radius * radius
    return kept


def points_by_loop(surface: Surface, spacing: float) -> np.ndarray:
    points = [np.asarray(vertex) for vertex in surface.vertices]
    for v0, corner1, corner2 in surface.triangles:
        v1, v2 = corner1 - v0, corner2 - v0
        l1, l2 = np.linalg.norm(v1), np.linalg.norm(v2)
        area2 = np.linalg.norm(np.cross(v1, v2))
        if area2 == 0:
            continue
        threshold = spacing * np.sqrt(l1 * l2 / area2)
        n1, n2 = int(np.floor(l1 / threshold)), int(np.floor(l2 / threshold))
        for i in range(n1 + 1):
            for j in range(n2 + 1):
                a, b = (i + 0.5) / max(n1, 1e-7), (j + 0.5) / max(n2, 1e-7)
                if a + b < 1:
                    points.append(v1 * a + v2 * b + v0)
    return np.array(points)


def figures_by_loop(surface: Surface, reference: DtuReference, seed: int) -> tuple[float, float]:
    """Section by section of the protocol, one point at a time."""
    points = points_by_loop(surface, 0.2) if surface.is_mesh else surface.vertices
    order = np.random.default_rng(seed).permutation(len(points))
    points = points[thin_by_loop(points, 0.2, order)]
    low, high = reference.bounds
    inside = [p for p in points if all(p >= low - 60) and all(p < high + 120)]
    to_stl = []
    for p in inside:
        voxel = [round(v) for v in (p - low) / reference.resolution]
        in_grid = all(0 <= v < n for v, n in zip(voxel, reference.observed.shape, strict=True))
        if in_grid and reference.observed[tuple(voxel)]:
            to_stl.append(np.linalg.norm(reference.points - p, axis=1).min())
    to_data = [
        np.linalg.norm(np.array(inside) - q, axis=1).min()
        for q in reference.points
        if reference.plane @ [*q, 1] > 0
    ]
    return (
        float(np.mean([d for d in to_stl if d < 20])),
        float(np.mean([d for d in to_data if d < 20])),
    )


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
    found = dtu_figures(surface, reference, seed=11, workers=2)
    accuracy, completeness = figures_by_loop(surface, reference, seed=11)
    assert found.accuracy == pytest.approx(accuracy, abs=1e-6)
    assert found.completeness == pytest.approx(completeness, abs=1e-6)
    assert found.chamfer == pytest.approx((accuracy + completeness) / 2, abs=1e-6)
    assert (found.unit, found.protocol) == ("mm", "dtu")
    distances = dtu_distances(surface, reference, seed=11)
    assert found.precision == (distances.data_to_stl <= 1).mean()
    assert found.recall == (distances.stl_to_data <= 1).mean()
    assert found.fscore == pytest.approx(
        2 * found.precision * found.recall / (found.precision + found.recall)
    )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(0, 150),
    radius=st.sampled_from([0.05, 0.2, 0.5, 1.0]),
    on_lattice=st.booleans(),
    shift=st.sampled_from([0.0, -700.0, 1e5]),
)
def test_thinning_is_the_greedy_loop(
    seed: int, count: int, radius: float, on_lattice: bool, shift: float
) -> None:
    """Lattice points meet the radius and the cubes' walls exactly, and repeat one another."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, 5, (count, 3)) * radius if on_lattice else rng.random((count, 3))
    points = points + shift
    order = rng.permutation(count)
    np.testing.assert_array_equal(thin(points, radius, order), thin_by_loop(points, radius, order))


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), spacing=st.floats(0.05, 3))
def test_points_of_mesh_agree_with_a_plain_loop(seed: int, spacing: float) -> None:
    rng = np.random.default_rng(seed)
    surface = Surface(rng.standard_normal((9, 3)), rng.integers(0, 9, (6, 3)))
    np.testing.assert_allclose(
        points_of_mesh(surface, spacing), points_by_loop(surface, spacing), atol=1e-12
    )


def test_points_of_mesh_are_about_the_spacing_apart() -> None:
    size, spacing = 5.0, 0.2
    points = points_of_mesh(square(size), spacing)
    assert len(points) == pytest.approx((2 * size / spacing) ** 2, rel=0.05)
    np.testing.assert_array_equal(points[:4], square(size).vertices)


def test_a_mesh_in_a_wrong_unit_is_refused_before_memory_is_taken() -> None:
    with pytest.raises(InputError, match="unit of the reference"):
        points_of_mesh(square(1e5), 0.2)


def test_parallel_planes_are_their_offset_apart() -> None:
    stl = lattice(10, spacing=0.1)
    found = dtu_figures(square(10, z=3.0), reference_of(stl), seed=0)
    assert found.accuracy == pytest.approx(3.0, abs=1e-3)
    assert found.completeness == pytest.approx(3.0, abs=0.01)


def test_concentric_spheres() -> None:
    inner, outer = trimesh.creation.icosphere(6, 10.0), trimesh.creation.icosphere(4, 10.5)
    surface = Surface(np.array(outer.vertices), np.array(outer.faces))
    found = dtu_figures(surface, reference_of(np.array(inner.vertices)), seed=0)
    assert found.accuracy == pytest.approx(0.5, abs=0.02)
    assert found.completeness == pytest.approx(0.5, abs=0.02)
    assert found.diameter == pytest.approx(20 * math.sqrt(3), rel=1e-3)


def test_distances_of_20_mm_and_more_are_dropped_not_clipped() -> None:
    stl = np.array([[0.0, 0, 0]])
    near, at_limit, beyond = [0.0, 0, 2], [0.0, 20, 0], [0.0, 30, 0]
    just_below = [np.nextafter(20, 0), 0.0, 0.0]
    reference = reference_of(stl)
    cloud = Surface(np.array([near, at_limit, beyond]))
    assert dtu_figures(cloud, reference, seed=0).accuracy == 2
    cloud = Surface(np.array([near, just_below]))
    assert dtu_figures(cloud, reference, seed=0).accuracy == pytest.approx(11)
    lonely = replace(reference, points=np.array([[0.0, 0, 0], [0, 0, 40]]))
    assert dtu_figures(Surface(np.array([near])), lonely, seed=0).completeness == 2


def test_only_observed_voxels_count_for_accuracy_but_all_data_for_completeness() -> None:
    reference = reference_of(np.array([[0.0, 0, 0], [10, 0, 0]]))
    reference.observed[60] = False  # x = 10
    cloud = Surface(np.array([[0.0, 0, 1], [10, 0, 5], [10.4, 0, 5], [10.6, 0, 6]]))
    found = dtu_distances(cloud, reference, seed=0)
    np.testing.assert_array_equal(found.data, [[0, 0, 1], [10.6, 0, 6]])
    np.testing.assert_allclose(found.data_to_stl, [1, math.hypot(0.6, 6)])
    np.testing.assert_allclose(found.stl_to_data, [1, 5])


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
    np.testing.assert_allclose(found.data_to_stl, [1])
    np.testing.assert_array_equal(found.stl, [[0, 0, 5]])
    np.testing.assert_allclose(found.stl_to_data, [7])


def test_tilted_table_cuts_the_reference() -> None:
    reference = reference_of(lattice(5, spacing=1.0), plane=(1, 1, 0, -2))
    found = dtu_distances(square(5), reference, seed=0)
    expected = reference.points[reference.points[:, 0] + reference.points[:, 1] > 2]
    np.testing.assert_array_equal(found.stl, expected)


@pytest.mark.parametrize(
    ("x", "counts"),
    [(-10 - 60, True), (-10 - 60.01, False), (10 + 119.99, True), (10 + 120, False)],
)
def test_bounds_are_wider_above_than_below(x: float, counts: bool) -> None:
    """A reference point beside the mesh's point is matched only while that lies in the bounds."""
    reference = reference_of(np.array([[x, 0, 1], [0, 0, 0]]), lower=-10, upper=10)
    cloud = Surface(np.array([[x, 0.0, 0.0], [0, 0, 0]]))
    found = dtu_distances(cloud, reference, seed=0).stl_to_data
    assert found[0] == (1 if counts else math.inf)


def test_the_seed_decides() -> None:
    cloud = Surface(np.random.default_rng(0).random((3000, 3)))
    reference = reference_of(np.random.default_rng(1).random((100, 3)))
    once = dtu_figures(cloud, reference, seed=4)
    assert dtu_figures(cloud, reference, seed=4, workers=2).accuracy == once.accuracy
    assert dtu_figures(cloud, reference, seed=5).accuracy != once.accuracy


def test_a_mesh_in_another_frame_is_refused() -> None:
    reference = reference_of(lattice(2))
    for surface in (square(1, z=25), square(1, z=1000)):
        with pytest.raises(InputError, match="world frame"):
            dtu_figures(surface, reference, seed=0)


def write_reference(root: Path, reference: DtuReference, scan: int) -> None:
    (root / "Points" / "stl").mkdir(parents=True)
    (root / "ObsMask").mkdir()
    trimesh.PointCloud(reference.points).export(root / "Points/stl" / f"stl{scan:03}_total.ply")
    savemat(
        root / "ObsMask" / f"ObsMask{scan}_10.mat",
        {
            "ObsMask": reference.observed.astype(np.uint8),
            "BB": reference.bounds,
            "Res": reference.resolution,
        },
    )
    savemat(root / "ObsMask" / f"Plane{scan}.mat", {"P": reference.plane[:, None]})


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
