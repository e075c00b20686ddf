"""Surface figures against closed forms and brute force."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from neus.errors import InputError
from neus.metrics.closest import TriangleTree
from neus.metrics.geometry import Surface
from neus.metrics.surfaces import (
    SurfaceFigures,
    sample_surface,
    surface_distances,
    surface_figures,
)
from neus.scene.similarity import Similarity


def rectangle(width: float = 1.0, height: float = 1.0, z: float = 0.0) -> Surface:
    corners = np.array([[0, 0, z], [width, 0, z], [width, height, z], [0, height, z]], float)
    return Surface(corners, np.array([[0, 1, 2], [0, 2, 3]]))


def sphere(radius: float, subdivisions: int = 4) -> Surface:
    mesh = trimesh.creation.icosphere(subdivisions, radius)
    return Surface(np.array(mesh.vertices), np.array(mesh.faces))


def figures(reconstruction: Surface, reference: Surface, **settings: Any) -> SurfaceFigures:
    threshold = settings.pop("threshold", 0.01)
    if settings.pop("relative_threshold", True):
        threshold *= reference.diameter
    asked: dict[str, Any] = {"samples": 20_000, "seed": 0} | settings
    distances = surface_distances(reconstruction, reference, **asked)
    return surface_figures(
        distances, threshold=threshold, diameter=reference.diameter, unit="mm", protocol="mesh"
    )


def test_equal_meshes_are_perfect() -> None:
    found = figures(sphere(1), sphere(1))
    assert found.chamfer < 1e-12
    assert found.fscore == 1
    assert found.normal_consistency == pytest.approx(1, abs=1e-6)


def test_parallel_rectangles_are_their_offset_apart() -> None:
    found = figures(rectangle(z=0.02), rectangle(), threshold=0.01)
    assert found.accuracy == pytest.approx(0.02, abs=1e-12)
    assert found.completeness == pytest.approx(0.02, abs=1e-12)
    assert found.chamfer == pytest.approx(0.02, abs=1e-12)
    assert found.normal_consistency == pytest.approx(1)
    assert found.diameter == pytest.approx(math.sqrt(2))
    assert found.fscore_threshold == pytest.approx(0.01 * math.sqrt(2))
    assert (found.precision, found.recall, found.fscore) == (0, 0, 0)
    assert found.unit == "mm"


def test_threshold_is_relative_or_absolute_and_inclusive() -> None:
    above, below = rectangle(z=0.125), rectangle()
    assert figures(above, below, threshold=0.125, relative_threshold=False).fscore == 1
    assert figures(above, below, threshold=0.124, relative_threshold=False).fscore == 0
    assert figures(above, below, threshold=0.09).fscore == 1


def test_half_of_a_square_is_accurate_but_incomplete() -> None:
    found = figures(rectangle(width=0.5), rectangle(), threshold=0.1, relative_threshold=False)
    assert found.accuracy == 0
    assert found.completeness == pytest.approx(0.125, abs=5e-3)
    assert found.precision == 1
    assert found.recall == pytest.approx(0.6, abs=0.015)
    assert found.fscore == pytest.approx(2 * 0.6 / 1.6, abs=0.015)


def test_concentric_spheres() -> None:
    found = figures(sphere(1.1, 5), sphere(1.0, 5))
    assert found.accuracy == pytest.approx(0.1, abs=1e-3)
    assert found.completeness == pytest.approx(0.1, abs=1e-3)
    assert found.normal_consistency == pytest.approx(1, abs=1e-3)
    assert found.diameter == pytest.approx(2 * math.sqrt(3), rel=1e-3)


def test_perpendicular_rectangles_have_no_normal_consistency() -> None:
    floor = rectangle()
    wall = Surface(floor.vertices[:, [0, 2, 1]], floor.faces)
    assert figures(wall, floor).normal_consistency == pytest.approx(0, abs=1e-12)


def test_normal_consistency_ignores_orientation() -> None:
    floor = rectangle()
    assert floor.faces is not None
    flipped = Surface(floor.vertices, floor.faces[:, ::-1])
    assert figures(flipped, floor).normal_consistency == pytest.approx(1)


def test_cloud_as_reference_with_and_without_normals() -> None:
    grid = np.stack(np.meshgrid(np.arange(11) / 10, np.arange(11) / 10), -1).reshape(-1, 2)
    points = np.column_stack([grid, np.zeros(len(grid))])
    above = rectangle(z=0.3)
    bare = figures(above, Surface(points))
    assert bare.completeness == pytest.approx(0.3, abs=1e-12)
    assert 0.3 < bare.accuracy < math.hypot(0.3, 0.05 * math.sqrt(2))
    assert math.isnan(bare.normal_consistency)
    tilted = np.tile([0, 0.6, 0.8], (len(points), 1))
    assert figures(above, Surface(points, None, tilted)).normal_consistency == pytest.approx(0.8)


def test_cloud_with_more_points_than_samples_is_thinned_at_random() -> None:
    cloud = Surface(np.random.default_rng(0).random((500, 3)))
    drawn = sample_surface(cloud, 100, np.random.default_rng(1)).points
    assert len(np.unique(drawn, axis=0)) == 100
    assert {tuple(point) for point in drawn} <= {tuple(point) for point in cloud.vertices}
    assert len(sample_surface(cloud, 500, np.random.default_rng(1)).points) == 500


def test_samples_are_uniform_over_the_area() -> None:
    large, small = rectangle(2, 1), rectangle(1, 1, z=1.0)
    assert large.faces is not None
    assert small.faces is not None
    both = Surface(
        np.concatenate([large.vertices, small.vertices]),
        np.concatenate([large.faces, small.faces + 4]),
    )
    points = sample_surface(both, 30_000, np.random.default_rng(0)).points
    assert (points[:, 2] == 0).sum() == 20_000
    below = points[points[:, 2] == 0]
    counts = np.histogram2d(below[:, 0], below[:, 1], bins=(8, 4), range=((0, 2), (0, 1)))[0]
    assert np.abs(counts - 625).max() < 5 * math.sqrt(625)


def test_the_seed_decides_and_threads_do_not() -> None:
    first, second = sphere(1, 2), sphere(1.3, 1)
    once = figures(first, second, samples=2000)
    assert figures(first, second, samples=2000) == once
    assert figures(first, second, samples=2000, workers=3) == once
    assert figures(first, second, samples=2000, seed=1) != once


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    scale=st.floats(1e-2, 1e2),
    shift=st.floats(-10, 10),
)
def test_figures_scale_with_the_frame(seed: int, scale: float, shift: float) -> None:
    rng = np.random.default_rng(seed)
    faces = np.arange(12).reshape(4, 3)
    one, two = Surface(rng.random((12, 3)), faces), Surface(rng.random((12, 3)), faces)
    rotation = trimesh.transformations.random_rotation_matrix(rng.random(3))[:3, :3]
    similarity = Similarity(scale, rotation, np.full(3, shift))
    absolute = {"samples": 200, "relative_threshold": False}
    before = figures(one, two, threshold=0.2, **absolute)
    after = figures(
        one.transformed(similarity), two.transformed(similarity), threshold=0.2 * scale, **absolute
    )
    assert after.chamfer == pytest.approx(scale * before.chamfer, rel=1e-6)
    assert after.normal_consistency == pytest.approx(before.normal_consistency, abs=1e-2)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(1, 40), flatness=st.sampled_from([0, 1]))
def test_tree_agrees_with_brute_force(seed: int, count: int, flatness: int) -> None:
    rng = np.random.default_rng(seed)
    triangles = rng.standard_normal((count, 3, 3)) * rng.random((count, 1, 1))
    triangles[..., 2] *= flatness
    points = rng.standard_normal((20, 3))
    distances, faces = TriangleTree.build(triangles).query(points)
    repeated = np.repeat(points, count, axis=0)
    closest = trimesh.triangles.closest_point(np.tile(triangles, (20, 1, 1)), repeated)
    expected = np.linalg.norm(closest - repeated, axis=1).reshape(20, count)
    np.testing.assert_allclose(distances, expected.min(axis=1), atol=1e-12)
    np.testing.assert_allclose(expected[np.arange(20), faces], distances, atol=1e-12)


def test_answers_do_not_depend_on_the_other_points_even_at_shared_corners() -> None:
    ball = sphere(1, 2)
    tree = TriangleTree.build(ball.triangles)
    points = np.concatenate([ball.vertices, 1.1 * ball.vertices, ball.triangles[:, :2].mean(1)])
    distances, faces = tree.query(points)
    alone = [tree.query(point[None]) for point in points]
    np.testing.assert_array_equal(faces, [face[0] for _, face in alone])
    np.testing.assert_array_equal(distances, [distance[0] for distance, _ in alone])


def test_triangles_without_area_count_as_their_edges() -> None:
    needle = np.array([[[0.0, 0, 0], [2, 0, 0], [1, 0, 0]], [[5, 5, 5], [5, 5, 5], [5, 5, 5]]])
    points = np.array([[1.0, 3, 0], [-4, 0, 3], [5, 5, 6]])
    distances, faces = TriangleTree.build(needle).query(points)
    np.testing.assert_allclose(distances, [3, 5, 1])
    np.testing.assert_array_equal(faces, [0, 0, 1])


def test_json_has_null_for_what_has_no_value() -> None:
    cloud = Surface(np.random.default_rng(0).random((50, 3)))
    content = json.loads(json.dumps(figures(cloud, cloud).to_json(), allow_nan=False))
    assert content["normal_consistency"] is None
    assert content["chamfer"] == 0
    assert (content["unit"], content["protocol"]) == ("mm", "mesh")


def test_bad_settings_and_empty_meshes_are_refused() -> None:
    with pytest.raises(InputError, match="samples must be positive"):
        figures(rectangle(), rectangle(), samples=0)
    with pytest.raises(InputError, match="threshold must be positive"):
        figures(rectangle(), rectangle(), threshold=0)
    with pytest.raises(InputError, match="no area"):
        figures(Surface(np.zeros((3, 3)), np.array([[0, 1, 2]])), rectangle())
