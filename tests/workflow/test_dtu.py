"""The DTU benchmark from one command: what is planned, what is missing, and all of it in small."""

from __future__ import annotations

import json
import math
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from tests.helpers.fifteen_scans import (
    CONFIG,
    NUMBERS,
    load_config,
    make_procedural_scans,
    write_stand_ins,
)
from tests.helpers.places import ROOT
from tests.helpers.warm_programs import warm_environment, warm_python


def snakemake(
    folder: Path, *words: str, python: tuple[str, ...] | None = None
) -> subprocess.CompletedProcess[str]:
    command = [*(python or warm_python()), "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    command += ["--cores", "2", "--directory", str(folder), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def planned(folder: Path, *words: str) -> dict[str, int]:
    done = snakemake(folder, "--dry-run", "--configfile", str(CONFIG), *words)
    assert done.returncode == 0, done.stderr
    table = (done.stdout + done.stderr).split("Job stats:", 1)[1]
    counts = dict(re.findall(r"^(\w+) +(\d+)$", table.split("\n\n", 1)[0], flags=re.MULTILINE))
    return {rule: int(count) for rule, count in counts.items()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("benchmark")
    write_stand_ins(folder)
    return folder


def test_the_fifteen_scans_of_both_releases_are_planned(folder: Path) -> None:
    """With two methods, every mesh measured by three cullings, and held-out views apart."""
    assert planned(folder) == {
        "normalize_scene": 15, "dense_stereo": 15, "dense_stereo_held_out": 15, "train": 30,
        "train_held_out": 30, "extract_mesh": 30, "texture_mesh": 30, "render_views": 30,
        "render_path": 30, "evaluate_views": 30, "evaluate_mesh": 90, "results_table": 1, "page": 1,
        "all": 1, "total": 348,
    }  # fmt: skip


@pytest.mark.parametrize("only", ["scan65", "[scan65]"])
def test_one_scan_of_them_is_planned_alone(folder: Path, only: str) -> None:
    plan = planned(folder, "--config", f"only={only}")
    assert (plan["normalize_scene"], plan["train"], plan["evaluate_mesh"]) == (1, 2, 6)


def test_surfaces_learn_from_all_views_and_held_out_views_from_the_others(folder: Path) -> None:
    """How many these are, of 49, tests/scripts/test_held_out.py counts."""
    words = ["--dry-run", "--printshellcmds", "--configfile", str(CONFIG)]
    printed = snakemake(folder, *words, "--config", "only=scan65").stdout
    trainings = re.findall(r"scripts/train\.py.*--output (\S+)", printed)
    whole = re.findall(r"scripts/train\.py.*--learn-from all.*--output (\S+)", printed)
    of_methods = {f"results/scan65/{method}/seed0" for method in ("neus", "neus-mask")}
    assert set(whole) == {f"{run}/model.pt" for run in of_methods}
    assert set(trainings) - set(whole) == {f"{run}/held-out/model.pt" for run in of_methods}
    for run in of_methods:
        views = f"--model {run}/model.pt .* --held-out-model {run}/held-out/model.pt .*{run}/views"
        assert re.search(rf"scripts/render_views\.py.*{views}", printed)


def test_a_scan_that_is_not_there_is_named(folder: Path) -> None:
    words = ["--dry-run", "--configfile", str(CONFIG), "--config", "only=scan66"]
    done = snakemake(folder, *words)
    assert done.returncode == 1
    assert "error: config: key only: there is no scan scan66, but scan24" in done.stderr


def test_all_that_is_missing_is_said_at_once_before_anything_runs(tmp_path: Path) -> None:
    write_stand_ins(tmp_path)
    data, root = tmp_path / "data" / "dtu", tmp_path / "data" / "dtu_reference"
    missing = [
        data / "scan37",
        root / "Points" / "stl" / "stl065_total.ply",
        root / "ObsMask" / "ObsMask65_10.mat",
        root / "ObsMask" / "Plane122.mat",
    ]
    missing[0].rename(tmp_path / "elsewhere")
    in_scan105 = [data / "scan105" / "cameras.npz", data / "scan105" / "mask" / "002.png"]
    for path in [*missing[1:], *in_scan105]:
        path.unlink()
    done = snakemake(tmp_path, "--configfile", str(CONFIG))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: 6 things are missing or wrong:" in done.stderr
    for path in missing:
        assert str(path.relative_to(tmp_path)) in done.stderr
    assert "no mask for 1 of 3 images (000002.png)" in done.stderr
    assert "data/dtu/scan105: found no file of cameras" in done.stderr
    assert not (tmp_path / "results").exists()


def test_without_reference_files_the_reason_is_said_once(tmp_path: Path) -> None:
    write_stand_ins(tmp_path)
    (tmp_path / "data" / "dtu_reference").rename(tmp_path / "elsewhere")
    done = snakemake(tmp_path, "--dry-run", "--configfile", str(CONFIG))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("warning: the folder of the reference") == 1
    assert "scan24, scan37" in done.stderr
    assert planned(tmp_path)["evaluate_mesh"] == 30


@pytest.mark.slow
def test_fifteen_tiny_scans_yield_both_tables(tmp_path: Path) -> None:
    make_procedural_scans(tmp_path)
    config = load_config()
    for scan in config["scans"][1:]:  # three cullings of one scan are enough, and stereo of one
        scan["reference"]["culling"] = ["none"]
        scan["overrides"] = {"training": {"losses": {"surface": 0.0, "free_space": 0.0}}}
    grid = {"levels": 6, "log2_entries": 12, "finest_resolution": 128}
    model = {"hash_grid": grid, "marching": {"occupancy_resolution": 48}}
    training = {"steps": 20, "samples": 2048, "uniform_samples": 128, "validations": 0}
    config |= {
        "methods": ["neus-mask"],
        "device": "cpu",
        "mesh": {"resolution": 24, "texture": 256},
        "video": {"frames": 2},
        "evaluation": {"train_views": 2, "held_out": "same"},  # apart: test_end_to_end
        "overrides": {"model": model, "training": training},
    }
    (tmp_path / "tiny.json").write_text(json.dumps(config))
    python = (str(warm_environment(tmp_path / "warm")),)
    done = snakemake(tmp_path, "--configfile", str(tmp_path / "tiny.json"), python=python)
    assert done.returncode == 0, done.stdout + done.stderr

    rows = pd.read_csv(tmp_path / "results" / "table.csv")
    runs = [row for row in rows.to_dict("records") if row["scan"] != "mean"]
    assert {run["scan"] for run in runs} == {f"scan{number}" for number in NUMBERS}
    assert len(runs) == len(NUMBERS) + 2
    for run in runs:
        counts = [run[f"images_{name}"] for name in ("train", "train_views", "test")]
        assert counts == [7, 7, 1]
        for figure in ("psnr", "psnr_train", "accuracy", "completeness"):
            assert math.isfinite(run[figure]), (run["scan"], figure)
    for suffix in ("md", "tex"):
        text = (tmp_path / "results" / f"table.{suffix}").read_text()
        for words in ("GeoSVR", "neus-mask (ours)", "neuralwarp", "PSNR of training views"):
            assert words in text
        assert "7 of 8 images" in text
    printed = (tmp_path / "results" / "table.log").read_text()
    assert max(map(len, printed.splitlines())) <= 120
    folder = tmp_path / "results" / "scan24" / "neus-mask" / "seed0"
    assert (tmp_path / "results" / "scan24" / "stereo" / "fused.ply").stat().st_size > 0
    for name in ("errors-none/accuracy.png", "errors-neus/completeness.ply", "path.mp4"):
        assert (folder / name).stat().st_size > 0
