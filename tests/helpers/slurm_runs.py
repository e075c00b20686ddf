"""Three tiny scans on a Slurm of one node, and what happens to their trainings there."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.helpers.places import ROOT

PROFILE = ROOT / "profiles" / "slurm" / "config.yaml"
RULES_WITH_A_CARD = (
    "dense_stereo", "dense_stereo_held_out", "train", "train_held_out", "extract_mesh",
    "render_views", "render_path",
)  # fmt: skip
STEPS = 800
METHOD = {
    "model": {"hash_grid": {"levels": 6, "log2_entries": 12, "finest_resolution": 128}},
    "training": {
        "steps": STEPS, "samples": 1280, "uniform_samples": 128, "checkpoint_seconds": 0.5,
        "validations": 0,
    },
}  # fmt: skip
HUNGRY_MB = 450
"""Less than training takes and more than the programs before it do."""
TRAINING = "results/{}/neus-mask-colour/seed0"
TABLE = "results/table.csv"


def overlay() -> dict[str, Any]:
    """What the shipped profile needs on a node of four cores: nothing but smaller figures."""
    rules = yaml.safe_load(PROFILE.read_text())["set-threads"]
    resources: dict[str, dict[str, Any]] = {
        name: {"mem_mb": 2500}
        for name in (*RULES_WITH_A_CARD, *rules, "normalize_scene", "evaluate_mesh")
    }
    hungry = f"{HUNGRY_MB} if wildcards.scan == 'hungry' else 2500"
    resources["train"] = {"mem_mb": hungry, "runtime": 60}
    return {
        "set-threads": dict.fromkeys([*rules, "normalize_scene", "evaluate_mesh"], 1),
        "set-resources": resources,
        "seconds-between-status-checks": 2,
        "slurm-init-seconds-before-status-checks": 2,
    }


def write_profile(folder: Path, *overlays: dict[str, Any]) -> Path:
    """The shipped profile with others laid over it, as a profile of its own."""
    folder.mkdir(parents=True)
    laid = yaml.safe_load(PROFILE.read_text())
    for over in overlays:
        laid = _laid_over(laid, over)
    (folder / "config.yaml").write_text(yaml.safe_dump(laid))
    return folder


def _laid_over(below: Any, above: Any) -> Any:
    if not (isinstance(below, dict) and isinstance(above, dict)):
        return above
    both = {key: _laid_over(below[key], above[key]) for key in below.keys() & above.keys()}
    return below | above | both


def write_config(folder: Path) -> Path:
    """Two scans for the table, whose images the first one makes, and a third beside them."""
    made = "{results}/demo/requeued"
    reference = {"kind": "mesh", "path": f"{made}/reference/mesh.ply"}
    demo = {"views": 8, "width": 64, "height": 48}
    others = [
        {"name": name, "source": "dtu", "path": made, "reference": reference}
        for name in ("cancelled", "hungry")
    ]
    first = {"name": "requeued", "source": "demo", "demo": demo, "reference": reference}
    config = {
        "scans": [first, *others],
        "only": ["requeued", "cancelled"],
        "methods": ["neus-mask-colour"],
        "overrides": METHOD,
        "device": "auto",
        "mesh": {"resolution": 48},
        "evaluation": {"samples": 2000},
    }
    folder.mkdir(parents=True)
    (folder / "tiny.yaml").write_text(json.dumps(config))
    return folder / "tiny.yaml"


def command(folder: Path, *words: str, python: str = sys.executable) -> list[str]:
    """Snakemake in a folder with ``tiny.yaml``."""
    start = [python, "-m", "snakemake", "-s", str(ROOT / "Snakefile")]
    return [*start, *words, "--configfile", str(folder / "tiny.yaml"), "--directory", str(folder)]


@contextmanager
def noted_submissions(folder: Path) -> Iterator[tuple[dict[str, str], Path]]:
    """An environment in which every call of sbatch and srun is noted in a file, then made."""
    folder.mkdir()
    notes = folder / "calls"
    for name in ("sbatch", "srun"):
        real = shutil.which(name)
        note = f"printf '%s\\n' \"{name} $(printf '%s ' \"$@\" | tr '\\n' ' ')\" >> {notes}"
        (folder / name).write_text(f'#!/bin/sh\n{note}\nexec {real} "$@"\n')
        (folder / name).chmod(0o755)
    yield {"PATH": f"{folder}:{os.environ['PATH']}"}, notes


INSIDE_AN_ALLOCATION = {
    "SLURM_JOB_ID": "4242", "SLURM_JOBID": "4242", "SLURM_NTASKS_PER_GPU": "1",
    "SLURM_TRES_PER_TASK": "cpu:1", "SLURM_CPUS_PER_TASK": "64", "SLURM_MEM_PER_CPU": "1",
    "SLURM_GPUS": "7",
}  # fmt: skip
"""What a shell inside salloc passes on, with values that no job here could be run with."""


@dataclass
class Seen:
    """What was seen while trainings ran, each of them with the number of its first job."""

    cards: list[dict[str, str]] = field(default_factory=list)
    requeued: str | None = None
    requeued_at: int = 0
    cancelled: str | None = None
    notes: list[str] = field(default_factory=list)


def tamper(seen: Seen, folder: Path, is_over: Callable[[], bool], say: Callable) -> None:
    """Requeue one training and cancel another, both in the midst, once two ran at once."""
    while not is_over():
        time.sleep(0.3)
        cards = running_with_cards()
        if len(cards) > 1 and len(set(cards.values())) > 1 and cards not in seen.cards:
            seen.cards.append(cards)
            say(f"at once: {cards}")
        jobs = trainings()
        if seen.requeued is None and seen.cards and "requeued" in jobs:
            step = latest_step(folder / TRAINING.format("requeued"))
            if step > 0:
                seen.requeued, seen.requeued_at = jobs["requeued"], step
                control("requeue", seen.requeued)
                say(f"requeued job {seen.requeued} at step {step} or later")
        if seen.cancelled is None and seen.cards and "cancelled" in jobs:
            step = latest_step(folder / TRAINING.format("cancelled"))
            if step > 0:
                seen.cancelled = jobs["cancelled"]
                subprocess.run(["scancel", seen.cancelled], check=True)
                say(f"cancelled job {seen.cancelled} at step {step} or later")
        if seen.requeued is not None:  # Slurm lets a requeued job wait for two minutes
            control("update", f"JobId={seen.requeued}", "StartTime=now")


def control(*words: str) -> str:
    return subprocess.run(["scontrol", *words], capture_output=True, text=True).stdout


def trainings() -> dict[str, str]:
    """The running jobs that train, by scan."""
    told = subprocess.run(
        ["squeue", "-h", "-t", "R", "-o", "%i %k"], capture_output=True, text=True
    )
    found = re.findall(r"^(\d+) rule_train_wildcards_(\w+?)_", told.stdout, re.MULTILINE)
    return {scan: number for number, scan in found}


def running_with_cards() -> dict[str, str]:
    """The index of the card of each running job, by Slurm's own word."""
    told = control("show", "job", "--details", "--oneliner")
    running = [line for line in told.splitlines() if "JobState=RUNNING" in line]
    pattern = r"JobId=(\d+) .* Comment=rule_(\S+) .*|JobId=(\d+) "
    cards = {}
    for line in running:
        card = re.search(r"GRES=gpu:1\(IDX:(\d)\)", line)
        number = re.match(pattern, line)
        if card and number:
            cards[number[1] or number[3]] = card[1]
    return cards


def latest_step(run: Path) -> int:
    """Of the newest checkpoint of a run; 0 where there is none."""
    steps = [int(file.stem.split("-")[1]) for file in run.glob("run/checkpoints/step-*.pt")]
    return max(steps, default=0)
