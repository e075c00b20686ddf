"""The workflow in a folder of its own, before and after a run of stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers.stand_in_programs import (
    snakemake,
    write_config,
    write_photos,
    write_project,
)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The workflow with stand-ins for the programs, in a folder whose name needs quoting."""
    return write_project(tmp_path_factory.mktemp("workflow") / "it's a project")


@pytest.fixture(scope="module")
def finished(project: Path) -> Path:
    """The project after a run on photos whose first attempt failed in the training."""
    write_photos(project / "my photos", 10)
    config = write_config(project / "mine.yaml")
    failed = snakemake(project, "--configfile", config, FAIL="1")
    assert failed.returncode != 0
    assert "error: stopped half-way" in failed.stdout
    assert "page at work" in failed.stdout, "what failed is shown there"
    done = snakemake(project, "--configfile", config)
    assert done.returncode == 0, done.stderr
    assert done.stdout.rstrip().endswith("results_table at work"), "what it prints comes last"
    return project
