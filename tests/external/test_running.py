"""A program that ends well, is not there, fails, hangs, or is stopped with us."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from neus.errors import InputError
from neus.external import (
    Outcome,
    Program,
    in_container,
    read_outcome,
    run_program,
    running,
    write_outcome,
)
from neus.external.running import last_words, memory_of_card
from tests.helpers.places import ROOT


def ran(
    folder: Path, command: str, *, limit: float = 60.0, container: str | None = None
) -> Outcome:
    program = Program("theirs", command, container, [], folder / "out", {"MARK": "of theirs"})
    return run_program(program, device="a processor", limit=limit, show=lambda text: None)


def test_a_program_gets_its_folder_and_variables_and_is_timed(tmp_path: Path) -> None:
    outcome = ran(tmp_path, 'echo "$MARK" > mark; sleep 0.3')
    assert (outcome.reason, outcome.status, outcome.device) == (None, 0, "a processor")
    assert 0.3 <= outcome.seconds < 5
    assert (tmp_path / "out" / "mark").read_text() == "of theirs\n"
    write_outcome(tmp_path / "outcome.json", outcome)
    assert read_outcome(tmp_path / "outcome.json") == outcome
    (tmp_path / "outcome.json").write_text("{}")
    with pytest.raises(InputError, match="delete it, and it is run again"):
        read_outcome(tmp_path / "outcome.json")


def test_memory_is_that_of_all_its_processes(tmp_path: Path) -> None:
    hold = "import time; held = b'x' * (150 << 20); time.sleep(1.2)"
    python = f"{shlex.quote(sys.executable)} -S -c {shlex.quote(hold)}"
    outcome = ran(tmp_path, f"{python} & {python} & wait")
    assert outcome.peak_memory_gib is not None
    assert 0.29 < outcome.peak_memory_gib < 0.6


def test_memory_of_a_card_is_what_its_driver_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = tmp_path / "nvidia-smi"
    driver.write_text('#!/bin/bash\n[[ "$*" == *"-i GPU-7" ]] && echo 3072 || echo none\n')
    driver.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert memory_of_card("GPU-7") == 3.0
    assert memory_of_card("GPU-8") is None


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        ("/nowhere/train", "theirs was not run: bash: line 1: /nowhere/train: No such file"),
        ("echo step 1; echo 'no CUDA here' >&2; exit 3", "theirs failed (exit status 3): no CUDA"),
        ("false | cat; echo on", "theirs failed (exit status 1): it said nothing"),
        ("kill -SEGV $$", "theirs crashed (SIGSEGV): it said nothing"),
        ("echo loading; kill -KILL $$", "theirs was killed, as systems do for want of memory: loa"),
    ],
)
def test_what_goes_wrong_is_a_sentence(tmp_path: Path, command: str, reason: str) -> None:
    found = ran(tmp_path, command).reason
    assert found is not None
    assert found.startswith(reason)


def test_one_that_does_not_end_is_ended_with_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GRACE", 1.0)
    command = "trap '' TERM; (echo $BASHPID > child; exec sleep 600) & sleep 600"
    outcome = ran(tmp_path, command, limit=0.6)
    assert outcome.reason == "theirs did not end within 0.01 minutes"
    assert is_gone(int((tmp_path / "out" / "child").read_text()))


def test_being_stopped_ends_it_and_leaves_no_outcome(tmp_path: Path) -> None:
    """As by a cluster that needs the node: the next attempt runs it again."""
    (tmp_path / "in").mkdir()
    words = ["--name", "theirs", "--command", "echo $$ > ../pid; sleep 600", "--scan", "statue"]
    words += ["--input", str(tmp_path / "in"), "--output", str(tmp_path / "left")]
    words += ["--outcome", str(tmp_path / "outcome.json"), "--device", "cpu"]
    program = [sys.executable, str(ROOT / "scripts" / "run_external.py"), *words]
    process = subprocess.Popen(program, env=os.environ | {"PYTHONPATH": str(ROOT)})
    until = time.monotonic() + 60
    while not (tmp_path / "pid").is_file() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 143
    assert is_gone(int((tmp_path / "pid").read_text()))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in", "pid"]


def test_that_nobody_listens_stops_no_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = "for i in 1 2 3; do echo $i; sleep 0.1; done; echo end > end"
    program = Program("theirs", command, None, [], tmp_path / "out", {})
    with os.fdopen(writer, "wb", buffering=0) as nobody:
        monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=nobody))
        outcome = run_program(program, device="a processor", limit=60.0)
        monkeypatch.undo()
    assert outcome.status == 0
    assert (tmp_path / "out" / "end").exists()


def test_of_a_bar_that_is_drawn_over_itself_the_last_state_counts() -> None:
    assert last_words(b"start\n10 %\r 50 %\r 60 %\r\n\n") == "60 %"
    assert last_words(b"") == "it said nothing"


def test_each_engine_is_told_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def words(image: str, *engines: str) -> list[str] | None:
        folder = tmp_path / "-".join(engines)
        for engine in engines:
            folder.mkdir(exist_ok=True)
            (folder / engine).write_text("")
            (folder / engine).chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))
        given = {"read": [Path("/data")], "written": Path("/out"), "environment": {"A": "1 2"}}
        return in_container(image, "train /data", has_card=True, **given)  # pyright: ignore

    of_apptainer = words("lab/train:1", "apptainer", "docker")
    assert of_apptainer == [
        "apptainer", "exec", "--cleanenv", "--nv", "--bind", "/data:/data:ro",
        "--bind", "/out:/out", "--pwd", "/out", "--env", "A=1 2", "docker://lab/train:1",
        "bash", "-euo", "pipefail", "-c", "train /data",
    ]  # fmt: skip
    of_docker = words("docker://lab/train:1", "docker")
    assert of_docker == [
        "docker", "run", "--rm", "--init", "--user", f"{os.getuid()}:{os.getgid()}",
        "--gpus", "all", "--volume", "/data:/data:ro", "--volume", "/out:/out", "--workdir", "/out",
        "--env", "A=1 2", "--entrypoint", "bash", "lab/train:1", "-euo", "pipefail", "-c",
        "train /data",
    ]  # fmt: skip
    of_podman = words("lab/train:1", "podman")
    assert of_podman is not None
    assert "nvidia.com/gpu=all" in of_podman
    assert "--user" not in of_podman
    assert words("image.sif", "docker", "podman") is None
    assert words("lab/train:1") is None
    reason = "theirs was not run: there is no engine for its container, image.sif"
    assert ran(tmp_path, "true", container="image.sif").reason == reason


def is_gone(pid: int) -> bool:
    """Ended, or a zombie that nobody waited for."""
    time.sleep(0.2)
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"
