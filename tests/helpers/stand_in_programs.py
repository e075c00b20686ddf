"""The workflow with programs that make at once what they are asked for."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import yaml

from tests.helpers.places import ROOT
from tests.helpers.warm_programs import warm_python

PROGRAMS = [
    "make_demo", "extract_frames", "estimate_poses", "normalize_scene", "dense_stereo", "train",
    "extract_mesh", "texture_mesh", "render_views", "render_path", "evaluate_views",
    "evaluate_mesh", "place_mesh", "export_scene", "run_external", "take_external",
    "results_table", "page",
]  # fmt: skip

STAND_IN = '''
"""Makes what it is asked for, at once; training leaves a mark and fails if told to."""
import os, pathlib, sys

WRITTEN = "--output --errors --metrics --csv --markdown --latex --record".split()
WRITTEN += ["--outcome", "--figures"]
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


def write_project(folder: Path) -> Path:
    """The workflow in a folder of its own, with stand-ins for the programs."""
    for name in ("workflow", "config", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    shutil.copy(ROOT / "Snakefile", folder)
    (folder / "scripts").mkdir()
    for program in PROGRAMS:
        (folder / "scripts" / f"{program}.py").write_text(STAND_IN)
    return folder


def snakemake(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [*warm_python(), "-m", "snakemake", "--cores", "2", *words]
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


PHOTOS = {"name": "statue", "source": "photos", "path": "my photos"}
AFTER_TRAINING = {
    "extract_mesh": 1, "texture_mesh": 1, "render_views": 1, "render_path": 1,
    "evaluate_views": 1, "evaluate_mesh": 1, "results_table": 1, "page": 1, "all": 1,
}  # fmt: skip


def write_config(path: Path, **keys: object) -> str:
    path.write_text(yaml.safe_dump({"scans": [PHOTOS], "methods": ["neus"]} | keys))
    return path.name


def write_photos(folder: Path, count: int) -> None:
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    for i in range(count):
        cv2.imwrite(str(folder / f"{i:03}.png"), rng.integers(0, 255, (24, 32, 3), np.uint8))
