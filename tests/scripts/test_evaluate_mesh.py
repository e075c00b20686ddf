"""Figures of surfaces: the program alone on anybody's mesh, culled, and moved by known cameras."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.errors import InputError
from neus.images.files import write_image
from neus.metrics.dtu_reference import load_reference
from neus.metrics.error_clouds import FILES
from neus.metrics.evaluation import Alignment
from neus.metrics.geometry import load_surface
from neus.metrics.measuring import viewpoint
from neus.scene.reading import load_scene
from neus.scene.similarity import Similarity
from neus.scene.standpoint import standpoint
from tests.helpers.dtu_loops import figures_by_loop, reference_of, write_reference
from tests.helpers.small_scenes import program, small_scene


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    return small_scene(tmp_path / "scene")


def reference_in_the_official_layout(root: Path) -> np.ndarray:
    """A sphere of 3 mm, of which a part was observed, cut by a tilted table; returns its points."""
    rng = np.random.default_rng(0)
    points = rng.normal(size=(1500, 3))
    points = (3 * points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    reference = reference_of(
        points.astype(float), lower=-4, upper=4, resolution=0.5, plane=(0.2, -0.1, 1.0, 1.5)
    )
    reference.observed[:6] = False
    write_reference(root, reference, 24)
    return points


def test_the_program_alone_equals_plain_loops(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    reference_in_the_official_layout(tmp_path / "R")
    ball = trimesh.creation.icosphere(2, 3.0)
    ball.vertices += 0.1 * np.random.default_rng(1).standard_normal(ball.vertices.shape)
    ball.export(tmp_path / "m.ply")
    words = ["--mesh", str(tmp_path / "m.ply"), "--reference-root", str(tmp_path / "R")]
    words += ["--scan", "24", "--culling", "none", "--output", str(tmp_path / "m.json")]
    assert program("evaluate_mesh")([*words, "--errors", str(tmp_path / "errors")]) == 0
    report = json.loads((tmp_path / "m.json").read_text())

    accuracy, completeness = figures_by_loop(
        load_surface(tmp_path / "m.ply"), load_reference(tmp_path / "R", 24), seed=0
    )
    assert report["accuracy"] == pytest.approx(accuracy, abs=1e-6)
    assert report["completeness"] == pytest.approx(completeness, abs=1e-6)
    assert report["chamfer"] == pytest.approx((accuracy + completeness) / 2, abs=1e-6)
    assert (report["unit"], report["protocol"], report["culling"]) == ("mm", "dtu", "none")
    assert sorted(path.name for path in (tmp_path / "errors").iterdir()) == sorted(FILES)
    progress = capsys.readouterr().err
    for stage in ("reading", "thinning", "distances from", "Chamfer"):
        assert stage in progress


def test_the_masks_of_the_scene_cull_the_mesh(scene: Path, tmp_path: Path) -> None:
    """A small sphere that every photo shows on its masked left half, and a far one that none do."""
    loaded = load_scene(scene)
    near = trimesh.creation.icosphere(2, 0.02)
    far = trimesh.creation.icosphere(3, 0.02)
    far.apply_translation([0, 0, 0.6])
    both = trimesh.util.concatenate([near, far])
    assert isinstance(both, trimesh.Trimesh)
    both.vertices = loaded.to_source.apply(np.asarray(both.vertices))
    both.export(tmp_path / "mesh.ply")
    near.vertices = loaded.to_source.apply(np.asarray(near.vertices))
    near.export(tmp_path / "true.ply")
    words = ["--mesh", tmp_path / "mesh.ply", "--scene", scene, "--samples", 1000]
    words += ["--reference", tmp_path / "true.ply", "--output", tmp_path / "mesh.json"]
    words += ["--absolute-threshold", "0.25"]
    found = {}
    for name in ("none", "neus"):
        assert program("evaluate_mesh")([str(word) for word in [*words, "--culling", name]]) == 0
        found[name] = json.loads((tmp_path / "mesh.json").read_text())
    assert found["none"]["accuracy"] > 0.5
    assert found["neus"]["accuracy"] < 0.01
    assert found["neus"]["culling"] == "neus"
    assert found["neus"]["fscore_threshold"] == 0.25


def test_culling_needs_masks(scene: Path, tmp_path: Path) -> None:
    content = json.loads((scene / "transforms.json").read_text())
    for frame in content["frames"]:
        del frame["mask_path"]
    (scene / "transforms.json").write_text(json.dumps(content))
    trimesh.creation.icosphere(1).export(tmp_path / "mesh.ply")
    words = ["--mesh", tmp_path / "mesh.ply", "--scene", scene, "--culling", "neus"]
    words += ["--reference", tmp_path / "mesh.ply", "--output", tmp_path / "mesh.json"]
    with pytest.raises(InputError, match="culling neus needs masks, and the scene has none"):
        program("evaluate_mesh")([str(word) for word in words])
    assert not (tmp_path / "mesh.json").exists()


def write_known_cameras(scene: Path, folder: Path, to_known: Similarity) -> None:
    """The scene's cameras in another frame, in the layout of DTU."""
    loaded = load_scene(scene)
    cameras = loaded.cameras.transformed(to_known @ loaded.to_source)
    matrices = {}
    for i in range(len(cameras)):
        intrinsics, pose = cameras.intrinsics[i].copy(), np.eye(4)
        intrinsics[:2, 2] -= 0.5
        pose[:3] = cameras.camera_to_world[i]
        matrices[f"world_mat_{i}"] = np.eye(4)
        matrices[f"world_mat_{i}"][:3] = intrinsics @ np.linalg.inv(pose)[:3]
        write_image(folder / "image" / f"{i:06}.png", np.zeros((24, 32, 3), np.uint8))
    np.savez(folder / "cameras_sphere.npz", **matrices)


