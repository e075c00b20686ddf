"""The workflow: which jobs are planned, and what a mistake in the configuration says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
import yaml

from neus.images.files import write_video
from tests.helpers.places import ROOT

PROGRAMS = [
    "make_demo", "extract_frames", "estimate_poses", "normalize_scene", "dense_stereo", "train",
    "extract_mesh", "render_views", "render_path", "evaluate_views", "evaluate_mesh",
    "place_mesh", "results_table", "page",
]  # fmt: skip

STAND_IN = '''
"""Makes what it is asked for, at once; training leaves a mark and fails if told to."""
import os, pathlib, sys

WRITTEN = "--output --errors --metrics --csv --markdown --latex --record".split()
name, flag = pathlib.Path(__file__).stem, None
print(name, "at work")
for word in sys.argv[1:]:
    if word.startswith("--"):
        flag = word
    elif flag == "--run-dir":
        pathlib.Path(word).mkdir(parents=True, exist_ok=True)
        with open(pathlib.Path(word, "attempts"), "a") as file:
            file.write("-")
        if os.environ.get("FAIL"):
            sys.exit("error: stopped half-way")
    elif flag in WRITTEN or (
        flag == "--config" and name == "train"
    ):
        path = pathlib.Path(word) if pathlib.Path(word).suffix else pathlib.Path(word, "content")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
'''


def snakemake(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *words]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True
    )


def planned(folder: Path, *words: str) -> dict[str, int]:
    """The jobs of a dry run, by rule."""
    done = snakemake(folder, "--dry-run", *words)
    assert done.returncode == 0, done.stderr
    if "Nothing to be done" in done.stdout + done.stderr:
        return {}
    table = (done.stdout + done.stderr).split("Job stats:", 1)[1]
    counts = dict(re.findall(r"^(\w+) +(\d+)$", table.split("\n\n", 1)[0], flags=re.MULTILINE))
    del counts["total"]
    return {rule: int(count) for rule, count in counts.items()}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflow with stand-ins for the programs, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp("workflow") / "it's a project"
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "Snakefile", folder)
    (folder / "scripts").mkdir()
    for program in PROGRAMS:
        (folder / "scripts" / f"{program}.py").write_text(STAND_IN)
    return folder


PHOTOS = {"name": "statue", "source": "photos", "path": "my photos"}
AFTER_TRAINING = {
    "extract_mesh": 1, "render_views": 1, "render_path": 1, "evaluate_views": 1,
    "evaluate_mesh": 1, "results_table": 1, "page": 1, "all": 1,
}  # fmt: skip


def write_config(path: Path, **keys: object) -> str:
    path.write_text(yaml.safe_dump({"scans": [PHOTOS], "methods": ["neus"]} | keys))
    return path.name


def write_photos(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03}.png"), rng.integers(0, 255, (24, 32, 3), np.uint8))


@pytest.fixture(scope="module")
def finished(project: Path) -> Path:
    """The project after a run on photos whose first attempt failed in the training."""
    write_photos(project / "my photos", 10)
    config = write_config(project / "mine.yaml")
    failed = snakemake(project, "--configfile", config, FAIL="1")
    assert failed.returncode != 0
    assert "error: stopped half-way" in failed.stdout
    done = snakemake(project, "--configfile", config)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("results_table at work"), "what it prints comes last"
    return project


def test_the_demo_is_planned_from_nothing(project: Path) -> None:
    assert planned(project) == {
        "make_demo": 1, "estimate_poses": 1, "normalize_scene": 2, "dense_stereo": 2, "train": 2,
        "extract_mesh": 2, "render_views": 2, "render_path": 2, "evaluate_views": 2,
        "evaluate_mesh": 2, "results_table": 1, "page": 1, "all": 1,
    }  # fmt: skip


def test_stereo_is_made_of_the_scene_alone(project: Path) -> None:
    plan = planned(project, "results/sculpture/stereo")
    assert plan == {"make_demo": 1, "normalize_scene": 1, "dense_stereo": 1}


def test_a_video_is_cut_into_photos_first(project: Path) -> None:
    write_video(project / "walk.mp4", [np.full((48, 64, 3), 40 * i, np.uint8) for i in range(4)])
    scans = [PHOTOS | {"path": "walk.mp4"}]
    config = write_config(project / "video.yaml", scans=scans)
    plan = planned(project, "--configfile", config)
    assert plan["extract_frames"] == plan["estimate_poses"] == plan["normalize_scene"] == 1
    config = write_config(project / "video.yaml", scans=scans, poses={"frames": 7})
    printed = snakemake(project, "--configfile", config, "--dry-run", "--printshellcmds").stdout
    assert "--count 7" in printed
    assert "--pairing sequential" in printed


def test_a_failed_training_keeps_its_checkpoints(finished: Path) -> None:
    run = finished / "results" / "statue" / "neus" / "seed0"
    assert (run / "run" / "attempts").read_text() == "--"
    assert (run / "logs" / "train.log").read_text() == "train at work\n"


def test_nothing_is_done_twice(finished: Path) -> None:
    for photo in (finished / "my photos").iterdir():
        photo.touch()
    assert planned(finished, "--configfile", "mine.yaml") == {}
    config = write_config(finished / "device.yaml", device="cpu")
    assert planned(finished, "--configfile", config, "--cores", "1") == {}


def test_a_training_key_reruns_training_and_what_follows(finished: Path) -> None:
    config = write_config(finished / "steps.yaml", overrides={"training": {"steps": 7}})
    assert planned(finished, "--configfile", config) == {"train": 1} | AFTER_TRAINING


def test_the_resolution_of_the_mesh_reruns_the_mesh_and_its_figures(finished: Path) -> None:
    config = write_config(finished / "mesh.yaml", mesh={"resolution": 64})
    assert planned(finished, "--configfile", config) == {
        "extract_mesh": 1, "evaluate_mesh": 1, "results_table": 1, "page": 1, "all": 1,
    }  # fmt: skip


def test_meshes_that_exist_are_placed_measured_and_shown(finished: Path) -> None:
    """And nothing of what was trained is made again."""
    for name in ("statue", "sculpture"):
        (finished / "others").mkdir(exist_ok=True)
        (finished / "others" / f"{name}.ply").write_text("ply")
    meshes = [{"name": "theirs", "path": "others/{scan}.ply", "method": "Their method"}]
    config = write_config(finished / "others.yaml", meshes=meshes)
    counts = {"place_mesh": 1, "evaluate_given_mesh": 1, "results_table": 1, "page": 1, "all": 1}
    assert planned(finished, "--configfile", config) == counts
    words = ["--configfile", config, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words).stdout
    assert "--mesh others/statue.ply" in printed
    files = [f"results/statue/meshes/theirs/{name}.json" for name in ("mesh-none", "placed")]
    assert "--meshes 'statue,Their method," + ",".join(files) in printed


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"path": "others/absent.ply"}, "scan statue, mesh theirs: others/absent.ply does not"),
        ({"method": "neus"}, "the name of a method that is trained here, neus"),
        ({"scans": ["bust"]}, "meshes, theirs: there is no scan bust, but statue"),
        ({"frame": "sphere"}, "expected a source that states one"),
        ({"frame": {"similarity": [[1], [2], [3], [4]]}}, "four rows of four numbers"),
        ({"frame": "object"}, "frame"),
        ({"colour": "red"}, "unknown key colour"),
    ],
)
def test_a_mesh_that_cannot_be_placed_is_named_before_any_job(
    finished: Path, changed: dict, message: str
) -> None:
    mesh = {"name": "theirs", "path": "mine.yaml"} | changed
    config = write_config(finished / "others.yaml", meshes=[mesh])
    done = snakemake(finished, "--configfile", config, "--dry-run")
    assert done.returncode == 1
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_budget_is_laid_over_the_method_and_its_mesh(finished: Path) -> None:
    """The laptop's is what the method has anyhow; a resolution that is given counts more."""
    laptop = write_config(finished / "laptop.yaml", budget="laptop")
    assert planned(finished, "--configfile", laptop) == {}
    card = write_config(finished / "card.yaml", budget="card")
    assert planned(finished, "--configfile", card) == {"train": 1} | AFTER_TRAINING
    words = ["--configfile", card, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words).stdout
    assert "config/budgets/card.yaml" in printed
    assert "--resolution 1024" in printed
    card = write_config(finished / "card.yaml", budget="card", mesh={"resolution": 64})
    assert "--resolution 64" in snakemake(finished, *words).stdout
    wrong = write_config(finished / "wrong.yaml", budget="desktop")
    done = snakemake(finished, "--configfile", wrong, "--dry-run")
    assert done.returncode == 1
    assert "desktop.yaml does not exist: the budgets are card, laptop, paper" in done.stderr


