"""Which state of the code made a file."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest
import torch

from neus.files import code_version, versions


def git(folder: Path, *words: str) -> str:
    author = ["-c", "user.name=a", "-c", "user.email=a@b.c"]
    done = subprocess.run(
        ["git", *author, *words], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_the_commit_is_named_with_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert code_version(tmp_path) is None, "no checkout"
    git(tmp_path, "init", "--quiet")
    assert code_version(tmp_path) is None, "nothing committed yet"
    (tmp_path / "code.py").write_text("1")
    git(tmp_path, "add", "code.py")
    git(tmp_path, "commit", "--quiet", "--message", "one")
    commit = git(tmp_path, "rev-parse", "HEAD")
    (tmp_path / "results").write_text("made later")
    assert code_version(tmp_path) == commit[:12]
    (tmp_path / "code.py").write_text("2")
    assert code_version(tmp_path) == f"{commit[:12]}+changes"


def test_an_installed_package_is_no_part_of_the_checkout_around_it(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    inside = tmp_path / "site-packages"
    inside.mkdir()
    assert code_version(inside) is None


def test_versions_are_of_what_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    found = versions()
    assert found["python"] == platform.python_version()
    assert found["torch"] == torch.__version__
    monkeypatch.setattr("neus.files.version.LIBRARIES", ("no such library",))
    assert list(versions()) == ["python"]
