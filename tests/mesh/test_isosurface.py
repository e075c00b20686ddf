"""Isosurfaces: closed forms on spheres and tori, the dense grid as oracle."""

from __future__ import annotations

import math

import numpy as np
import pytest

from neus.errors import InputError
from neus.mesh import Mesh
from neus.mesh.clean import (
    face_areas,
)
from neus.mesh.isosurface import EXPECTED, EmptySurface, extract_isosurface
from tests.helpers.shapes import assert_watertight, ball, bumpy, mesh_of, torus, volume


class TestIsosurface:
    @pytest.mark.parametrize("resolution", [12, 33, 64, 70])
    def test_a_sphere_has_its_radius_area_and_volume(self, resolution):
        mesh = mesh_of(ball(0.7), resolution)
        cell = 2 / resolution
        assert_watertight(mesh.faces)
        np.testing.assert_allclose(np.linalg.norm(mesh.vertices, axis=1), 0.7, atol=0.3 * cell**2)
        assert volume(mesh) == pytest.approx(4 / 3 * np.pi * 0.7**3, rel=2 * cell**2)
        assert face_areas(mesh).sum() == pytest.approx(4 * np.pi * 0.7**2, rel=2 * cell**2)

    def test_faces_look_towards_positive_values(self):
        mesh = mesh_of(ball(0.5))
        a, b, c = mesh.vertices[mesh.faces].transpose(1, 0, 2)
        assert (np.cross(b - a, c - a) * (a + b + c)).sum(axis=1).min() > 0

    def test_a_torus_has_one_hole(self):
        mesh = mesh_of(torus)
        edges = 3 * len(mesh.faces) / 2
        assert len(mesh.vertices) - edges + len(mesh.faces) == 0
        assert volume(mesh) == pytest.approx(2 * np.pi**2 * 0.6 * 0.2**2, rel=0.02)

    @pytest.mark.parametrize("sdf", [ball(0.7), bumpy, torus, ball(0.08, (0.31, -0.2, 0.4))])
    def test_bricks_give_the_mesh_of_the_whole_grid(self, sdf):
        vertices, faces = extract_isosurface(sdf, 70)
        all_vertices, all_faces = extract_isosurface(sdf, 70, lipschitz=math.inf)
        np.testing.assert_array_equal(vertices, all_vertices)
        np.testing.assert_array_equal(faces, all_faces)

    @pytest.mark.parametrize("steepness", [20.0, 0.05])
    def test_a_field_that_is_no_distance_is_followed_all_the_same(self, steepness):
        def field(x: np.ndarray) -> np.ndarray:
            # A solid with arms thinner than a brick, that only a neighbour's values betray.
            arms = np.max(np.abs(x[:, 1:]), axis=1) - 0.03
            arm = np.maximum(arms, np.abs(x[:, 0]) - 0.9)
            return steepness * np.minimum(bumpy(x), arm)

        vertices, faces = extract_isosurface(field, 64)
        all_vertices, all_faces = extract_isosurface(field, 64, lipschitz=math.inf)
        assert np.abs(vertices).max() > 0.88
        np.testing.assert_array_equal(vertices, all_vertices)
        np.testing.assert_array_equal(faces, all_faces)

    def test_a_step_is_found_by_its_signs(self):
        """Both sides are farther from zero than a distance could be next to the surface."""
        vertices, faces = extract_isosurface(lambda x: 5 * np.sign(ball(0.5)(x)), 64)
        assert_watertight(faces)
        np.testing.assert_allclose(np.linalg.norm(vertices, axis=1), 0.5, atol=1 / 32)

    def test_noise_is_watertight_across_blocks_and_closed_at_the_sphere(self):
        rng = np.random.default_rng(0)
        grid = rng.normal(size=(71, 71, 71))

        def noise(x: np.ndarray) -> np.ndarray:
            return grid[tuple(np.rint((x.T + 1) * 35).astype(int))]

        vertices, faces = extract_isosurface(noise, 70, lipschitz=math.inf)
        assert_watertight(faces)
        assert len(np.unique(vertices, axis=0)) == len(vertices)
        assert np.linalg.norm(vertices, axis=1).max() < 1 + 2 / 70

    def test_the_order_of_evaluation_does_not_open_seams(self):
        """A field that answers a little differently in each batch, as a GPU may."""
        calls = np.random.default_rng(1)

        def unsteady(x: np.ndarray) -> np.ndarray:
            return np.abs(x).max(axis=1) - 0.5 + 1e-7 * calls.normal(size=len(x))

        _, faces = extract_isosurface(unsteady, 64, batch=1000)
        assert_watertight(faces)

    def test_values_of_exactly_zero_make_no_flat_faces(self):
        mesh = mesh_of(lambda x: np.abs(x).max(axis=1) - 0.5, 64)
        assert_watertight(mesh.faces)
        assert face_areas(mesh).min() > 0
        np.testing.assert_allclose(np.abs(mesh.vertices).max(axis=1), 0.5, atol=1e-4)

    def test_the_sphere_closes_what_reaches_beyond_it(self):
        mesh = Mesh(*extract_isosurface(lambda x: x[:, 2], 64, radius=0.8))
        assert_watertight(mesh.faces)
        assert volume(mesh) == pytest.approx(2 / 3 * np.pi * 0.8**3, rel=5e-3)

    def test_the_field_is_never_asked_outside_the_sphere_nor_in_large_batches(self):
        sizes, reach = [], []

        def watched(x: np.ndarray) -> np.ndarray:
            assert x.dtype == np.float32
            sizes.append(len(x))
            reach.append(np.linalg.norm(x, axis=1).max(initial=0))
            return ball(0.7)(x)

        extract_isosurface(watched, 128, radius=0.9, batch=5000)
        assert max(sizes) <= 5000
        assert max(reach) <= 0.9 + 1e-6
        assert sum(sizes) < 0.35 * 129**3

    def test_an_empty_field_says_what_to_try(self):
        with pytest.raises(EmptySurface, match=r"positive everywhere.*check the masks"):
            extract_isosurface(lambda x: np.ones(len(x)), 32)
        assert issubclass(EmptySurface, InputError)

    def test_a_diverged_field_is_refused(self):
        with pytest.raises(InputError, match="not finite"):
            extract_isosurface(lambda x: np.full(len(x), np.nan), 32)

    def test_a_resolution_of_nothing_is_refused(self):
        with pytest.raises(InputError, match="resolution 0"):
            extract_isosurface(ball(0.5), 0)

    def test_every_part_is_told_from_its_beginning_to_its_end(self):
        told: list[tuple[str, float]] = []
        extract_isosurface(ball(0.5), 32, advance=lambda *said: told.append(said))
        assert list(dict(told)) == list(EXPECTED)
        for part in EXPECTED:
            shares = [share for name, share in told if name == part]
            assert (shares[0], shares[-1]) == (0, 1)
            assert len(shares) >= 2