def test_a_run_begun_on_a_card_goes_on_with_its_budget_without_one(finished: Path) -> None:
    record = finished / "results" / "statue" / "neus" / "seed0" / "run" / "budget"
    record.write_text("card\n")
    auto = write_config(finished / "auto.yaml", budget="auto", device="cpu")
    words = ["--configfile", auto, "--dry-run", "--printshellcmds"]
    assert "config/budgets/card.yaml" in snakemake(finished, *words).stdout
    record.unlink()
    assert planned(finished, "--configfile", auto) == {}, "the laptop's is what it was made with"


def test_views_that_are_held_out_apart_have_a_training_of_their_own(finished: Path) -> None:
    """And the surface another one, as it learns from more images."""
    config = write_config(finished / "apart.yaml", evaluation={"held_out": "apart"})
    plan = planned(finished, "--configfile", config)
    assert plan == {"train": 1, "train_held_out": 1} | AFTER_TRAINING
    nothing = [PHOTOS | {"holdout": 0}]
    config = write_config(finished / "all.yaml", evaluation={"held_out": "apart"}, scans=nothing)
    assert "train_held_out" not in planned(finished, "--configfile", config)


def test_another_text_of_a_command_reruns_nothing(finished: Path) -> None:
    rule = finished / "workflow" / "rules" / "train.smk"
    before = rule.read_text()
    rule.write_text(before.replace("--seed {wildcards.seed}", "--seed {wildcards.seed} --new"))
    assert planned(finished, "--configfile", "mine.yaml") == {}
    rule.write_text(before.replace("MODEL_VERSION = 1", "MODEL_VERSION = 2"))
    assert planned(finished, "--configfile", "mine.yaml") == {"train": 1} | AFTER_TRAINING
    rule.write_text(before)


