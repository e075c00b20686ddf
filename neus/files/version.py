"""Which state of the code made a file."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT = Path(__file__).parents[2]
DIGITS = 12
LIBRARIES = ("neus", "torch", "numpy", "numba")
"""Which results depend on."""


def code_version(project: Path = PROJECT) -> str | None:
    """The commit that is checked out, with ``+changes`` where files differ from it; None where the
    code is no checkout of its own, as when a package was installed, or git is not there."""
    if not (project / ".git").exists():
        return None
    commit = _git(project, "rev-parse", "HEAD")
    changes = _git(project, "status", "--porcelain", "--untracked-files=no")
    if commit is None or changes is None:
        return None
    return commit[:DIGITS] + ("+changes" if changes else "")


def versions() -> dict[str, str]:
    """Of Python, and of those `LIBRARIES` that are installed, by their names."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _git(project: Path, *words: str) -> str | None:
    command = ["git", "-C", str(project), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