def test_a_mesh_is_moved_to_its_reference_by_the_known_cameras(
    scene: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to_known = Similarity(10.0, np.eye(3)[[1, 2, 0]], np.array([5.0, 0, -7]))
    write_known_cameras(scene, tmp_path / "known", to_known)
    sphere = trimesh.creation.icosphere(subdivisions=3, radius=2)
    sphere.export(tmp_path / "mesh.ply")
    true = sphere.copy()
    true.vertices = to_known.apply(np.asarray(sphere.vertices) * 1.1)
    true.export(tmp_path / "true.ply")
    words = ["--mesh", tmp_path / "mesh.ply", "--scene", scene, "--samples", 2000]
    words += ["--reference", tmp_path / "true.ply", "--output", tmp_path / "mesh.json"]

    known = ["--known-cameras", tmp_path / "known"]
    assert program("evaluate_mesh")([str(word) for word in words + known]) == 0
    report = json.loads((tmp_path / "mesh.json").read_text())
    assert report["chamfer"] == pytest.approx(2, rel=0.01)
    assert (report["unit"], report["alignment"]["cameras"]) == ("mm", 8)
    assert report["alignment"]["residual"] < 1e-6
    assert "Chamfer 1.99" in capsys.readouterr().err

    assert program("evaluate_mesh")([str(word) for word in words]) == 0
    assert json.loads((tmp_path / "mesh.json").read_text())["chamfer"] > 5


def test_front_is_the_side_that_the_cameras_look_at_where_the_mesh_is_measured(
    scene: Path,
) -> None:
    seen = load_scene(scene)
    up, front = standpoint(seen.cameras)
    turn = Similarity(10.0, np.eye(3)[[1, 2, 0]], np.array([5.0, 0, -7]))
    for alignment, moved in ((None, np.eye(3)), (Alignment(turn, 8, 0.0), turn.rotation)):
        view = viewpoint(seen, alignment)
        assert view is not None
        np.testing.assert_allclose(view.up, moved @ up, atol=1e-9)
        np.testing.assert_allclose(view.front, moved @ front, atol=1e-9)
    assert viewpoint(None, None) is None


def test_a_mesh_without_reference_is_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--mesh", str(tmp_path / "mesh.ply"), "--output", str(tmp_path / "mesh.json")]
    words += ["--errors", str(tmp_path / "errors")]
    assert program("evaluate_mesh")(words) == 0
    report = json.loads((tmp_path / "mesh.json").read_text())
    assert (report["chamfer"], report["reason"]) == (None, "the scan has no reference")
    assert not list((tmp_path / "errors").iterdir())
    assert capsys.readouterr().err == "", "the workflow says it once for all"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--reference a --reference-root b", "exclude each other"),
        ("--reference-root b", "name yours with --scan"),
        ("--reference a --known-cameras c", "give --scene, too"),
        ("--reference a --culling neus", "needs cameras and masks: give --scene, too"),
    ],
)
def test_arguments_that_do_not_go_together(words: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        program("evaluate_mesh")(["--mesh", "m", "--output", str(tmp_path / "o"), *words.split()])
