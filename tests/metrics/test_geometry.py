"""Reading meshes and clouds of points."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.errors import InputError
from neus.metrics.geometry import load_surface


@pytest.mark.parametrize("suffix", ["ply", "obj", "glb"])
def test_meshes_are_read_in_order(tmp_path: Path, suffix: str) -> None:
    mesh = trimesh.creation.icosphere(1)
    mesh.export(tmp_path / f"mesh.{suffix}")
    surface = load_surface(tmp_path / f"mesh.{suffix}")
    np.testing.assert_allclose(surface.triangles, mesh.triangles, atol=1e-6)


def test_parts_of_a_glb_stand_where_its_scene_puts_them(tmp_path: Path) -> None:
    scene = trimesh.Scene()
    ball = trimesh.creation.icosphere(1)
    scene.add_geometry(ball)
    scene.add_geometry(ball, transform=trimesh.transformations.translation_matrix([5, 0, 0]))
    scene.export(tmp_path / "two.glb")
    surface = load_surface(tmp_path / "two.glb")
    assert surface.faces is not None
    assert len(surface.faces) == 160
    assert surface.triangles[..., 0].min() == pytest.approx(-1)
    assert surface.triangles[..., 0].max() == pytest.approx(6)


def test_cloud_keeps_its_normals_at_unit_length(tmp_path: Path) -> None:
    path = tmp_path / "cloud.ply"
    names = "\n".join(f"property float {name}" for name in ("x", "y", "z", "nx", "ny", "nz"))
    header = f"ply\nformat ascii 1.0\nelement vertex 2\n{names}\nend_header\n"
    path.write_text(header + "1 2 3 0 0 2\n4 5 6 0 0.5 0\n")
    cloud = load_surface(path)
    assert not cloud.is_mesh
    np.testing.assert_array_equal(cloud.vertices, [[1, 2, 3], [4, 5, 6]])
    assert cloud.normals is not None
    np.testing.assert_allclose(cloud.normals, [[0, 0, 1], [0, 1, 0]])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("absent.ply", None, "no such file"),
        ("broken.ply", b"plx", "cannot be read"),
        ("broken.glb", b"glb", "cannot be read"),
        ("empty.obj", b"", "no points"),
        ("nan.obj", b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "not finite"),
    ],
)
def test_unusable_files_are_refused(
    tmp_path: Path, name: str, content: bytes | None, message: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        load_surface(path)
    assert name in str(caught.value)
