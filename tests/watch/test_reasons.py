"""Why a run's stages failed, in Slurm's words where they could not say so themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from neus.watch import Attempt, read_attempts, reasons_of_failures, record_of
from neus.watch.record import write_attempts

KILLED = Attempt("train", "running", None, 480.0, 500, 1000.0, 9.0, "node7", "12")
OVER = "slurmstepd: error: StepId=12.0 exceeded memory limit (734003200 > 524288000), being killed"


def left(results: Path, run: str, *attempts: Attempt) -> Path:
    """The log of a run's training, with a record beside it."""
    log = results / run / "logs" / "train.log"
    log.parent.mkdir(parents=True)
    log.write_text("step 10\n")
    write_attempts(record_of(log), list(attempts))
    return log


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (OVER, "killed by Slurm, out of memory: it took 700 MB of the 500 MB it asked for; ask"),
        ("error: Detected 1 oom_kill event in StepId=12.0.", "it took 480 MB of the 500 MB it ask"),
        ("*** JOB 12 ON n CANCELLED AT T DUE TO TIME LIMIT ***", "train: runtime, in the profile"),
        ("*** JOB 12 ON n CANCELLED AT T DUE TO PREEMPTION ***", "preempted by another job"),
        ("*** JOB 12 ON n CANCELLED AT T DUE TO NODE FAILURE ***", "its node failed"),
        ("*** JOB 12 ON n CANCELLED AT T ***", "cancelled (scancel"),
        ("nothing", "killed without a word on node7, at 480 MB of memory"),
    ],
)
def test_a_stage_that_was_killed_with_its_watcher_has_slurms_reason(
    tmp_path: Path, said: str, reason: str
) -> None:
    log = left(tmp_path, "results/a/neus/seed0", KILLED)
    of_job = tmp_path / "slurm_logs" / "rule_train" / "a" / "12.log"
    of_job.parent.mkdir(parents=True)
    of_job.write_text(f"some\n{said}\n")
    (of_job.parent / "13.log").write_text(OVER)  # another job's
    for _ in range(2):  # the second time it is in the record
        (sentence,) = reasons_of_failures(tmp_path / "results", 950.0, tmp_path / "slurm_logs")
        assert sentence.startswith(f"{log}: train failed: ")
        assert reason in sentence
    (attempt,) = read_attempts(record_of(log))
    assert attempt.state == "failed"
    assert log.read_text() == f"step 10\nerror: {attempt.reason}\n"


def test_what_ended_well_or_in_another_run_is_passed_over(tmp_path: Path) -> None:
    done = replace(KILLED, state="done")
    failed = replace(KILLED, state="failed", reason="no images")
    left(tmp_path, "well", failed, done)
    left(tmp_path, "before", replace(failed, started=10.0))
    left(tmp_path, "twice", failed, failed)
    broken = left(tmp_path, "broken", done)
    record_of(broken).write_text("[")
    (sentence,) = reasons_of_failures(tmp_path, 950.0)
    assert sentence.endswith("train.log: train failed (2 attempts): no images")
    assert "twice" in sentence
