"""A program of others from export to table: its mesh in the frame of the source, by the export's
similarity alone; its views; and what it does not leave."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import trimesh

from neus.images import read_image
from neus.images.files import write_image
from neus.metrics.geometry import load_surface
from neus.scene import load_scene
from neus.sources import read_source
from tests.helpers.small_scenes import program, small_scene

PROGRAM = """
import json, pathlib, sys
import numpy as np, trimesh
read, write, moved = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3:]
export = json.loads((read / "export.json").read_text())
ball = trimesh.creation.icosphere(3, 0.5)
if moved:  # into a frame of its own, as programs do that recentre their cameras
    matrix = np.array([[0, -3, 0, 1], [3, 0, 0, 2], [0, 0, 3, 3], [0, 0, 0, 1.0]])
    ball.apply_transform(np.linalg.inv(matrix))
    (write / "similarity.json").write_text(json.dumps(matrix.tolist()))
ball.export(write / "mesh.ply")
"""
RUN = Path("statue", "theirs", "seed0")


def export(folder: Path, layout: str, images: str, frame: str = "scene") -> Path:
    name = folder / f"{layout}-{frame}-{images}"
    words = ["--scene", folder / "statue" / "scene", "--format", layout, "--images", images]
    words += ["--frame", frame, "--output", name]
    assert program("export_scene")([str(word) for word in words]) == 0
    return name


def run(folder: Path, read: Path, command: str, place: Path = RUN) -> dict[str, Any]:
    words = ["--name", "theirs", "--command", command, "--input", read, "--scan", "statue"]
    words += ["--outcome", folder / place / "outcome.json", "--output", folder / place / "left"]
    assert program("run_external")([*map(str, words), "--device", "cpu"]) == 0
    return json.loads((folder / place / "outcome.json").read_text())


def take(folder: Path, read: Path, *words: str) -> dict[str, Any]:
    place = folder / RUN
    given = ["--scene", folder / "statue" / "scene", "--export", read, "--left", place / "left"]
    given += ["--outcome", place / "outcome.json", "--folder", place]
    given += ["--figures", place / "train.json", "--output", place / "taken.json"]
    assert program("take_external")([*map(str, given), *words]) == 0
    return json.loads((place / "taken.json").read_text())


def evaluate(folder: Path) -> None:
    place, scene = folder / RUN, folder / "statue" / "scene"
    common = ["--taken", place / "taken.json", "--scene", scene, "--output"]
    words = ["--mesh", place / "mesh.ply", *common, place / "mesh-none.json"]
    words += ["--reference", folder / "true.ply", "--samples", 2000]
    assert program("evaluate_mesh")([str(word) for word in words]) == 0
    words = ["--views", place / "views", *common, place / "views.json"]
    assert program("evaluate_views")([str(word) for word in words]) == 0


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scan with the true surface, 2 % larger than the program's, and the program."""
    scene = load_scene(small_scene(tmp_path / "statue" / "scene"))
    ball = trimesh.creation.icosphere(3, 0.51)
    ball.vertices = scene.to_source.apply(np.asarray(ball.vertices))
    ball.export(tmp_path / "true.ply")
    (tmp_path / "theirs.py").write_text(PROGRAM)
    return tmp_path


def test_a_mesh_comes_back_into_the_source_and_into_the_table(folder: Path) -> None:
    scene = load_scene(folder / "statue" / "scene")
    read = export(folder, "dtu", "all")
    command = f"{sys.executable} {folder}/theirs.py {{input}} {{output}}"
    outcome = run(folder, read, command)
    assert (outcome["reason"], outcome["command"]) == (None, command)
    taken = take(folder, read)
    assert taken["mesh_reason"] is None
    assert (taken["images_train"], taken["masks"]) == (8, True)
    ball = np.asarray(trimesh.creation.icosphere(3, 0.5).vertices)
    placed = load_surface(folder / RUN / "mesh.ply")
    np.testing.assert_allclose(placed.vertices, scene.to_source.apply(ball), atol=1e-5)
    assert (folder / RUN / "mesh.glb").read_bytes()[:4] == b"glTF"

    evaluate(folder)
    report = json.loads((folder / RUN / "mesh-none.json").read_text())
    assert report["chamfer"] == pytest.approx(0.01 * 3, rel=0.05)
    words = [str(folder), "--csv", str(folder / "t.csv"), "--markdown", str(folder / "t.md")]
    assert program("results_table")(words) == 0
    row = pd.read_csv(folder / "t.csv").iloc[0]
    assert (row["method"], row["origin"], row["images_train"]) == ("theirs", "run here", 8)
    assert row["seconds"] == pytest.approx(outcome["seconds"])
    assert "theirs (run here)" in (folder / "t.md").read_text()


@pytest.mark.parametrize("frame", ["scene", "source"])
def test_a_program_that_moves_the_cameras_is_followed(folder: Path, frame: str) -> None:
    """The ball is 0.5 in whatever frame the cameras have."""
    read = export(folder, "nerfstudio", "train", frame)
    run(folder, read, f"{sys.executable} {folder}/theirs.py {{input}} {{output}} moved")
    take(folder, read)
    ball = np.asarray(trimesh.creation.icosphere(3, 0.5).vertices)
    to_source = load_scene(folder / "statue" / "scene").to_source
    expected = to_source.apply(ball) if frame == "scene" else ball
    placed = load_surface(folder / RUN / "mesh.ply").vertices
    np.testing.assert_allclose(placed, expected, atol=1e-5)


