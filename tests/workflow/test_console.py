"""Lines of ours in the place of Snakemake's: `snakemake --logger neus`."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.helpers.places import ROOT
from tests.helpers.stand_in_programs import snakemake, write_config, write_photos

OURS = {"PYTHONPATH": str(ROOT), "NO_COLOR": "1"}


def test_a_failure_its_repair_and_a_second_run(project: Path, tmp_path: Path):
    write_photos(project / "my photos", 10)
    config = write_config(project / "mine.yaml", results=str(tmp_path / "results"))
    words = ("--logger", "neus", "--configfile", config)
    before = snakemake(project, *words, "--dry-run", **OURS)
    assert "Job stats:" in before.stdout + before.stderr, "a dry run is Snakemake's own"

    failed = snakemake(project, *words, FAIL="1", **OURS)
    assert failed.returncode != 0
    lines = [re.sub(r"^\d\d:\d\d:\d\d  ", "", line) for line in failed.stderr.splitlines()]
    assert any(re.fullmatch(r"12 jobs to do, about \d+ (min|h.*)", line) for line in lines)
    assert any(re.match(r"\+ normalize_scene +statue .* 2 of 12 jobs, ", line) for line in lines)
    broken = lines.index("! train statue neus failed")
    assert lines[broken + 1 : broken + 3] == ["    train at work", "    error: stopped half-way"]
    assert any(line.startswith("    all of its words: ") for line in lines)
    assert any(".snakemake/log/" in line for line in lines), "where Snakemake's own words are"

    plan = json.loads((project / ".snakemake" / "neus-plan.json").read_text())
    jobs = {job["rule"]: job for job in plan["jobs"]}
    assert len(jobs) == 12
    before_mesh = {jobs[name]["number"] for name in ("normalize_scene", "dense_stereo", "train")}
    assert set(jobs["extract_mesh"]["after"]) == before_mesh
    assert jobs["train"]["of"] == "statue neus"
    fewer, smaller = 10 / 48, 24 * 32 / (400 * 300)  # photos than the demo has
    expected = 18 * (0.15 + 0.85 * fewer * (0.85 + 0.15 * smaller))
    assert jobs["estimate_poses"]["seconds"] == pytest.approx(expected)
    assert jobs["evaluate_views"]["seconds"] < 0.2
    assert (jobs["train"]["threads"], jobs["train"]["cards"], plan["cores"]) == (2, 1, 2)

    done = snakemake(project, *words, **OURS)
    assert done.returncode == 0, done.stderr
    assert "at work" not in done.stderr, "what a job prints is in its log"
    log = tmp_path / "results" / "statue" / "neus" / "seed0" / "logs" / "train.log"
    assert log.read_text() == "train at work\n"
    assert not list((tmp_path / "results").rglob("*.progress"))
    assert "Building DAG" not in done.stderr
    assert re.search(r"^\d\d:\d\d:\d\d  9 jobs done in \d", done.stderr, re.MULTILINE)
    assert done.stdout.rstrip().endswith("results_table at work"), "what it prints comes last"
    kept = max(
        (project / ".snakemake" / "log").glob("*.log"), key=lambda file: file.stat().st_mtime
    )
    assert "Building DAG" in kept.read_text()

    again = snakemake(project, *words, **OURS)
    assert "Nothing to be done" in again.stderr

    # What jobs took is what they are expected to take.
    took = tmp_path / "results" / "statue" / "neus" / "seed0" / "benchmarks" / "train.tsv"
    took.write_text("s\th:m:s\n4321.0\t1:12:01\n")
    planned = snakemake(project, *words, "--forcerun", "train", "--until", "train", **OURS)
    assert planned.returncode == 0, planned.stderr
    assert re.search(r"1 job to do, about 72 min", planned.stderr)


@pytest.mark.parametrize("name", ["onstart", "onsuccess", "onerror"])
def test_what_is_done_at_an_end_is_written_once(name: str) -> None:
    """Of several, Snakemake runs the last that it reads."""
    files = [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]
    found = re.findall(rf"^{name}:", "".join(file.read_text() for file in files), re.MULTILINE)
    assert len(found) == 1
