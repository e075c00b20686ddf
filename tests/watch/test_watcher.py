"""A command under watch: its log, its status, its record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from neus.watch import Attempt, read_attempts, record_of
from neus.watch.watcher import watched

Ended = tuple[int, str, list[Attempt]]


@pytest.fixture
def ended(capfdbinary: pytest.CaptureFixture[bytes]) -> Callable[[Path, str], Ended]:
    """Watches a program of Python: its status, what was shown, and the attempts."""

    def watch(log: Path, program: str) -> Ended:
        capfdbinary.readouterr()
        status = watched(log, [sys.executable, "-c", program])
        return status, capfdbinary.readouterr().out.decode(), read_attempts(record_of(log))

    return watch


def test_what_is_printed_is_shown_and_kept_and_the_peak_of_memory_recorded(
    tmp_path: Path, ended: Callable[[Path, str], Ended]
) -> None:
    log = tmp_path / "logs" / "train.log"
    program = "import sys, time; print('one'); print('two', file=sys.stderr)\n"
    program += "kept = bytearray(120 << 20); time.sleep(1.2)"
    status, shown, attempts = ended(log, program)
    assert status == 0
    assert sorted(shown.split()) == sorted(log.read_text().split()) == ["one", "two"]
    assert [(attempt.stage, attempt.state) for attempt in attempts] == [("train", "done")]
    assert attempts[0].reason is None
    assert attempts[0].peak_memory_mb > 120
    assert 1.2 < attempts[0].seconds < 30


def test_memory_of_children_counts(tmp_path: Path, ended: Callable[[Path, str], Ended]) -> None:
    child = "kept = bytearray(80 << 20); import time; time.sleep(1.5)"
    program = "import subprocess, sys\n"
    program += f"two = [subprocess.Popen([sys.executable, '-c', {child!r}]) for _ in range(2)]\n"
    program += "[one.wait() for one in two]"
    *_, attempts = ended(tmp_path / "poses.log", program)
    assert attempts[0].peak_memory_mb > 160


@pytest.mark.parametrize(
    ("program", "status", "reason", "is_added"),
    [
        ("raise SystemExit('error: scene/ is not there')", 1, "scene/ is not there", False),
        ("print('error: two things:\\n  a\\n  b'); exit(2)", 2, "two things: a b", False),
        ("exit(3)", 3, "ended with status 3 and said nothing", True),
        ("import os; os.kill(os.getpid(), 11)", 139, "ended by SIGSEGV", True),
        ("[0][1]", 1, "IndexError: list index out of range", False),
    ],
)
def test_why_it_failed_is_recorded_and_the_log_ends_with_it(
    tmp_path: Path,
    ended: Callable[[Path, str], Ended],
    program: str,
    status: int,
    reason: str,
    is_added: bool,
) -> None:
    log = tmp_path / "train.log"
    found, shown, attempts = ended(log, program)
    assert found == status
    assert (attempts[0].state, attempts[0].reason) == ("failed", reason)
    assert shown == log.read_text()
    assert (
        f"error: {reason}\n" in shown.splitlines(keepends=True)[-1:]
    ) == is_added or not is_added


def test_without_memory_it_says_what_to_lower(
    tmp_path: Path, ended: Callable[[Path, str], Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that failed to get memory, and one that the system killed."""
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    monkeypatch.setenv("SLURM_MEM_PER_NODE", "500")
    log = tmp_path / "train.log"
    *_, attempts = ended(log, "bytearray(1 << 60)")
    reason = attempts[0].reason or ""
    assert reason.startswith("MemoryError: out of memory: it took ")
    assert "of the 500 MB it asked for" in reason
    assert "set-resources, train: mem_mb" in reason
    assert "lower training.samples" in reason
    assert log.read_text().endswith(f"error: {reason}\n")
    monkeypatch.delenv("SLURM_JOB_ID")
    status, _, attempts = ended(log, "import os; os.kill(os.getpid(), 9)")
    assert status == 137
    assert "killed, as a system does with programs that are out of memory" in str(
        attempts[-1].reason
    )
    assert [entry.job for entry in attempts] == ["7", None]
    assert attempts[0].memory_mb == 500


def test_it_outlives_a_request_to_stop_so_that_the_program_can_save(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    program = "import signal, time\n"
    program += "def stop(*_): print('saved'); raise SystemExit(143)\n"
    program += "signal.signal(signal.SIGTERM, stop); print('ready'); time.sleep(60)"
    command = [sys.executable, "-u", "-m", "neus.watch", str(log), sys.executable, "-uc", program]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGTERM)
    assert process.communicate(timeout=60)[0] == "saved\n"
    assert process.returncode == 143
    assert read_attempts(record_of(log))[0].reason == "saved"


def test_a_record_speaks_for_a_program_that_is_killed_with_its_watcher(tmp_path: Path) -> None:
    log = tmp_path / "train.log"
    program = "kept = bytearray(90 << 20); import time; time.sleep(60)"
    command = [sys.executable, "-m", "neus.watch", str(log), sys.executable, "-c", program]
    process = subprocess.Popen(command, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        attempts = read_attempts(record_of(log))
        if attempts and attempts[0].peak_memory_mb > 90:
            break
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    (attempt,) = read_attempts(record_of(log))
    assert attempt.state == "running"
    assert 90 < attempt.peak_memory_mb < 130
