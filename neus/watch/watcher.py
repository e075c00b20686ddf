"""A command that is watched while it runs: what it prints, what it takes, how it ends."""

from __future__ import annotations

import os
import re
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import PIPE
from typing import BinaryIO

from neus.watch.advice import for_want_of_memory
from neus.watch.memory import granted, memory_of
from neus.watch.record import (
    DONE,
    FAILED,
    RUNNING,
    Attempt,
    read_attempts,
    record_of,
    write_attempts,
)
from neus.watch.words import last_words

LOOK_SECONDS = 0.5
GROWTH = 1.03
"""A record that is told to the disk again by how much more memory."""
TAIL = 8192
"""Bytes of a log in which the reason of a failure is looked for."""
NO_MEMORY = re.compile(
    r"out of memory|OutOfMemoryError|MemoryError|can't allocate memory|bad_alloc|Unable to allocate"
)


def watched(log: Path, command: list[str]) -> int:
    """Run ``command``; show what it prints, keep it in ``log``, and record the attempt beside it.

    Ctrl-C and a cluster's time limit reach every process of a job: the watcher outlives them, so
    that the program can save and say so.

    Returns:
        The command's exit status, or 128 and the signal that ended it.

    Raises:
        OSError: there is no such program, or the log cannot be written.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    record = record_of(log)
    attempt = Attempt(
        _stage(log, command), RUNNING, None, 0.0, granted(os.environ), time.time(), 0.0,
        socket.gethostname(), os.environ.get("SLURM_JOB_ID"),
    )  # fmt: skip
    earlier = read_attempts(record)
    write_attempts(record, [*earlier, attempt])
    with _outliving_requests(), log.open("wb") as kept:
        with subprocess.Popen(command, stdout=PIPE, stderr=subprocess.STDOUT) as process:
            for peak in _peaks(process, kept):
                seconds = time.time() - attempt.started
                attempt = replace(attempt, peak_memory_mb=peak, seconds=seconds)
                write_attempts(record, [*earlier, attempt])
            status = process.wait()
        said = last_words(_tail(log))
        attempt = _ended(attempt, status, said)
        if attempt.reason not in (None, said):
            _pass_on(f"error: {attempt.reason}\n".encode(), kept)
    write_attempts(record, [*earlier, attempt])
    return status if status >= 0 else 128 - status


@contextmanager
def _outliving_requests() -> Iterator[None]:
    """Within the block requests to stop do nothing to us; the program has its own answer."""
    asked = [
        number
        for number in (signal.SIGINT, signal.SIGTERM)
        if signal.getsignal(number) != signal.SIG_IGN  # which the program would inherit
    ]
    before = {number: signal.signal(number, lambda *_: None) for number in asked}
    try:
        yield
    finally:
        for number, answer in before.items():
            signal.signal(number, answer)


def _stage(log: Path, command: list[str]) -> str:
    """The program's name; for others than ours the log's."""
    programs = [Path(word).stem for word in command if word.endswith(".py")]
    return programs[0] if programs else log.stem


def _peaks(process: subprocess.Popen[bytes], kept: BinaryIO) -> Iterator[float]:
    """Pass on what a process prints until it ends; yield its memory whenever it has grown."""
    assert process.stdout is not None
    descriptor, highest, looked = process.stdout.fileno(), 0.0, 0.0
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            if selector.select(LOOK_SECONDS):
                printed = os.read(descriptor, 65536)
                if not printed:
                    return
                _pass_on(printed, kept)
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked, memory = time.monotonic(), memory_of(process.pid)
                if memory > highest * GROWTH:
                    yield (highest := memory)


def _pass_on(printed: bytes, kept: BinaryIO) -> None:
    kept.write(printed)
    kept.flush()
    try:
        sys.stdout.buffer.write(printed)
        sys.stdout.buffer.flush()
    except OSError:  # nobody listens any more; the log does
        return


def _ended(attempt: Attempt, status: int, said: str | None) -> Attempt:
    """The attempt as its watcher saw it end."""
    of_children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    peak = max(attempt.peak_memory_mb, of_children)
    attempt = replace(attempt, peak_memory_mb=peak, seconds=time.time() - attempt.started)
    if status == 0:
        return replace(attempt, state=DONE)
    return replace(attempt, state=FAILED, reason=_reason(attempt, status, said))


def _reason(attempt: Attempt, status: int, said: str | None) -> str:
    no_memory = for_want_of_memory(attempt.stage, attempt.peak_memory_mb, attempt.memory_mb)
    if said is not None and NO_MEMORY.search(said):
        return f"{said}: {no_memory}"
    if status == -signal.SIGKILL:
        return f"killed, as a system does with programs that are {no_memory}"
    if status < 0:
        return f"ended by {signal.Signals(-status).name}"
    return said or f"ended with status {status} and said nothing"


def _tail(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        return file.read().decode(errors="replace")
