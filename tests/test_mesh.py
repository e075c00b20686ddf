"""Meshes: closed forms on spheres and tori, the dense grid as oracle, files read back."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.errors import InputError
from neus.mesh import Mesh
from neus.mesh.clean import (
    component_volumes,
    drop_enclosed,
    drop_small,
    drop_unreferenced,
    face_areas,
    face_components,
    keep_largest,
    winding_number,
)
from neus.mesh.colour import normals_from_faces, normals_from_gradient, vertex_colours
from neus.mesh.export import to_source_frame, write_mesh
from neus.mesh.gltf import linear_rgba16
from neus.mesh.isosurface import EmptySurface, extract_isosurface
from neus.similarity import Similarity


def ball(radius: float, centre: tuple[float, float, float] = (0.0, 0.0, 0.0)):
    return lambda x: np.linalg.norm(x - np.array(centre, np.float32), axis=1) - radius


def bumpy(x: np.ndarray) -> np.ndarray:
    return np.linalg.norm(x, axis=1) - 0.6 - 0.05 * np.prod(np.sin(12 * x), axis=1)


def torus(x: np.ndarray) -> np.ndarray:
    return np.hypot(np.hypot(x[:, 0], x[:, 1]) - 0.6, x[:, 2]) - 0.2


def union(*fields):
    return lambda x: np.min([field(x) for field in fields], axis=0)


def difference(solid, hole):
    return lambda x: np.maximum(solid(x), -hole(x))


def mesh_of(sdf, resolution: int = 48) -> Mesh:
    return Mesh(*extract_isosurface(sdf, resolution))


def assert_watertight(faces: np.ndarray) -> None:
    """Each directed edge once, and its reverse once: closed, oriented, two faces an edge."""
    starts, ends = faces.ravel(), np.roll(faces, -1, axis=1).ravel()
    count = int(faces.max()) + 1
    forwards, backwards = np.sort(count * starts + ends), np.sort(count * ends + starts)
    assert (np.diff(forwards) > 0).all()
    np.testing.assert_array_equal(forwards, backwards)


def volume(mesh: Mesh) -> float:
    return float(component_volumes(mesh, np.zeros(len(mesh.faces), int))[0])


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

    def test_progress_sees_every_step(self):
        ranges: list[range] = []

        def watch(steps: range):
            ranges.append(steps)
            return steps

        extract_isosurface(ball(0.5), 32, progress=watch)
        assert len(ranges) >= 3
        assert all(len(steps) for steps in ranges[:3])


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
        mesh = drop_unreferenced(Mesh(np.arange(15.0).reshape(5, 3), np.array([[4, 0, 2]])))
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


def coloured_mesh(offset: float = 0.0, scale: float = 1.0) -> Mesh:
    vertices, faces = extract_isosurface(bumpy, 20)
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (len(vertices), 3), dtype=np.uint8)
    normals = normals_from_faces(vertices, faces)
    return Mesh(offset + scale * vertices, faces, normals, colours)


class TestExport:
    def test_a_ply_comes_back_as_it_was(self, tmp_path: Path):
        mesh = coloured_mesh(offset=640.123, scale=140)
        assert mesh.normals is not None
        write_mesh(tmp_path / "new" / "mesh.ply", mesh)
        back = trimesh.load(tmp_path / "new" / "mesh.ply", process=False)
        assert isinstance(back, trimesh.Trimesh)
        np.testing.assert_array_equal(back.faces, mesh.faces)
        np.testing.assert_array_equal(back.visual.vertex_colors[:, :3], mesh.colours)  # pyright: ignore
        np.testing.assert_array_equal(back.vertices, mesh.vertices.astype(np.float32))
        np.testing.assert_allclose(back.vertex_normals, mesh.normals, atol=1e-6)
        np.testing.assert_allclose(back.vertices, mesh.vertices, atol=3.1e-5)  # mm

    def test_far_from_the_origin_positions_stay_in_double_precision(self, tmp_path: Path):
        mesh = coloured_mesh(offset=5e6)
        write_mesh(tmp_path / "mesh.ply", mesh)
        back = trimesh.load(tmp_path / "mesh.ply", process=False)
        np.testing.assert_array_equal(back.vertices, mesh.vertices)  # pyright: ignore

    def test_a_bare_mesh_has_no_invented_colours(self, tmp_path: Path):
        write_mesh(tmp_path / "mesh.ply", mesh_of(ball(0.5), 8))
        header = (tmp_path / "mesh.ply").read_bytes().split(b"end_header")[0]
        assert b"red" not in header
        assert b"nx" not in header

    def test_a_glb_comes_back_with_linear_colours(self, tmp_path: Path):
        mesh = coloured_mesh()
        assert mesh.colours is not None
        assert mesh.normals is not None
        write_mesh(tmp_path / "mesh.glb", mesh)
        back = trimesh.load(tmp_path / "mesh.glb", process=False, force="mesh")
        assert isinstance(back, trimesh.Trimesh)
        np.testing.assert_array_equal(back.vertices, mesh.vertices.astype(np.float32))
        np.testing.assert_array_equal(back.faces, mesh.faces)
        document, binary = self.chunks(tmp_path / "mesh.glb")
        normals = np.frombuffer(self.content(document, binary, "NORMAL"), "<f4").reshape(-1, 3)
        np.testing.assert_allclose(normals, mesh.normals, atol=1e-6)
        colours = np.frombuffer(self.content(document, binary, "COLOR_0"), "<u2").reshape(-1, 4)
        np.testing.assert_array_equal(colours, linear_rgba16(mesh.colours))

    @staticmethod
    def content(document: dict, binary: bytes, attribute: str) -> bytes:
        number = document["meshes"][0]["primitives"][0]["attributes"][attribute]
        view = document["bufferViews"][document["accessors"][number]["bufferView"]]
        return binary[view["byteOffset"] :][: view["byteLength"]]

    @staticmethod
    def chunks(path: Path) -> tuple[dict, bytes]:
        content = path.read_bytes()
        magic, version, total, json_length = struct.unpack("<4sIII", content[:16])
        assert (magic, version, total) == (b"glTF", 2, len(content))
        assert json_length % 4 == 0
        return json.loads(content[20 : 20 + json_length]), content[28 + json_length :]

    @pytest.mark.parametrize("parts", ["normals", "colours", "neither"])
    def test_every_accessor_of_a_glb_fits_its_view(self, tmp_path: Path, parts: str):
        full = coloured_mesh()
        mesh = Mesh(
            full.vertices,
            full.faces,
            full.normals if parts == "normals" else None,
            full.colours if parts == "colours" else None,
        )
        write_mesh(tmp_path / "mesh.glb", mesh)
        document, binary = self.chunks(tmp_path / "mesh.glb")
        sizes = {("VEC3", 5126): 12, ("VEC4", 5123): 8, ("SCALAR", 5125): 4}
        for accessor in document["accessors"]:
            assert accessor.get("normalized", False) == (accessor["type"] == "VEC4")
            view = document["bufferViews"][accessor["bufferView"]]
            item = sizes[accessor["type"], accessor["componentType"]]
            assert view["byteLength"] == item * accessor["count"]
            assert view["byteOffset"] % 4 == 0
            assert view["byteOffset"] + view["byteLength"] <= len(binary)
        assert ("extensionsUsed" in document) == (parts == "colours")

    def test_sixteen_bits_keep_all_bytes_apart(self):
        grey = np.arange(256, dtype=np.uint8)[:, None].repeat(3, axis=1)
        linear = linear_rgba16(grey)
        assert (np.diff(linear[:, 0].astype(int)) > 0).all()
        assert linear[0].tolist() == [0, 0, 0, 65535]
        assert linear[255].tolist() == [65535] * 4
        assert linear[188, 0] / 65535 == pytest.approx(0.5029, abs=1e-4)  # of IEC 61966-2-1

    def test_an_unknown_suffix_is_refused(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"mesh\.obj.*\.ply or \.glb"):
            write_mesh(tmp_path / "mesh.obj", coloured_mesh())
        assert not list(tmp_path.iterdir())

    def test_the_source_frame_moves_points_and_turns_normals(self):
        mesh = coloured_mesh()
        turn = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
        similarity = Similarity(140.0, turn, np.array([10.0, -20, 640]))
        moved = to_source_frame(mesh, similarity)
        assert moved.normals is not None
        assert mesh.normals is not None
        np.testing.assert_allclose(moved.vertices, 140 * mesh.vertices @ turn.T + [10, -20, 640])
        np.testing.assert_allclose(moved.normals, mesh.normals @ turn.T)
        np.testing.assert_array_equal(moved.colours, mesh.colours)  # pyright: ignore
        assert volume(moved) == pytest.approx(140**3 * volume(mesh))
        recomputed = normals_from_faces(moved.vertices, moved.faces)
        np.testing.assert_allclose(recomputed, moved.normals, atol=1e-9)
