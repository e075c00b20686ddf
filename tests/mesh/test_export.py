"""Meshes in files, read back by others and byte by byte."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.errors import InputError
from neus.mesh import Mesh
from neus.mesh.colour import normals_from_faces
from neus.mesh.export import to_source_frame, write_mesh
from neus.mesh.gltf import linear_rgba16
from neus.mesh.isosurface import extract_isosurface
from neus.scene.similarity import Similarity
from tests.helpers.shapes import ball, bumpy, mesh_of, volume


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

    def test_an_obj_comes_back_as_it_was(self, tmp_path: Path):
        mesh = coloured_mesh(offset=640.123, scale=140)
        write_mesh(tmp_path / "mesh.obj", mesh)
        back = trimesh.load(tmp_path / "mesh.obj", process=False, maintain_order=True)
        assert isinstance(back, trimesh.Trimesh)
        np.testing.assert_array_equal(back.faces, mesh.faces)
        np.testing.assert_array_equal(back.visual.vertex_colors[:, :3], mesh.colours)  # pyright: ignore
        np.testing.assert_allclose(back.vertices, mesh.vertices, rtol=1e-8)
        normals = [line.split()[1:] for line in (tmp_path / "mesh.obj").read_text().splitlines()
                   if line.startswith("vn")]  # fmt: skip
        assert mesh.normals is not None
        np.testing.assert_allclose(np.array(normals, float), mesh.normals, atol=1e-6)

    def test_a_bare_obj_has_positions_and_faces_alone(self, tmp_path: Path):
        write_mesh(tmp_path / "mesh.obj", Mesh(np.eye(3), np.array([[0, 1, 2]])))
        assert (tmp_path / "mesh.obj").read_text() == "v 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\n"

    def test_an_unknown_suffix_is_refused(self, tmp_path: Path):
        with pytest.raises(InputError, match=r"mesh\.stl.*\.ply, \.glb or \.obj"):
            write_mesh(tmp_path / "mesh.stl", coloured_mesh())
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
