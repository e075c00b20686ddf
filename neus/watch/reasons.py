"""Why the stages of a run ended badly, those too that were killed together with their watcher."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from neus.watch.advice import for_want_of_memory, for_want_of_time
from neus.watch.record import (
    DONE,
    FAILED,
    RUNNING,
    SUFFIX,
    Attempt,
    log_of,
    read_attempts,
    write_attempts,
)

OVER_MEMORY = re.compile(r"exceeded memory limit \((\d+) > (\d+)\)")
OUT_OF_MEMORY = re.compile(r"oom[-_ ]kill|OOM Killed|[Ee]xceeded (?:job )?memory limit")
MIB = 2**20
CLOCKS_DIFFER = 60.0
"""Seconds by which the clocks of a cluster's machines may differ."""


def reasons_of_failures(results: Path, since: float, slurm_logs: Path | None = None) -> list[str]:
    """A sentence for each stage below a folder whose last attempt did not end well.

    What a killed stage could not say itself is added to its record and, as ``error:``, to its log.

    Args:
        since: seconds since 1970; attempts that began before are none of this run. No job may be
            running any more.
        slurm_logs: folder in which Slurm left ``{number of the job}.log``, at any depth.
    """
    sentences = []
    for record in sorted(results.rglob(f"*{SUFFIX}")):
        attempts = read_attempts(record)
        if not attempts or attempts[-1].state == DONE:
            continue
        if attempts[-1].started < since - CLOCKS_DIFFER:
            continue
        last = attempts[-1]
        if last.state == RUNNING:
            last = replace(last, state=FAILED, reason=_told_by_slurm(last, slurm_logs))
            _complete(record, [*attempts[:-1], last])
        count = f" ({len(attempts)} attempts)" if len(attempts) > 1 else ""
        log = log_of(record)
        sentences.append(f"{log}: {last.stage} failed{count}: {last.reason}")
    return sentences


def _complete(record: Path, attempts: list[Attempt]) -> None:
    write_attempts(record, attempts)
    with log_of(record).open("a") as file:
        file.write(f"error: {attempts[-1].reason}\n")


def _told_by_slurm(attempt: Attempt, slurm_logs: Path | None) -> str:
    """Why an attempt was killed, by what Slurm wrote into the log of its job."""
    found = [] if slurm_logs is None or not attempt.job else slurm_logs.rglob(f"{attempt.job}.log")
    text = "\n".join(file.read_text(errors="replace") for file in found)
    over = OVER_MEMORY.search(text)
    if over:
        used, asked = (int(figure) / MIB for figure in over.groups())
        return "killed by Slurm, " + for_want_of_memory(attempt.stage, used, asked)
    if OUT_OF_MEMORY.search(text):
        sentence = for_want_of_memory(attempt.stage, attempt.peak_memory_mb, attempt.memory_mb)
        return "killed by Slurm, " + sentence
    if "DUE TO TIME LIMIT" in text:
        return "killed by Slurm, " + for_want_of_time(attempt.stage)
    for words, cause in ENDINGS.items():
        if words in text:
            return cause
    return f"killed without a word on {attempt.host}, at {attempt.peak_memory_mb:.0f} MB of memory"


ENDINGS = {
    "DUE TO PREEMPTION": "preempted by another job: start again, it goes on from there",
    "DUE TO NODE FAILURE": "its node failed: start again, it goes on from there",
    "CANCELLED AT": "cancelled (scancel, or by an administrator)",
}
"""Words of Slurm and what they mean; memory and time are looked for first."""
