"""Which state of the code made a file."""

from __future__ import annotations

import platform
import subprocess
from pathlib import Path

import pytest
import torch

from neus.files import code_snapshot, code_version, versions


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


def test_a_snapshot_has_the_code_back_from_its_commit(tmp_path: Path) -> None:
    """Changed, new, renamed and binary files; the repository and its index stay as they were."""
    project, again = tmp_path / "project", tmp_path / "again"
    project.mkdir()
    assert code_snapshot(project) is None, "no checkout"
    git(project, "init", "--quiet")
    assert code_snapshot(project) is None, "nothing committed yet"
    (project / "neus").mkdir()
    (project / ".gitignore").write_text("*.pyc\n")
    for name in ("a.py", "b.py", "gone.py"):
        (project / "neus" / name).write_text(f"{name}\n" * 9)
    git(project, "add", ".")
    git(project, "commit", "--quiet", "--message", "one")
    commit = git(project, "rev-parse", "HEAD")
    assert code_snapshot(project) == f"commit {commit}\n"
    git(tmp_path, "clone", "--quiet", "project", "again")
    (project / "neus" / "a.py").write_text("changed, in Zürich\n")
    (project / "neus" / "gone.py").unlink()
    (project / "neus" / "new.py").write_text("new\n")
    (project / "neus" / "table.npy").write_bytes(bytes(range(256)))
    (project / "neus" / "a.pyc").write_text("ignored")
    (project / "photos").mkdir()
    (project / "photos" / "1.txt").write_text("not code")
    before = git(project, "status", "--porcelain"), sorted((project / ".git").rglob("*"))
    snapshot = code_snapshot(project)
    assert (git(project, "status", "--porcelain"), sorted((project / ".git").rglob("*"))) == before
    assert snapshot is not None
    (tmp_path / "code.patch").write_text(snapshot)
    git(again, "apply", "../code.patch")
    code = {path.name: path.read_bytes() for path in (again / "neus").iterdir()}
    expected = {path.name: path.read_bytes() for path in (project / "neus").iterdir()}
    assert code == {name: content for name, content in expected.items() if name != "a.pyc"}
    assert not (again / "photos").exists()


def test_what_is_too_large_for_code_is_not_kept_with_each_model(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", "none")
    (tmp_path / "neus").mkdir()
    (tmp_path / "neus" / "long.txt").write_text("0123456789\n" * 400_000)
    first, second = (code_snapshot(tmp_path) or "").splitlines()
    assert first.startswith("commit ")
    assert "too many to be kept" in second
