"""The shipped profile on a real Slurm of one node: two cards, and all that can befall a job."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from neus.watch import read_attempts
from tests.helpers.one_node_slurm import one_node_slurm
from tests.helpers.slurm_runs import (
    INSIDE_AN_ALLOCATION,
    STEPS,
    TABLE,
    TRAINING,
    Seen,
    command,
    noted_submissions,
    overlay,
    tamper,
    write_config,
    write_profile,
)
from tests.helpers.warm_programs import warm_environment

pytestmark = pytest.mark.slurm
SECONDS = 900
"""When to give up; it takes a fifth of that on two quiet cores."""
TIMES = re.compile("second|memory|commit|device|rate|train_json")
"""Columns that differ between any two runs, and the hash of the file that holds them."""


@dataclass
class Run:
    """The DAG on Slurm, from inside an allocation, and what was seen on the way."""

    folder: Path
    status: int
    printed: str
    calls: list[str]
    seen: Seen

    def log(self, scan: str, name: str = "train") -> Path:
        return self.folder / TRAINING.format(scan) / "logs" / f"{name}.log"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Path]:
    """A folder that others may look into, where munge has its socket; Slurm runs meanwhile."""
    with tempfile.TemporaryDirectory(prefix="neus-slurm-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with one_node_slurm(folder / "slurm"):
            yield folder


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a local run with as many threads, which sums of floats depend on.

    It comes first, so that kernels are compiled when Slurm's begins.
    """
    here = tmp_path_factory.mktemp("here")
    folder, python = here / "local", str(warm_environment(here / "warm"))
    write_config(folder)
    threads = [f"{rule}={count}" for rule, count in overlay()["set-threads"].items()]
    words = command(folder, TABLE, "--cores", "2", "--set-threads", *threads, python=python)
    ran = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return folder


@pytest.fixture(scope="module")
def run(local: Path, cluster: Path) -> Run:
    folder, seen = cluster / "run", Seen()
    write_config(folder)
    profile = write_profile(cluster / "profile", overlay())
    hungry = f"{TRAINING.format('hungry')}/model.pt"
    with noted_submissions(cluster / "bin") as (environment, notes):
        words = ["--workflow-profile", str(profile), TABLE, hungry]
        process = subprocess.Popen(
            command(folder, *words),
            env=os.environ | INSIDE_AN_ALLOCATION | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        watcher = threading.Thread(
            target=tamper, args=(seen, folder, lambda: process.poll() is not None, print)
        )
        watcher.start()
        try:
            printed = process.communicate(timeout=SECONDS)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            pytest.fail(f"not done after {SECONDS} seconds:\n{process.communicate()[0]}")
        finally:
            watcher.join()
        return Run(folder, process.returncode, printed, notes.read_text().splitlines(), seen)


def test_two_jobs_with_a_card_run_at_once_on_two_cards(run: Run) -> None:
    assert run.seen.cards, run.printed
    assert {frozenset(cards.values()) for cards in run.seen.cards} == {frozenset("01")}


def test_a_requeued_training_goes_on_at_its_step(run: Run) -> None:
    assert run.seen.requeued is not None, run.printed
    resumed = re.search(rf"resumed at step (\d+) of {STEPS}", run.log("requeued").read_text())
    assert resumed is not None, run.log("requeued").read_text()
    assert int(resumed[1]) >= run.seen.requeued_at > 0
    attempts = read_attempts(run.log("requeued").with_name("train.attempts.json"))
    assert [attempt.job for attempt in attempts] == [run.seen.requeued] * 2
    assert attempts[-1].state == "done"


def test_a_cancelled_training_is_tried_again_and_goes_on(run: Run) -> None:
    assert run.seen.cancelled is not None, run.printed
    assert f"SLURM-job '{run.seen.cancelled}' failed" in run.printed
    first, *_, last = read_attempts(run.log("cancelled").with_name("train.attempts.json"))
    assert first.job == run.seen.cancelled != last.job
    assert last.state == "done"
    assert "resumed at step" in run.log("cancelled").read_text()


def test_a_job_that_is_killed_for_memory_says_so_and_what_to_lower(run: Run) -> None:
    assert run.status == 1
    sentences = [line for line in run.printed.splitlines() if "hungry" in line]
    (sentence,) = [line for line in sentences if line.startswith("error: ")]
    assert "train failed (2 attempts): killed by Slurm, out of memory: it took" in sentence
    assert "of the 450 MB it asked for; ask for more (set-resources, train: mem_mb" in sentence
    assert "lower training.samples" in sentence
    assert run.log("hungry").read_text().endswith(sentence.split("attempts): ")[1] + "\n")


def test_each_flag_of_a_card_is_asked_for_once(run: Run) -> None:
    sent = [call.split(" --wrap=")[0] for call in run.calls if call.startswith("sbatch")]
    steps = [call.split(" /")[0] for call in run.calls if call.startswith("srun")]
    with_card = [call for call in sent if re.search(r"--comment rule_(train|extract|render)", call)]
    assert len(with_card) >= 9
    for call in with_card:
        assert call.count("--gpus=1") == call.count("--cpus-per-task=1") == 1, call
        assert " -p gpu " in call
    for call in set(sent) - set(with_card):
        assert "gpu" not in call, call
        assert " -p cpu " in call
    assert len(steps) >= len(sent)
    for call in (*sent, *steps):
        excluded = ("--ntasks-per-gpu", "--cpus-per-gpu", "--gres", "--gpus-per-task")
        assert not [flag for flag in excluded if flag in call], call


def test_the_table_is_that_of_a_local_run(run: Run, local: Path) -> None:
    tables = [pd.read_csv(path / TABLE) for path in (run.folder, local)]
    kept = [name for name in tables[0].columns if not TIMES.search(name)]
    assert {"psnr", "chamfer", "mesh_sha256"} <= set(kept)
    on_slurm, here = (table.filter(items=kept) for table in tables)
    pd.testing.assert_frame_equal(on_slurm, here, check_exact=True)


def test_what_no_partition_allows_is_refused_before_it_is_sent(cluster: Path) -> None:
    folder = cluster / "refused"
    write_config(folder)
    longer = {"set-resources": {"train": {"runtime": 121}}}
    profile = write_profile(cluster / "longer", overlay(), longer)
    ran = subprocess.run(
        command(folder, "--workflow-profile", str(profile), TABLE),
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert ran.returncode == 1
    assert "error: profile, rule train: found runtime 121 minutes, expected at most the 120" in (
        ran.stderr
    )
    assert "has been submitted" not in ran.stdout + ran.stderr
    assert not (folder / "results").exists()
