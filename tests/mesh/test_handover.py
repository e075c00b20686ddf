"""A surface to hand over: upright, in metres, as GLB and OBJ, with a texture or without."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.errors import InputError
from neus.mesh import Mesh
from neus.mesh.handover import FINER, Handover, handed_over, texel_density
from neus.mesh.handover_files import read_handover, write_handover
from neus.mesh.unwrapping import NotUnwrapped, unwrapped
from neus.scene import Scene
from tests.helpers.painted_sphere import TO_SOURCE, painted, painted_scene, sphere


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Scene:
    return painted_scene(tmp_path_factory.mktemp("sphere"))


def in_source(mesh: Mesh) -> Mesh:
    normals = TO_SOURCE.apply_to_directions(mesh.vertices / 0.6)
    return replace(mesh, vertices=TO_SOURCE.apply(mesh.vertices), normals=normals)


@pytest.fixture(scope="module")
def content(scene: Scene) -> Handover:
    return handed_over(in_source(sphere()), scene, faces=1000, side=256, seconds=60)


def test_it_stands_upright_in_metres(content: Handover) -> None:
    assert content.unit == "m"
    assert len(content.mesh.faces) <= 1000
    assert np.linalg.norm(content.mesh.vertices, axis=1).max() == pytest.approx(0.12, rel=0.02)
    back = content.to_source.apply(content.mesh.vertices)
    assert np.linalg.norm(back - TO_SOURCE.translation, axis=1) == pytest.approx(120, rel=0.02)
    top = content.to_source.apply_to_directions(np.array([[0.0, 1, 0]]))
    upwards = TO_SOURCE.apply_to_directions(np.array([[0.0, 0, 1]]))
    np.testing.assert_allclose(top, upwards, atol=1e-6)
    assert content.mesh.normals is not None
    facing = content.mesh.normals * content.mesh.vertices
    assert (facing.sum(axis=1) > 0.11).all()


def test_an_unknown_unit_stays_as_it_is(scene: Scene) -> None:
    unknown = replace(scene, unit="source units")
    content = handed_over(in_source(sphere()), unknown, faces=300, side=64, seconds=60)
    assert content.unit == "source units"
    assert np.linalg.norm(content.mesh.vertices, axis=1).max() == pytest.approx(120, rel=0.05)


@pytest.mark.parametrize("name", ["glb", "obj"])
def test_files_show_what_photos_show(content: Handover, tmp_path: Path, name: str) -> None:
    """Read by another program: colours of the texture where vertices are."""
    write_handover(tmp_path / f"ball.{name}", content)
    loaded = trimesh.load(tmp_path / f"ball.{name}", force="mesh", process=False)
    assert isinstance(loaded, trimesh.Trimesh)
    texels = np.asarray(loaded.visual.to_color().vertex_colors)[:, :3]  # pyright: ignore
    places = content.to_source.apply(np.asarray(loaded.vertices))
    off = np.abs(texels.astype(int) - painted(TO_SOURCE.inverse().apply(places))).max(axis=1)
    assert np.median(off) < 12


def test_ours_are_read_back(content: Handover, tmp_path: Path) -> None:
    write_handover(tmp_path / "ball.glb", content)
    back = read_handover(tmp_path / "ball.glb")
    np.testing.assert_allclose(back.mesh.vertices, content.mesh.vertices, atol=1e-7)
    np.testing.assert_array_equal(back.mesh.faces, content.mesh.faces)
    np.testing.assert_allclose(back.to_source.matrix, content.to_source.matrix, atol=1e-9)
    assert (back.unit, back.said) == (content.unit, content.said)
    assert back.picture is not None
    assert content.picture is not None
    assert np.abs(back.picture.astype(int) - content.picture).mean() < 4


@pytest.mark.parametrize("damage", [b"", b"glTF\1\0\0\0", b"no mesh at all, but a text"])
def test_other_files_are_refused(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "other.glb").write_bytes(damage)
    with pytest.raises(InputError, match="no GLB of one mesh"):
        read_handover(tmp_path / "other.glb")


def test_what_takes_too_long_keeps_its_colours_of_vertices(scene: Scene, tmp_path: Path) -> None:
    said: list[str] = []
    ball = in_source(sphere())
    # Ten times as long by the clock: less than any machine takes to start Python.
    content = handed_over(ball, scene, faces=500, side=256, seconds=0.001, report=said.append)
    assert content.picture is None
    (sentence,) = said
    assert sentence.startswith("xatlas took more than 0.001 s for ")
    assert sentence.endswith("the mesh keeps colours of vertices; try fewer faces (mesh.faces)")
    for name in ("glb", "obj"):
        write_handover(tmp_path / f"ball.{name}", content)
        assert (tmp_path / f"ball.{name}").stat().st_size > 1000
    assert read_handover(tmp_path / "ball.glb").picture is None
    with pytest.raises(NotUnwrapped):
        unwrapped(ball.vertices, ball.faces, 1, 0.001)


def test_the_field_colours_it_on_request(scene: Scene) -> None:
    def field(points: np.ndarray, normals: np.ndarray) -> np.ndarray:
        assert (np.abs((points * normals).sum(axis=1) - 0.6) < 0.02).all()  # scene frame, outwards
        return np.tile([[0.0, 1.0, 0.2]], (len(points), 1))

    content = handed_over(in_source(sphere()), scene, faces=300, side=64, seconds=60, field=field)
    assert content.picture is not None
    assert (content.picture == [0, 255, 51]).all()
    assert "field" in content.said


def test_texels_are_as_fine_as_photos_and_no_finer_than_asked_for(scene: Scene) -> None:
    """The nearest camera is 2.4 from the sphere and has 200 pixels a radian: 83 a unit."""
    density = texel_density(scene, sphere(), 4096)
    assert 0.8 * FINER * 200 / 2.4 < density <= FINER * 200 / 2.4
    area = 4 * np.pi * 0.36
    assert texel_density(scene, sphere(), 64) ** 2 * area < 64**2


@pytest.mark.parametrize("side", [32, 100, 4096])
def test_a_texture_is_no_larger_than_asked_for(scene: Scene, side: int) -> None:
    content = handed_over(in_source(sphere()), scene, faces=300, side=side, seconds=60)
    assert content.picture is not None
    assert max(content.picture.shape) <= min(side, 500)


def test_a_mesh_without_looks_is_refused(scene: Scene, tmp_path: Path, content: Handover) -> None:
    bare = Mesh(np.zeros((0, 3)), np.zeros((0, 3), int))
    with pytest.raises(InputError, match="extract it again"):
        handed_over(bare, scene, faces=10, side=64, seconds=1)
    with pytest.raises(InputError, match=r"\.glb or \.obj"):
        write_handover(tmp_path / "ball.stl", content)
