"""Where the workflow lies, and how Snakemake and the programs are called."""

from __future__ import annotations

import sys
from pathlib import Path

from neus.errors import InputError

LINES = "neus"
"""Snakemake's name of the logger that shows one line a job."""


def project() -> Path:
    """The folder with Snakefile, workflow, scripts, config and profiles.

    In a wheel it is part of the package; in a checkout it is the package's parent.

    Raises:
        InputError: there is none.
    """
    package = Path(__file__).parents[1]
    for folder in (package / "project", package.parent):
        if (folder / "Snakefile").is_file() and (folder / "workflow").is_dir():
            return folder
    raise InputError(f"{package} was installed without its workflow: install neus from its wheel")


def methods() -> list[str]:
    """Names of the methods that come with the workflow."""
    return sorted(file.stem for file in (project() / "config" / "methods").glob("*.yaml"))


def published() -> Path:
    return project() / "config" / "published" / "dtu.csv"


def snakemake_command(config: Path, more: list[str]) -> list[str]:
    """The call that runs a configuration in the current folder, with the project's own profile.

    Args:
        more: words for Snakemake, which win over ours.
    """
    where = project()
    profile = where / "profiles" / "default"
    words = ["--snakefile", where / "Snakefile", "--workflow-profile", profile]
    words += ["--logger", LINES]
    return [sys.executable, "-m", "snakemake", *map(str, words), "--configfile", str(config), *more]


def program_command(name: str, words: list[str]) -> list[str]:
    """The call of a program of scripts/."""
    return [sys.executable, str(project() / "scripts" / f"{name}.py"), *words]