def test_its_views_are_measured_under_the_names_of_the_images(folder: Path) -> None:
    read = export(folder, "nerfstudio", "split")
    assert json.loads((read / "export.json").read_text())["test"] == ["000", "004"]
    pictures = folder / "pictures"
    for number, grey in ((1, 110), (2, 90)):  # photos are 100 in their left half, white beside it
        picture = np.full((24, 32, 3), 255, np.uint8)
        picture[:, :16] = grey
        write_image(pictures / f"{number}.png", picture)
    run(folder, read, f"cp -r {pictures} {{output}}/renders; cp {folder}/true.ply mesh.ply")
    take(folder, read, "--views", "renders", "--background", "white")
    assert read_image(folder / RUN / "views" / "004.png")[0, 0, 0] == 90
    evaluate(folder)
    report = json.loads((folder / RUN / "views.json").read_text())
    assert report["psnr_masked"] == pytest.approx(-20 * np.log10(10 / 255))
    assert report["psnr"] == pytest.approx(report["psnr_masked"] + 10 * np.log10(2))
    assert (report["mask_iou"], report["background"]) == (None, "white")
    assert (report["images_train"], report["images_test"]) == (6, 2)

    write_image(pictures / "2.png", np.zeros((12, 16, 3), np.uint8))
    (folder / RUN / "left" / "renders" / "2.png").write_bytes((pictures / "2.png").read_bytes())
    taken = take(folder, read, "--views", "renders")
    assert taken["views_reason"] == "2.png has 16x12 pixels, and the image it is of 32x24"
    assert not (folder / RUN / "views").exists()


def test_views_of_a_run_apart_are_that_runs(folder: Path) -> None:
    """The surface is of all images; the second run never saw those that its views are of."""
    whole, split = export(folder, "colmap-text", "all"), export(folder, "colmap-text", "split")
    run(folder, whole, f"cp {folder}/true.ply mesh.ply")
    picture = "{input}/images/001.png"
    words = f"mkdir renders; cp {picture} renders/000.png; cp {picture} renders/004.png"
    run(folder, split, words, RUN / "held-out")
    place = folder / RUN / "held-out"
    apart = ["--held-out", place / "left", "--held-out-outcome", place / "outcome.json"]
    apart += ["--held-out-export", split]
    taken = take(folder, whole, "--views", "renders", *map(str, apart))
    assert (taken["mesh_reason"], taken["views_reason"]) == (None, None)
    assert (taken["images_train"], taken["images_train_views"]) == (8, 6)


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("/nowhere/train {input}", "theirs was not run: bash: line 1: /nowhere/train: No such"),
        ("echo out of luck; exit 1", "theirs failed (exit status 1): out of luck"),
        ("echo done", "theirs left no mesh (nothing matches mesh.* in its folder)"),
        ("echo ply > mesh.ply", "theirs mesh.ply: cannot be read as a mesh"),
    ],
)
def test_what_is_missing_is_a_sentence_in_the_table(
    folder: Path, command: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what an earlier run left is taken away."""
    read = export(folder, "dtu", "train")
    (folder / RUN).mkdir(parents=True)
    (folder / RUN / "mesh.ply").write_text("of an earlier run")
    run(folder, read, command)
    assert take(folder, read)["mesh_reason"].startswith(reason)
    assert not (folder / RUN / "mesh.ply").exists()
    evaluate(folder)
    assert program("results_table")([str(folder), "--markdown", str(folder / "t.md")]) == 0
    for table in ((folder / "t.md").read_text(), capsys.readouterr().out):
        assert f"No distances: {reason}" in table
    cost = json.loads((folder / RUN / "train.json").read_text())
    assert (cost["train_seconds"] is None) == ("mesh" not in command and "done" not in command)


def test_a_mesh_that_cannot_be_measured_is_a_sentence_too(folder: Path) -> None:
    read = export(folder, "dtu", "train")
    flat = "v 0 0 0\\nv 1 0 0\\nv 2 0 0\\nf 1 2 3\\n"
    run(folder, read, f"printf '{flat}' > mesh.obj")
    assert take(folder, read)["mesh_reason"] is None
    evaluate(folder)
    report = json.loads((folder / RUN / "mesh-none.json").read_text())
    assert report["reason"].startswith("theirs: the mesh has no area")
    assert report["chamfer"] is None


def test_images_that_are_held_out_are_not_in_the_export_at_all(folder: Path) -> None:
    """Nor masks, where the program is to have none."""
    read = export(folder, "dtu", "train")
    scene = read_source("dtu", read, masks="auto", model=None, report=lambda line: None).scene
    assert len(scene.frames) == 6
    assert json.loads((read / "export.json").read_text())["test"] == []
    words = ["--scene", str(folder / "statue" / "scene"), "--format", "dtu", "--without-masks"]
    assert program("export_scene")([*words, "--output", str(folder / "bare")]) == 0
    assert not (folder / "bare" / "mask").exists()


def test_programs_that_start_from_points_get_some(folder: Path) -> None:
    """In the sphere, where the scene has none."""
    words = ["--scene", str(folder / "statue" / "scene"), "--format", "colmap-text"]
    words += ["--frame", "scene", "--random-points", "500", "--output", str(folder / "points")]
    assert program("export_scene")(words) == 0
    scene = read_source(
        "colmap", folder / "points", masks="auto", model=None, report=lambda line: None
    ).scene
    radii = np.linalg.norm(scene.points, axis=1)
    assert len(radii) == 500
    assert radii.max() <= 1
    assert np.mean(radii < 0.5) == pytest.approx(1 / 8, abs=0.05), "as dense in the middle"
