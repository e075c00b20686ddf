"""What is kept of each attempt of a stage, beside its log."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from pathlib import Path

KEPT = 10
"""Attempts that a record holds, the latest last."""
SUFFIX = ".attempts.json"
RUNNING, DONE, FAILED = "running", "done", "failed"


@dataclass(frozen=True)
class Attempt:
    """One attempt of a stage; ``running`` until its watcher has seen the end.

    Attributes:
        stage: name of the program, such as ``train``.
        state: ``running``, ``done`` or ``failed``.
        reason: why it failed, in one sentence.
        peak_memory_mb: highest memory of the program and its children together, in MiB.
        memory_mb: what a scheduler granted, or None.
        started: seconds since 1970.
        job: number of the job under Slurm, or None.
    """

    stage: str
    state: str
    reason: str | None
    peak_memory_mb: float
    memory_mb: int | None
    started: float
    seconds: float
    host: str
    job: str | None


def record_of(log: Path) -> Path:
    """The file beside a log that holds its attempts."""
    return log.with_name(log.name.removesuffix(".log") + SUFFIX)


def log_of(record: Path) -> Path:
    """The log that a record stands beside."""
    return record.with_name(record.name.removesuffix(SUFFIX) + ".log")


def read_attempts(record: Path) -> list[Attempt]:
    """The attempts that a file holds; none where it is not there or was cut short."""
    names = {field.name for field in fields(Attempt)}
    try:
        content = json.loads(record.read_bytes())
        return [Attempt(**{key: entry[key] for key in names}) for entry in content]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def write_attempts(record: Path, attempts: list[Attempt]) -> None:
    """Replace a record. A machine that dies may lose the last second of it, which does no harm.

    Raises:
        OSError: the folder cannot be written to.
    """
    partial = record.with_name(f".{record.name}.{os.getpid()}.partial")
    partial.write_text(json.dumps([asdict(entry) for entry in attempts[-KEPT:]], indent=1) + "\n")
    os.replace(partial, record)
