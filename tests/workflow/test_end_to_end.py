"""The whole chain on a tiny scan, and a training that is killed half-way."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from tests.helpers.places import ROOT
from tests.helpers.warm_programs import warm_python

METHOD = {
    "model": {
        "hash_grid": {"levels": 6, "log2_entries": 12, "finest_resolution": 128},
        "marching": {"occupancy_resolution": 64},
    },
    "training": {"steps": 120, "samples": 2048, "uniform_samples": 128, "validations": 1},
}


def snakemake(folder: Path, *arguments: str) -> str:
    """Run the workflow on the tiny configuration and return what it printed."""
    command = [sys.executable, "-m", "snakemake", "-s", str(ROOT / "Snakefile"), "--cores", "2"]
    command += ["--configfile", str(folder / "tiny.yaml"), "--directory", str(folder), *arguments]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout + ran.stderr


@pytest.mark.slow
def test_from_nothing_to_the_table(tmp_path: Path):
    reference = {"kind": "mesh", "path": "{results}/demo/tiny/reference/mesh.ply"}
    scan = {
        "name": "tiny",
        "source": "demo",
        "demo": {"views": 8, "width": 64, "height": 48},
        "reference": reference,
        "overrides": METHOD,
    }
    config = {
        "scans": [scan],
        "device": "cpu",
        "mesh": {"resolution": 32},
        "video": {"frames": 4},
        "evaluation": {"samples": 2000, "held_out": "apart"},
    }
    (tmp_path / "tiny.yaml").write_text(json.dumps(config))
    printed = snakemake(tmp_path)
    assert "PSNR" in printed  # the table stands at the end
    run = tmp_path / "results" / "tiny" / "neus-mask" / "seed0"
    for name in ("mesh.ply", "mesh.glb", "path.mp4", "config.yaml", "views/000000.png"):
        assert (run / name).stat().st_size > 0, name
    for stereo in ("stereo", "stereo-held-out"):
        assert (tmp_path / "results" / "tiny" / stereo / "fused.ply").stat().st_size > 0
    table = pd.read_csv(tmp_path / "results" / "table.csv")
    row = table[table["scan"] == "tiny"].iloc[0]
    assert row["psnr"] > 12
    assert 0 < row["chamfer"] < 15
    counts = [row[f"images_{name}"] for name in ("train", "train_views", "test")]
    assert counts == [8, 7, 1], "the surface learns from all of them"
    assert row["unit"] == "mm"
    assert "Nothing to be done" in snakemake(tmp_path)


def train(scene: Path, output: Path, python: tuple[str, ...] = (sys.executable,)) -> list[str]:
    paths = {"output": "model.pt", "config": "config.yaml", "metrics": "train.json"}
    files = [word for key, name in paths.items() for word in (f"--{key}", str(output / name))]
    overrides = json.loads(json.dumps(METHOD))
    overrides["training"] |= {"steps": 250, "checkpoint_seconds": 0.2, "validations": 2}
    return [
        *(*python, str(ROOT / "scripts" / "train.py"), "--scene", str(scene)),
        *("--method", str(ROOT / "config" / "methods" / "neus-mask.yaml")),
        *("--overrides", json.dumps(overrides), "--device", "cpu", "--threads", "2"),
        *("--run-dir", str(output / "run"), *files),
    ]


@pytest.mark.fault
def test_killed_half_way_the_next_run_equals_an_uninterrupted_one(tmp_path: Path):
    demo, scene = tmp_path / "demo", tmp_path / "scene"
    size = ("--views", "8", "--width", "64", "--height", "48")
    make = [str(ROOT / "scripts" / "make_demo.py"), "--output", str(demo), *size]
    subprocess.run([*warm_python(), *make], check=True, capture_output=True)
    read = ["--source", "demo", "--path", str(demo), "--output", str(scene)]
    normalize = [str(ROOT / "scripts" / "normalize_scene.py"), *read]
    subprocess.run([*warm_python(), *normalize], check=True, capture_output=True)
    whole = train(scene, tmp_path / "whole", warm_python())
    subprocess.run(whole, check=True, capture_output=True)

    killed = subprocess.Popen(train(scene, tmp_path / "killed"), stderr=subprocess.DEVNULL)
    checkpoints = tmp_path / "killed" / "run" / "checkpoints"
    deadline = time.monotonic() + 120
    while not any(checkpoints.glob("step-*.pt")) and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    assert not (tmp_path / "killed" / "model.pt").exists()

    again = subprocess.run(
        train(scene, tmp_path / "killed"), check=True, capture_output=True, text=True
    )
    assert "resumed at step" in again.stderr
    whole, resumed = (
        torch.load(tmp_path / name / "model.pt", weights_only=True)["model"]
        for name in ("whole", "killed")
    )
    for name, weights in whole.items():
        assert torch.equal(weights, resumed[name]), name
    assert not any(checkpoints.glob("step-*.pt"))  # the model has taken their place
