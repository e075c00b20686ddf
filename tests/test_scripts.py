"""The programs: help for all, and the figures that the evaluating ones write."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import trimesh

from neus.cameras import Cameras, look_at
from neus.cli import run
from neus.config import load_method, method_as_yaml
from neus.errors import InputError
from neus.images import write_image
from neus.scene import Frame, Scene, load_scene, write_transforms
from neus.similarity import Similarity

SCRIPTS = Path(__file__).parents[1] / "scripts"


def program(name: str) -> Callable[[list[str]], int]:
    return runpy.run_path(str(SCRIPTS / f"{name}.py"))["main"]


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_program_explains_itself(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        program(path.stem)(["--help"])
    assert end.value.code == 0
    assert "--output" in capsys.readouterr().out or path.stem == "results_table"


def test_bad_input_is_one_sentence_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        raise InputError("photos holds no image: add some")

    with pytest.raises(SystemExit) as end:
        run(refuse)
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: photos holds no image: add some\n"
    with pytest.raises(SystemExit) as end:
        run(lambda: 0)
    assert end.value.code == 0


@pytest.fixture
def scene(tmp_path: Path) -> Path:
    """Eight grey photos with masks of their left half, two held out; 3 mm to the scene's unit."""
    folder = tmp_path / "scene"
    centres = np.random.default_rng(0).normal(size=(8, 3))
    centres *= 3 / np.linalg.norm(centres, axis=1, keepdims=True)
    poses = np.stack([look_at(c, np.zeros(3), np.array([0.1, 0.2, 1])) for c in centres])
    intrinsics = np.tile(np.array([[40.0, 0, 16], [0, 40, 12], [0, 0, 1]]), (8, 1, 1))
    frames = tuple(
        Frame(f"{i:03}", folder / "images" / f"{i:03}.png", folder / "masks" / f"{i:03}.png")
        for i in range(8)
    )
    mask = np.zeros((24, 32), np.uint8)
    mask[:, :16] = 255
    for frame in frames:
        write_image(frame.image, np.full((24, 32, 3), 100, np.uint8))
        assert frame.mask is not None
        write_image(frame.mask, mask)
    cameras = Cameras(intrinsics, poses, np.full(8, 32), np.full(8, 24))
    to_source = Similarity(3.0, np.eye(3), np.array([1.0, 2, 3]))
    no_points = np.zeros((0, 3))
    write_transforms(
        Scene(frames, cameras, to_source, "mm", (0, 4), no_points, no_points.astype(np.uint8)),
        folder,
    )
    return folder


def write_rendering(folder: Path, name: str, grey: int) -> None:
    """Grey on the left, white on the right."""
    image = np.full((24, 32, 3), 255, np.uint8)
    image[:, :16] = grey
    write_image(folder / f"{name}.png", image)
    (folder / "depth").mkdir(parents=True, exist_ok=True)
    opacity = np.zeros((24, 32), np.float32)
    opacity[:, :16] = 1
    np.savez(folder / "depth" / f"{name}.npz", depth=opacity, opacity=opacity)


def test_views_are_measured_over_the_background_of_the_method(scene: Path, tmp_path: Path) -> None:
    write_rendering(tmp_path / "views", "000", 110)
    write_rendering(tmp_path / "views", "004", 101)
    config, output = tmp_path / "config.yaml", tmp_path / "views.json"
    words = ["--views", tmp_path / "views", "--scene", scene, "--config", config]
    words = [*map(str, words), "--output", str(output)]

    config.write_text(method_as_yaml(load_method()))
    assert program("evaluate_views")(words) == 0
    report = json.loads(output.read_text())
    errors = np.array([10, 1]) / 255
    assert report["psnr_masked"] == pytest.approx(np.mean(-20 * np.log10(errors)))
    assert report["psnr"] == pytest.approx(np.mean(-20 * np.log10(errors / np.sqrt(2))))
    assert report["mask_iou"] == 1
    assert (report["images_train"], report["images_test"]) == (6, 2)
    assert list(report["views"]) == ["000", "004"]

    without_masks = {"training": {"losses": {"mask": 0.0}}}
    config.write_text(method_as_yaml(load_method(overrides=without_masks)))
    assert program("evaluate_views")(words) == 0
    assert json.loads(output.read_text())["psnr"] < 8, "the photo's own right half is not white"


def test_views_that_are_missing_are_named(scene: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(method_as_yaml(load_method()))
    words = ["--views", tmp_path, "--scene", scene, "--config", config, "--output", tmp_path / "o"]
    with pytest.raises(InputError, match=r"depth/000\.npz does not exist: run render_views"):
        program("evaluate_views")([str(word) for word in words])
    assert not (tmp_path / "o").exists()


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
    assert capsys.readouterr().err.startswith("Chamfer ")

    assert program("evaluate_mesh")([str(word) for word in words]) == 0
    assert json.loads((tmp_path / "mesh.json").read_text())["chamfer"] > 5


def test_a_mesh_without_reference_is_not_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--mesh", str(tmp_path / "mesh.ply"), "--output", str(tmp_path / "mesh.json")]
    assert program("evaluate_mesh")(words) == 0
    assert json.loads((tmp_path / "mesh.json").read_text())["chamfer"] is None
    assert capsys.readouterr().err == "not measured: the scan has no reference\n"


def test_the_table_is_written_three_times_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"views": {"psnr": 25.0}, "mesh": {"chamfer": 0.5, "unit": "mm"}, "train": {}}
    for name, content in figures.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = ",".join(str(tmp_path / f"{name}.json") for name in figures)
    words = ["--runs", f"a,neus,0,{files}", f"b,neus,0,{files}"]
    for option, suffix in [("--csv", "csv"), ("--markdown", "md"), ("--latex", "tex")]:
        words += [option, str(tmp_path / f"table.{suffix}")]
    assert program("results_table")(words) == 0
    scans = [line.split(",")[0] for line in (tmp_path / "table.csv").read_text().splitlines()]
    assert scans == ["scan", "a", "b", "mean"]
    assert "25.00" in (tmp_path / "table.md").read_text()
    assert "toprule" in (tmp_path / "table.tex").read_text()
    assert capsys.readouterr().out.splitlines()[2].startswith("a")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ("--reference a --reference-root b", "exclude each other"),
        ("--reference-root b", "name yours with --scan"),
        ("--reference a --known-cameras c", "give --scene, too"),
    ],
)
def test_arguments_that_do_not_go_together(words: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=sentence):
        program("evaluate_mesh")(["--mesh", "m", "--output", str(tmp_path / "o"), *words.split()])
