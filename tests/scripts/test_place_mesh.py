"""A mesh of anybody's in the frame of a scan, with its colours, and its figures in the table."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from trimesh.visual import ColorVisuals

from neus.metrics.geometry import load_surface
from neus.scene import load_scene
from tests.helpers.small_scenes import program, small_scene


def place(folder: Path, mesh: Path, *words: str) -> dict:
    output = [str(folder / "mesh.ply"), str(folder / "mesh.glb")]
    given = ["--mesh", str(mesh), "--scene", str(folder / "scene"), *words]
    record = folder / "placed.json"
    assert program("place_mesh")([*given, "--record", str(record), "--output", *output]) == 0
    return json.loads(record.read_text())


def test_a_mesh_of_the_sphere_is_measured_where_it_belongs(tmp_path: Path) -> None:
    scene = load_scene(small_scene(tmp_path / "scene"))
    ball = trimesh.creation.icosphere(3, 0.5)
    paint = np.tile(np.array([10, 200, 30, 255], np.uint8), (len(ball.vertices), 1))
    ball.visual = ColorVisuals(ball, vertex_colors=paint)
    ball.export(tmp_path / "theirs.ply")
    record = place(tmp_path, tmp_path / "theirs.ply", "--frame", "scene", "--method", "Theirs")
    assert record["method"] == "Theirs"
    digest = hashlib.sha256((tmp_path / "theirs.ply").read_bytes()).hexdigest()
    assert (record["sha256"], record["unit"]) == (digest, "mm")
    np.testing.assert_allclose(record["to_source"], scene.to_source.matrix)

    for name in ("mesh.ply", "mesh.glb"):
        placed = load_surface(tmp_path / name)
        expected = scene.to_source.apply(np.asarray(ball.vertices))
        np.testing.assert_allclose(placed.vertices, expected, atol=1e-5)
    colours = load_surface(tmp_path / "mesh.ply").colours
    assert colours is not None
    assert (colours == [10, 200, 30]).all()

    ball.vertices = scene.to_source.apply(np.asarray(ball.vertices) * 1.02)
    ball.export(tmp_path / "true.ply")
    words = ["--mesh", tmp_path / "mesh.ply", "--scene", tmp_path / "scene", "--samples", 2000]
    words += ["--reference", tmp_path / "true.ply", "--output", tmp_path / "mesh-none.json"]
    assert program("evaluate_mesh")([str(word) for word in words]) == 0
    report = json.loads((tmp_path / "mesh-none.json").read_text())
    assert report["chamfer"] == pytest.approx(0.02 * 0.5 * 3, rel=0.05)
    digest = hashlib.sha256((tmp_path / "mesh.ply").read_bytes()).hexdigest()
    assert report["mesh_sha256"] == digest


def test_a_cloud_stays_a_cloud(tmp_path: Path) -> None:
    small_scene(tmp_path / "scene")
    points = np.random.default_rng(0).normal(size=(50, 3))
    trimesh.PointCloud(points, np.full((50, 4), 77, np.uint8)).export(tmp_path / "cloud.ply")
    assert place(tmp_path, tmp_path / "cloud.ply")["frame"] == "world"
    placed = load_surface(tmp_path / "mesh.ply")
    assert not placed.is_mesh
    np.testing.assert_allclose(placed.vertices, points, atol=1e-5)
    assert placed.colours is not None
    assert (placed.colours == 77).all()
    assert (tmp_path / "mesh.glb").read_bytes()[:4] == b"glTF"
