"""The code that made a file, to be had again: a commit, and the difference from it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from neus.files.version import PROJECT

CODE = ("Snakefile", "config", "neus", "scripts", "workflow")
"""What of files that no commit has yet is taken for code."""
LARGEST = 4_000_000
"""Bytes of a difference that are kept with each model; more is no code."""


def code_snapshot(project: Path = PROJECT) -> str | None:
    """The line ``commit ID``, and the difference of the files from it, if there is any.

    Of files that git does not know, new ones of ``CODE`` count. ``git checkout ID`` and then
    ``git apply`` of this text, without its first line or with it, have the code back. None where
    it is no checkout of its own, as when a package was installed, or git is not there.
    """
    if not (project / ".git").exists():
        return None
    try:
        with tempfile.TemporaryDirectory() as folder:
            # An index and objects of our own: the repository stays as it is.
            objects = _git(project, "rev-parse", "--path-format=absolute", "--git-path", "objects")
            place = {
                "GIT_INDEX_FILE": f"{folder}/index",
                "GIT_OBJECT_DIRECTORY": folder,
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects.strip(),
            }
            commit = _git(project, "rev-parse", "HEAD").strip()
            _git(project, "read-tree", "HEAD", **place)
            _git(project, "add", "--update", **place)
            new = [name for name in CODE if (project / name).exists()]
            if new:
                _git(project, "add", "--", *new, **place)
            changes = _git(project, "diff", "--cached", "--binary", "HEAD", **place)
    except (OSError, subprocess.SubprocessError):
        return None
    if len(changes) > LARGEST:
        changes = f"changes of {len(changes)} bytes, which are too many to be kept\n"
    return f"commit {commit}\n{changes}"


def _git(project: Path, *words: str, **environment: str) -> str:
    command = ["git", "-C", str(project), *words]
    done = subprocess.run(
        command, capture_output=True, timeout=60, check=True, env=os.environ | environment
    )
    return done.stdout.decode("utf-8", "surrogateescape")
