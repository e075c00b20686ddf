"""The programs: help for all, status of all, and the table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from small_scenes import program

from neus.cli import run
from neus.errors import InputError

SCRIPTS = Path(__file__).parents[1] / "scripts"


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


def test_the_table_is_written_three_times_and_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = {"views": {"psnr": 25.0}, "mesh": {"chamfer": 0.5, "unit": "mm"}, "train": {}}
    for name, content in figures.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = ",".join(str(tmp_path / f"{name}.json") for name in figures)
    words = ["--runs", f"a,neus,0,{files}", f"b,neus,0,{files}"]
    words += ["--published", str(SCRIPTS.parent / "config" / "published" / "dtu.csv")]
    for option, suffix in [("--csv", "csv"), ("--markdown", "md"), ("--latex", "tex")]:
        words += [option, str(tmp_path / f"table.{suffix}")]
    assert program("results_table")(words) == 0
    scans = [line.split(",")[0] for line in (tmp_path / "table.csv").read_text().splitlines()]
    assert scans == ["scan", "a", "b", "mean"]
    markdown, latex = ((tmp_path / f"table.{suffix}").read_text() for suffix in ("md", "tex"))
    for title in ("Chamfer distance, mm", "PSNR of held-out views, dB", "All figures"):
        assert f"## {title}\n" in markdown
        assert f"% {title}\n" in latex
    assert "| neus (ours) |  | none | 0.50 | 0.50 | 0.50 |" in markdown
    assert latex.count("toprule") == 3
    assert capsys.readouterr().out.splitlines()[2].startswith("a")


def test_why_meshes_are_not_measured_is_said_once(tmp_path: Path) -> None:
    reason = "the folder of the reference, data/dtu_reference, does not exist"
    figures = {"views": {"psnr": 25.0}, "mesh": {"chamfer": None, "reason": reason}, "train": {}}
    for name, content in figures.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    files = ",".join(str(tmp_path / f"{name}.json") for name in figures)
    words = ["--runs", f"a,neus,0,{files}", f"b,neus,0,{files}"]
    words += ["--published", str(SCRIPTS.parent / "config" / "published" / "dtu.csv")]
    for option, suffix in [("--csv", "csv"), ("--markdown", "md"), ("--latex", "tex")]:
        words += [option, str(tmp_path / f"table.{suffix}")]
    assert program("results_table")(words) == 0
    markdown = (tmp_path / "table.md").read_text()
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
