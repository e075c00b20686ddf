"""Components, what is enclosed, normals and colours of meshes."""

from __future__ import annotations

import numpy as np
import pytest

from neus.mesh import Mesh
from neus.mesh.clean import (
    drop_enclosed,
    drop_small,
    face_components,
    keep_largest,
    keep_supported,
    select_faces,
    winding_number,
)
from neus.mesh.colour import normals_from_faces, normals_from_gradient, vertex_colours
from tests.helpers.shapes import assert_watertight, ball, difference, mesh_of, torus, union, volume

floater, body = ball(0.1, (0.8, 0.0, 0.0)), ball(0.6)


class TestComponents:
    def test_the_largest_component_stays_without_floaters_and_cavities(self):
        field = union(difference(body, ball(0.3)), floater)
        mesh = mesh_of(field)
        assert face_components(mesh).max() + 1 == 3
        kept = keep_largest(mesh)
        assert volume(kept) == pytest.approx(4 / 3 * np.pi * 0.6**3, rel=0.01)
        assert_watertight(kept.faces)
        assert len(np.unique(kept.faces)) == len(kept.vertices)

    def test_what_known_points_vouch_for_stays(self):
        knob, ghost = ball(0.15, (0.0, 0.85, 0.0)), floater
        mesh = mesh_of(union(difference(body, ball(0.3)), knob, ghost))
        rng = np.random.default_rng(0)
        seen = rng.normal(size=(4000, 3))
        seen /= np.linalg.norm(seen, axis=1, keepdims=True)
        points = np.concatenate([0.6 * seen, 0.15 * seen[::4] + [0.0, 0.85, 0.0]])
        kept = keep_supported(mesh, points, reach=0.05)
        expected = 4 / 3 * np.pi * (0.6**3 + 0.15**3)
        assert face_components(kept).max() + 1 == 2
        assert volume(kept) == pytest.approx(expected, rel=0.01)
        alone = keep_supported(mesh, points[-1:] + 3, reach=0.05)
        assert len(alone.faces) == len(keep_largest(mesh).faces)

    def test_enclosed_things_go_and_separate_objects_stay(self):
        hollow = difference(body, ball(0.4))
        mesh = mesh_of(union(hollow, ball(0.15), floater))
        assert face_components(mesh).max() + 1 == 4  # wall, cavity, an island in it, the floater
        kept = drop_enclosed(mesh)
        expected = 4 / 3 * np.pi * (0.6**3 + 0.1**3)
        assert face_components(kept).max() + 1 == 2
        assert volume(kept) == pytest.approx(expected, rel=0.01)

    def test_what_lies_in_the_hole_of_a_ring_is_not_enclosed(self):
        mesh = mesh_of(union(torus, ball(0.15)))
        assert len(drop_enclosed(mesh).faces) == len(mesh.faces)

    def test_small_components_go_by_area(self):
        mesh = mesh_of(union(body, floater), 64)
        ratio = (0.1 / 0.6) ** 2
        assert len(drop_small(mesh, 1.1 * ratio).faces) == len(keep_largest(mesh).faces)
        assert len(drop_small(mesh, 0.9 * ratio).faces) == len(mesh.faces)

    def test_vertices_keep_their_normals_and_colours(self):
        mesh = mesh_of(union(floater, body), 32)
        normals = normals_from_faces(mesh.vertices, mesh.faces)
        colours = np.rint(255 * (mesh.vertices + 1) / 2).astype(np.uint8)
        kept = keep_largest(Mesh(mesh.vertices, mesh.faces, normals, colours))
        assert kept.normals is not None
        assert kept.colours is not None
        assert len(kept.vertices) < len(mesh.vertices)
        assert (kept.normals * kept.vertices).sum(axis=1).min() > 0.55
        np.testing.assert_array_equal(kept.colours, np.rint(255 * (kept.vertices + 1) / 2))

    def test_unreferenced_vertices_go(self):
        mesh = Mesh(np.arange(15.0).reshape(5, 3), np.array([[4, 0, 2], [1, 0, 3]]))
        mesh = select_faces(mesh, np.array([True, False]))
        np.testing.assert_array_equal(mesh.vertices[:, 0], [0, 6, 12])
        np.testing.assert_array_equal(mesh.faces, [[2, 0, 1]])

    @pytest.mark.parametrize("clean", [keep_largest, drop_enclosed, lambda m: drop_small(m, 0.1)])
    def test_a_mesh_without_faces_stays_one(self, clean):
        assert len(clean(Mesh(np.zeros((3, 3)), np.zeros((0, 3), int))).faces) == 0

    def test_the_winding_number_counts_the_surfaces_around_a_point(self):
        mesh = mesh_of(ball(0.5), 20)
        for point, expected in (([0.1, 0.2, 0.0], 1), ([0.6, 0.1, 0.0], 0)):
            turns = winding_number(np.array(point), mesh.vertices, mesh.faces)
            assert turns == pytest.approx(expected, abs=1e-9)


class TestNormalsAndColours:
    mesh = mesh_of(ball(0.5), 40)

    def test_normals_of_a_sphere_are_radial(self):
        radial = self.mesh.vertices / np.linalg.norm(self.mesh.vertices, axis=1, keepdims=True)
        from_faces = normals_from_faces(self.mesh.vertices, self.mesh.faces)
        assert (from_faces * radial).sum(axis=1).min() > 0.99
        from_gradient = normals_from_gradient(
            self.mesh.vertices, self.mesh.faces, lambda x: 3 * x, batch=100
        )
        np.testing.assert_allclose(from_gradient, radial, atol=1e-6)

    @pytest.mark.parametrize("broken", [0.0, np.nan])
    def test_where_the_gradient_fails_faces_give_the_normal(self, broken):
        def gradient(x: np.ndarray) -> np.ndarray:
            return np.where(x[:, :1] > 0, x, broken)

        normals = normals_from_gradient(self.mesh.vertices, self.mesh.faces, gradient)
        np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-12)
        assert (normals * self.mesh.vertices).sum(axis=1).min() > 0.49

    def test_a_vertex_without_faces_has_a_normal_too(self):
        normals = normals_from_faces(np.eye(4, 3), np.array([[0, 1, 2]]))
        np.testing.assert_allclose(normals, [[3**-0.5] * 3] * 3 + [[0, 0, 1]], atol=1e-12)

    def test_colours_are_rounded_and_clipped_and_batched(self):
        vertices, normals = np.random.default_rng(0).uniform(-1, 1, (2, 1000, 3))
        sizes = []

        def colour(points: np.ndarray, directions: np.ndarray) -> np.ndarray:
            sizes.append(len(points))
            np.testing.assert_array_equal(directions, normals[sum(sizes[:-1]) :][:300].astype("f4"))
            return points.astype(np.float64) + 0.3

        colours = vertex_colours(vertices, normals, colour, batch=300)
        assert sizes == [300, 300, 300, 100]
        exact = 255 * np.clip(vertices.astype("f4").astype(float) + 0.3, 0, 1)
        assert np.abs(colours - exact).max() <= 0.5 + 1e-9
