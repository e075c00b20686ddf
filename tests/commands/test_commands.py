"""The command `neus`: help at once, calls that Snakemake takes, and refusals in a sentence."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from neus.commands import doctor, main, programs, project, view
from tests.helpers.measured_runs import write_run
from tests.helpers.photo_folders import photos
from tests.helpers.places import ROOT

HEAVY = {"torch", "numpy", "pandas", "snakemake", "cv2", "scipy", "omegaconf"}


def python(code: str, *words: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True, text=True, cwd=folder, env=environment, check=False,
    )  # fmt: skip


def test_help_imports_nothing_heavy_and_names_every_command() -> None:
    code = "import sys\nfrom neus.commands import main\ntry: main(['--help'])\n"
    code += "except SystemExit: print(*{name.split('.')[0] for name in sys.modules})"
    done = python(code)
    assert HEAVY & set(done.stdout.split()[-400:]) == set(), done.stderr
    for name in ("run", "init", "doctor", "view", "table", "page", "mesh", "render", "export"):
        assert f"    {name} " in done.stdout


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    photos(tmp_path / "my photos")
    return tmp_path


def test_the_call_that_is_shown_is_one_that_snakemake_takes(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "my photos", "-o", "o", "--show", "--", "--dry-run", "--nolock"]) == 0
    shown, said = capsys.readouterr()
    assert "4 images, bare photos" in said
    assert "method neus" in said
    words = shlex.split(shown)
    assert words[-2:] == ["--dry-run", "--nolock"]
    done = subprocess.run(
        words, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    assert "estimate_poses" in done.stdout + done.stderr


def test_a_configuration_of_ones_own_is_run_as_it_is(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "my.yaml").write_text("scans: []\n")
    assert main(["run", "my.yaml", "--show"]) == 0
    assert capsys.readouterr().out.rstrip().endswith("--configfile my.yaml")
    assert not (folder / "results").exists()


def test_init_writes_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "my photos"]) == 0
    assert capsys.readouterr().out == "neus run my-photos.yaml\n"
    text = (folder / "my-photos.yaml").read_text()
    assert "#" in text
    assert main(["init", "my photos"]) == 2
    assert "is there already" in capsys.readouterr().err
    assert (folder / "my-photos.yaml").read_text() == text


def test_a_wrong_path_is_one_sentence(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "nothing"]) == 2
    assert capsys.readouterr().err.startswith("error: ")
    assert not (folder / "results").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "my photos", "--downscale", "0"], "'0' is not a whole number of 1 or more"),
        (["init", "my photos", "--steps", "-5"], "'-5' is not a whole number"),
        (["mesh", "results", "-o", "m.ply", "--resolution", "fine"], "'fine' is not a whole"),
        (["export", "results", "-o", "out", "--format", "foo"], "invalid choice: 'foo'"),
        (["run", "my photos", "--method", "foo"], "--method foo is none of"),
        (["run", "mine.yaml"], "mine.yaml does not exist: neus init"),
        (["run", "old"], "old holds results: name the photos"),
        (["init", "old/statue"], "statue holds results: name the photos"),
        ([], "neus run FOLDER_OF_PHOTOS"),
    ],
)
def test_wrong_words_are_told_apart_before_anything_runs(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    (folder / "old" / "statue" / "scene").mkdir(parents=True)
    (folder / "old" / "statue" / "scene" / "transforms.json").touch()
    try:
        status = main(words)
    except SystemExit as end:
        status = end.code
    shown = capsys.readouterr()
    assert status == 2
    assert said in shown.err + shown.out
    assert not (folder / "results").exists()


def test_the_table_of_what_is_there(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["table"]) == 2
    write_run(folder / "results", "statue", "neus", 0)
    (folder / "results" / "statue" / "neus" / "seed0" / "logs").mkdir()
    assert main(["table"]) == 0
    assert "0.700" in capsys.readouterr().out
    assert main(["table", "results", "--all"]) == 0
    assert capsys.readouterr().out.startswith("| scan |")


def test_the_page_is_found_from_a_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(view.webbrowser, "open", lambda url: opened.append(url) or True)
    run = folder / "results" / "statue" / "neus" / "seed0"
    run.mkdir(parents=True)
    assert main(["view", "resutls"]) == 2
    assert "resutls does not exist" in capsys.readouterr().err
    assert main(["view", str(run)]) == 2
    assert "has no page yet" in capsys.readouterr().err
    (folder / "results" / "index.html").touch()
    for path in (run, folder / "results", folder / "results" / "index.html"):
        assert main(["view", str(path)]) == 0
    assert opened == [(folder / "results" / "index.html").as_uri()] * 3


def test_programs_get_the_scene_and_the_model_of_the_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[Any] = []
    monkeypatch.setattr("neus.commands.run.run_to_its_end", lambda words: called.append(words) or 0)
    run = folder / "results" / "statue" / "neus" / "seed0"
    run.mkdir(parents=True)
    assert main(["mesh", "results", "-o", "m.glb"]) == 2
    (run / "model.pt").touch()
    for path in (run, run.parents[1], folder / "results"):
        assert main(["mesh", str(path), "-o", "m.glb", "--", "--resolution", "64"]) == 0
        words = called.pop()
        assert Path(words[1]).name == "extract_mesh.py"
        assert Path(words[1]).is_file()
        pairs = dict(zip(words[2::2], words[3::2], strict=True))
        assert pairs["--threads"] == str(len(os.sched_getaffinity(0)))
        assert "--stereo" not in pairs
        assert Path(pairs["--model"]).resolve() == run / "model.pt"
        assert Path(pairs["--scene"]).resolve() == folder / "results" / "statue" / "scene"
        assert (pairs["--output"], pairs["--resolution"]) == ("m.glb", "64")
    assert main(["render", str(run), "-o", "p.mp4", "--frames", "8"]) == 0
    assert called.pop()[-2:] == ["--frames", "8"]
    stereo = run.parents[1] / "stereo"
    stereo.mkdir()
    for figures, words in (("{}", []), ('{"stereo_seconds": 3}', ["--stereo", str(stereo)])):
        (run / "train.json").write_text(figures)
        assert main(["mesh", str(run), "-o", "m.ply"]) == 0
        assert [word for word in called.pop() if "stereo" in word] == words
    monkeypatch.chdir(run)
    assert main(["mesh", ".", "-o", "m.ply"]) == 0
    assert str(run.parents[1] / "scene") in called.pop()
    monkeypatch.chdir(folder)
    shutil.copytree(run, run.with_name("seed1"))
    assert main(["render", "results", "-o", "p.mp4"]) == 2
    assert "2 runs" in capsys.readouterr().err
    assert main(["mesh", "resutls", "-o", "m.ply"]) == 2
    assert "resutls does not exist" in capsys.readouterr().err
    assert set(programs.PROGRAMS) == {"mesh", "render", "export"}


def test_a_scene_is_exported_before_anything_is_trained_on_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from neus.exports import EXPORTS

    called: list[Any] = []
    monkeypatch.setattr("neus.commands.run.run_to_its_end", lambda words: called.append(words) or 0)
    assert tuple(sorted(EXPORTS)) == programs.FORMATS
    scan = folder / "results" / "statue"
    (scan / "scene").mkdir(parents=True)
    chosen = ["-o", "out", "--format", "colmap-text"]
    assert main(["export", "results", *chosen]) == 2
    assert "holds no scene" in capsys.readouterr().err
    (scan / "scene" / "transforms.json").touch()
    (scan / "neus" / "seed0").mkdir(parents=True)
    for path in (folder / "results", scan, scan / "scene", scan / "neus" / "seed0"):
        assert main(["export", str(path), *chosen]) == 0
        words = called.pop()
        assert words[2:] == ["--scene", str(scan / "scene"), "--output", *chosen[1:]]
    assert main(["export", str(scan), "-o", "out"]) == 2
    assert "--format is missing: name one of blender, " in capsys.readouterr().err
    shutil.copytree(scan, scan.with_name("vase"))
    assert main(["export", "results", *chosen]) == 2
    assert "2 scans" in capsys.readouterr().err


def test_the_doctor_sees_what_is_missing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    free_on_disk(monkeypatch, 80.0)
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "Ready." in said
    assert "torch 2" in said
    assert f"80 GiB free in {folder}" in said
    monkeypatch.setattr(doctor, "NEEDED", (*doctor.NEEDED, "no-such-package"))
    free_on_disk(monkeypatch, 2.5)
    assert main(["doctor", "not/there/yet"]) == 1
    said = capsys.readouterr().out
    assert "MISSING no-such-package: pip install no-such-package" in said
    assert f"MISSING 2.5 GiB free in {folder}: 5 are needed" in said
    assert "2 things are missing" in said


def free_on_disk(monkeypatch: pytest.MonkeyPatch, gib: float) -> None:
    """The machine that a test runs on may have any room, and less than a scan needs."""
    free = int(gib * 2**30)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=free))


def test_the_wheel_carries_the_project(tmp_path: Path) -> None:
    """`build_py` as a wheel runs it: Snakefile, rules, programs, methods, and the page's files."""
    pytest.importorskip("setuptools")
    source = tmp_path / "source"
    ignored = shutil.ignore_patterns(".git", ".venv", "results", "data", ".snakemake", "tests")
    shutil.copytree(ROOT, source, ignore=ignored)
    code = "from setuptools.dist import Distribution\nimport runpy, sys\n"
    code += "sys.argv = ['setup.py', '--quiet', 'build_py', '--build-lib', 'built']\n"
    code += "runpy.run_path('setup.py')"
    (source / "pyproject.toml").write_text(
        '[project]\nname = "neus"\nversion = "0"\n'
        '[tool.setuptools.packages.find]\ninclude = ["neus*"]\n'
        '[tool.setuptools.package-data]\n"neus.page" = ["assets/*"]\n'
    )
    done = python(code, folder=source)
    assert done.returncode == 0, done.stderr
    built = source / "built" / "neus"
    for name in ("workflow", "scripts", "config", "profiles", "Snakefile"):
        beside, carried = ROOT / name, built / "project" / name
        files = [beside] if beside.is_file() else [f for f in beside.rglob("*") if f.is_file()]
        for file in (f for f in files if "__pycache__" not in f.parts):
            inside = carried if beside.is_file() else carried / file.relative_to(beside)
            assert inside.read_bytes() == file.read_bytes(), file
    assert (built / "page" / "assets" / "viewer.js").is_file()


def test_the_project_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert project.project() == ROOT
    assert project.published().is_file()
    monkeypatch.setattr(project, "__file__", str(tmp_path / "neus" / "commands" / "project.py"))
    with pytest.raises(project.InputError, match="installed without its workflow"):
        project.project()
    inside = tmp_path / "neus" / "project"
    (inside / "workflow").mkdir(parents=True)
    (inside / "Snakefile").touch()
    assert project.project() == inside
