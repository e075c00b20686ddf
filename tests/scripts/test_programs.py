"""The programs: help for all, status of all, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from neus.cli import run
from neus.errors import InputError
from tests.helpers.places import ROOT
from tests.helpers.small_scenes import program

SCRIPTS = ROOT / "scripts"


@pytest.mark.parametrize("path", sorted(SCRIPTS.glob("*.py")), ids=lambda path: path.stem)
def test_every_program_explains_itself(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        program(path.stem)(["--help"])
    assert end.value.code == 0
    assert "--output" in capsys.readouterr().out or path.stem == "results_table"


def test_bad_input_is_one_sentence_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    def refuse() -> int:
        raise InputError("photos holds no image: add some")

    with pytest.raises(SystemExit) as end:
        run(refuse)
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: photos holds no image: add some\n"
    with pytest.raises(SystemExit) as end:
        run(lambda: 0)
    assert end.value.code == 0


def written_table(folder: Path, figures: dict[str, dict]) -> list[str]:
    """CSV, Markdown and LaTeX of two scans, both with the same figures."""
    for name, content in figures.items():
        (folder / f"{name}.json").write_text(json.dumps(content))
    files = ",".join(str(folder / f"{name}.json") for name in figures)
    words = ["--runs", f"a,neus,0,{files}", f"b,neus,0,{files}"]
    words += ["--published", str(SCRIPTS.parent / "config" / "published" / "dtu.csv")]
    tables = {"csv": "csv", "markdown": "md", "latex": "tex"}
    for option, suffix in tables.items():
        words += [f"--{option}", str(folder / f"table.{suffix}")]
    assert program("results_table")(words) == 0
    return [(folder / f"table.{suffix}").read_text() for suffix in tables.values()]


def test_the_table_is_written_three_times_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"views": {"psnr": 25.0}, "mesh": {"chamfer": 0.5, "unit": "mm"}, "train": {}}
    csv, markdown, latex = written_table(tmp_path, figures)
    scans = [line.split(",")[0] for line in csv.splitlines()]
    assert scans == ["scan", "a", "b", "mean"]
    for title in ("Chamfer distance, mm", "PSNR of held-out views, dB", "All figures"):
        assert f"## {title}\n" in markdown
        assert f"% {title}\n" in latex
    assert "| neus (ours) |  | none | 0.50 | 0.50 | 0.50 |" in markdown
    assert latex.count("toprule") == 3
    assert capsys.readouterr().out.splitlines()[2].startswith("a")


def test_why_meshes_are_not_measured_is_said_once(tmp_path: Path) -> None:
    reason = "the folder of the reference, data/dtu_reference, does not exist"
    figures = {"views": {"psnr": 25.0}, "mesh": {"chamfer": None, "reason": reason}, "train": {}}
    _, markdown, _ = written_table(tmp_path, figures)
    assert markdown.count(reason) == 1
    assert "Chamfer" not in markdown
    assert "PSNR of held-out views" in markdown


@pytest.mark.parametrize("words", ["{training: {steps: 2}}", "[2]"])
def test_overrides_that_are_no_json_object_are_refused(words: str, tmp_path: Path) -> None:
    folders = [f"--{name}={tmp_path / name}" for name in ("scene", "output", "config", "metrics")]
    method = SCRIPTS.parent / "config" / "methods" / "neus.yaml"
    with pytest.raises(InputError, match="--overrides"):
        program("train")(
            [*folders, f"--method={method}", f"--run-dir={tmp_path}", "--overrides", words]
        )
