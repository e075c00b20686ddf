"""What the Containerfile copies is enough to plan a run, wherever it lies."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.helpers.places import ROOT


def test_what_a_container_holds_plans_the_demo(tmp_path: Path) -> None:
    text = (ROOT / "Containerfile").read_text()
    inside, data = tmp_path / "opt", tmp_path / "data"
    for folder in (inside, data):
        folder.mkdir()
    copied = [line.split() for line in re.findall(r"^COPY (.+)$", text, re.MULTILINE)]
    for *sources, target in copied:
        for source in sources:
            whole = ROOT / source
            if whole.is_dir():
                shutil.copytree(whole, inside / target, ignore=shutil.ignore_patterns("*.pyc"))
            else:
                shutil.copy(whole, inside / target)
    words = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "--cores",
        "1",
        "-s",
        str(inside / "Snakefile"),
    ]
    words += ["--configfile", str(inside / "config" / "config.yaml")]
    done = subprocess.run(
        words,
        cwd=data,
        env=os.environ | {"PYTHONPATH": str(inside)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^train +2$", done.stdout + done.stderr, re.MULTILINE)


def test_a_container_installs_the_versions_that_the_tests_passed_with() -> None:
    text = (ROOT / "Containerfile").read_text()
    installed = re.search(
        r"pip install .*--constraint constraints\.txt --editable '\.\[(.+)\]'", text
    )
    assert installed is not None
    extras = (ROOT / "pyproject.toml").read_text().split("[project.optional-dependencies]")[1]
    for extra in installed[1].split(","):
        assert re.search(rf"^{extra} = \[", extras, re.MULTILINE), extra
