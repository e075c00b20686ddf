"""The workflow: which jobs are planned, and what a mistake in the configuration says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from neus.images.files import write_video
from tests.helpers.stand_in_programs import (
    AFTER_TRAINING,
    PHOTOS,
    planned,
    snakemake,
    write_config,
    write_photos,
)


def test_the_demo_is_planned_from_nothing(project: Path) -> None:
    assert planned(project) == {
        "make_demo": 1, "estimate_poses": 1, "normalize_scene": 2, "dense_stereo": 2, "train": 2,
        "extract_mesh": 2, "texture_mesh": 2, "render_views": 2, "render_path": 2,
        "evaluate_views": 2, "evaluate_mesh": 2, "results_table": 1, "page": 1, "all": 1,
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
        "extract_mesh": 1, "texture_mesh": 1, "evaluate_mesh": 1, "results_table": 1, "page": 1,
        "all": 1,
    }  # fmt: skip


@pytest.mark.parametrize("keys", [{"faces": 500}, {"texture": 64}, {"formats": ["glb", "obj"]}])
def test_what_is_handed_over_is_made_anew_alone(finished: Path, keys: dict) -> None:
    config = write_config(finished / "handed.yaml", mesh=keys)
    plan = planned(finished, "--configfile", config)
    assert plan == {"texture_mesh": 1, "page": 1, "all": 1}


def test_a_texture_of_the_field_asks_the_model(finished: Path) -> None:
    config = write_config(finished / "field.yaml", mesh={"colours": "field"})
    words = ["--configfile", config, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words).stdout
    assert "--model results/statue/neus/seed0/model.pt --device" in printed
    assert "texture_mesh" in printed
    assert "extract_mesh.py" not in printed


def test_another_level_of_the_surface_reruns_the_mesh_alone(finished: Path) -> None:
    for keys, reruns in (({"surface_distance": 0.01}, True), ({"surface_density": 9}, False)):
        config = write_config(finished / "mesh.yaml", mesh=keys)
        plan = planned(finished, "--configfile", config)
        assert ("extract_mesh" in plan, "train" in plan) == (reruns, False), keys


def test_a_picture_of_all_of_each_view_reruns_the_views(finished: Path) -> None:
    config = write_config(finished / "grids.yaml", evaluation={"grids": True})
    plan = planned(finished, "--configfile", config)
    assert plan == {"render_views": 1, "evaluate_views": 1, "results_table": 1, "page": 1, "all": 1}
    words = ["--configfile", config, "--dry-run", "--printshellcmds"]
    assert "--train-views 8 --grids --output" in snakemake(finished, *words).stdout


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


@pytest.mark.parametrize("kept", [["depth"], ["gif", "pictures"]])
def test_more_of_the_flight_is_kept_where_it_is_asked_for(finished: Path, kept: list[str]) -> None:
    asked = write_config(finished / "depth.yaml", video=dict.fromkeys(kept, True))
    plan = planned(finished, "--configfile", asked)
    assert plan == {"render_path": 1, "page": 1, "all": 1}
    for config, count in ((asked, 1), ("mine.yaml", 0)):
        words = ["--configfile", config, "--dry-run", "--printshellcmds"]
        printed = snakemake(finished, *words, "--forcerun", "render_path").stdout
        for kind in kept:
            assert printed.count(f"--{kind} results/statue") == count, kind


@pytest.mark.parametrize(
    ("side", "device", "jobs", "word"),
    [("auto", "cuda", 0, ""), ("auto", "cpu", 0, "--side 480 "), (200, "cpu", 3, "--side 200 ")],
)
def test_frames_of_a_flight_are_as_large_as_asked(
    finished: Path, side: str | int, device: str, jobs: int, word: str
) -> None:
    """A flight that is there stays as it is, unless a size is named."""
    config = write_config(finished / "side.yaml", video={"side": side}, device=device)
    assert sum(planned(finished, "--configfile", config).values()) == jobs
    words = ["--configfile", config, "--dry-run", "--printshellcmds"]
    printed = snakemake(finished, *words, "--forcerun", "render_path").stdout
    assert f"--path auto {word}--device" in " ".join(printed.split())


def test_a_flight_is_not_smaller_than_a_video_can_be(finished: Path) -> None:
    config = write_config(finished / "side.yaml", video={"side": 8})
    refused = snakemake(finished, "--configfile", config, "--dry-run")
    assert "key video.side, 8 is less than the minimum of 16" in refused.stderr


def test_a_second_seed_and_scan_multiply_the_runs(finished: Path) -> None:
    scans = [PHOTOS, {"name": "sculpture", "source": "demo"}]
    config = write_config(finished / "more.yaml", scans=scans, seeds=[0, 1])
    plan = planned(finished, "--configfile", config)
    assert plan == {
        "make_demo": 1, "normalize_scene": 1, "dense_stereo": 1, "train": 3, "extract_mesh": 3,
        "texture_mesh": 3, "render_views": 3, "render_path": 3, "evaluate_views": 3,
        "evaluate_mesh": 3, "results_table": 1, "page": 1, "all": 1,
    }  # fmt: skip


def test_a_new_photo_reruns_all(finished: Path) -> None:
    write_photos(finished / "my photos", 11)
    plan = planned(finished, "--configfile", "mine.yaml")
    assert plan == {
        "estimate_poses": 1, "normalize_scene": 1, "dense_stereo": 1, "train": 1
    } | AFTER_TRAINING  # fmt: skip


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


def test_a_training_may_start_from_what_another_method_learns(finished: Path) -> None:
    """That comes first, and the program is told of it; a training without is not run again."""
    weights = "{results}/{scan}/neus/seed{seed}/model.pt"
    further = finished / "config" / "methods" / "further.yaml"
    further.write_text(f"training:\n  weights: '{weights}'\n")
    file, scans = finished / "weights.yaml", [PHOTOS, PHOTOS | {"name": "again"}]
    without = planned(finished, "--configfile", write_config(file, scans=scans))
    both = write_config(file, scans=scans, methods=["neus", "further"])
    words = ["--configfile", both, "--dry-run"]
    done = snakemake(finished, *words, "--printshellcmds")
    further.unlink()
    printed = done.stdout + done.stderr
    assert "--weights results/again/neus/seed0/model.pt" in printed
    assert "--weights results/statue/neus/seed0/model.pt" in printed
    trainings = [int(n) for n in re.findall(r"^train +(\d+)$", printed, re.MULTILINE)]
    assert trainings[0] == without["train"] + 2