def test_a_method_that_rests_on_stereo_waits_for_it(finished: Path) -> None:
    """And one that does not is not trained again."""
    losses = {"surface": [0.3, 1.0, 0.0, 0.6]}
    scans = [PHOTOS, PHOTOS | {"name": "again", "overrides": {"training": {"losses": losses}}}]
    config = write_config(finished / "stereo.yaml", scans=scans)
    plan = planned(finished, "--configfile", config)
    assert (plan["dense_stereo"], plan["train"]) == (1, 1)
    words = ["--configfile", config, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words).stdout
    assert "--stereo results/again/stereo" in printed
    assert "--stereo results/statue/stereo" not in printed


def test_a_second_seed_and_scan_multiply_the_runs(finished: Path) -> None:
    scans = [PHOTOS, {"name": "sculpture", "source": "demo"}]
    config = write_config(finished / "more.yaml", scans=scans, seeds=[0, 1])
    plan = planned(finished, "--configfile", config)
    assert plan == {
        "make_demo": 1, "normalize_scene": 1, "train": 3, "extract_mesh": 3, "render_views": 3,
        "render_path": 3, "evaluate_views": 3, "evaluate_mesh": 3, "results_table": 1,
        "page": 1, "all": 1,
    }  # fmt: skip


def test_a_new_photo_reruns_all(finished: Path) -> None:
    write_photos(finished / "my photos", 11)
    plan = planned(finished, "--configfile", "mine.yaml")
    assert plan == {"estimate_poses": 1, "normalize_scene": 1, "train": 1} | AFTER_TRAINING


def test_a_mistake_is_one_sentence_before_any_job(project: Path) -> None:
    config = write_config(project / "wrong.yaml", scans=[PHOTOS | {"path": "nowhere"}])
    done = snakemake(project, "--configfile", config)
    assert done.returncode == 1
    assert (
        done.stderr.rstrip().splitlines()[-1].startswith("error: scan statue: the folder nowhere")
    )
    assert "Traceback" not in done.stderr
    assert "rule" not in done.stdout + done.stderr


def test_mistakes_in_keys_and_in_files_are_said_in_one_round(project: Path) -> None:
    scans = [PHOTOS | {"path": "nowhere", "downscal": 2}, {"name": "b", "source": "dtu"}]
    config = write_config(project / "wrong.yaml", scans=scans, sees=[1])
    done = snakemake(project, "--configfile", config, "--dry-run")
    assert done.returncode == 1
    said = done.stderr[done.stderr.index("error: ") :].splitlines()
    assert said[0] == "error: 4 things are missing or wrong:"
    for sentence in (
        "  config: scan statue, unknown key downscal: did you mean downscale?",
        "  config: scan b, the key path is missing",
        "  config: unknown key sees: did you mean seeds?",
        "  scan statue: the folder nowhere does not exist: correct the key path",
    ):
        assert sentence in said
