"""How long a run will take: chains, jobs side by side, and what earlier runs cost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.console import Costs, Plan, PlannedJob, Timeline, about, exactly, read_plan, write_plan
from neus.progress import Measured, Pace, State, file_of, write_state


def job(
    number: int, seconds: float, *after: int, rule: str = "train", threads: int = 1, cards: int = 0
) -> PlannedJob:
    return PlannedJob(number, rule, f"scan{number}", threads, cards, after, seconds)


def timeline(*jobs: PlannedJob, cores: int | None = 2, cards: int | None = 1) -> Timeline:
    return Timeline(Plan(jobs, cores, cards))


def test_a_chain_takes_the_sum_and_what_fits_side_by_side_the_longest():
    chain = [job(i, 10.0 * (i + 1), *([i - 1] if i else [])) for i in range(4)]
    assert timeline(*chain).left(0.0) == pytest.approx(100)
    assert timeline(job(0, 30), job(1, 10), job(2, 10)).left(0.0) == pytest.approx(30)
    wide = [job(i, 10, threads=64) for i in range(3)]  # each takes every core
    assert timeline(*wide).left(0.0) == pytest.approx(30)
    cards = [job(i, 10, cards=1) for i in range(3)]
    assert timeline(*cards).left(0.0) == pytest.approx(30)
    assert timeline(*cards, cores=None, cards=None).left(0.0) == pytest.approx(10)


@given(st.lists(st.tuples(st.floats(1, 100), st.integers(1, 3)), min_size=1, max_size=12))
def test_no_schedule_is_shorter_than_its_work_or_its_longest_job(jobs: list[tuple[float, int]]):
    planned = [job(i, seconds, threads=threads) for i, (seconds, threads) in enumerate(jobs)]
    left = timeline(*planned).left(0.0)
    work = sum(seconds * min(threads, 2) for seconds, threads in jobs) / 2
    assert left >= max(work, *(seconds for seconds, _ in jobs), 0) - 1e-6
    assert left <= sum(seconds for seconds, _ in jobs) + 1e-6


def test_jobs_to_come_are_as_slow_as_their_like_and_as_slow_as_all_others_else():
    jobs = [job(0, 100), job(1, 100, 0), job(2, 50, 1, rule="page")]
    run = timeline(*jobs)
    run.begin(0, 1000.0, None)
    assert run.left(1030.0) == pytest.approx(70 + 150)
    assert run.finish(0, 1300.0) == (jobs[0], 300.0)
    pace = Pace([Measured("train", 3.0, 100.0)])
    assert run.left(1300.0) == pytest.approx(100 * pace.of("train") + 50 * pace.of("page"))
    assert pace.of("train") == pytest.approx(3, rel=0.05)


def test_a_program_that_says_how_far_it_is_is_believed_but_not_what_an_earlier_attempt_said(
    tmp_path: Path,
):
    run, log = timeline(job(0, 100), job(1, 10, 0)), tmp_path / "train.log"
    write_state(file_of(log), State("training", 0.9, 5.0, 0.0, 999.0))
    run.begin(0, 1000.0, log)
    assert run.left(1010.0) == pytest.approx(90 + 10)
    write_state(file_of(log), State("training", 0.25, 180.0, 0.0, 1060.0))
    later = 10 * run.pace(1070.0).of("train")
    assert run.left(1070.0) == pytest.approx(170 + later)
    assert 20 < later < 24  # a quarter of 240 seconds, where 100 were expected, tells of the next
    write_state(file_of(log), State("training", 0.9, 1.0, 0.0, 1070.0, kept=0.9))
    assert run.pace(1071.0).of("train") == 1  # most of it was done before, and it tells nothing


def test_a_job_that_takes_longer_than_expected_still_has_something_left():
    run = timeline(job(0, 100))
    run.begin(0, 0.0, None)
    pace = run.pace(1000.0).of("train")
    assert 9 < pace < 10
    assert run.left(1000.0) == pytest.approx(0.05 * 100 * pace)


def test_what_waits_for_a_failed_job_is_not_waited_for_for_ever():
    run = timeline(job(0, 100), job(1, 10, 0), job(2, 10, 77))
    run.begin(0, 0.0, None)
    assert run.fail(0) is not None
    assert run.left(5.0) == pytest.approx(110)
    assert run.begin(98, 0.0, None, "checkpoint").job.rule == "checkpoint"
    assert run.finish(99, 0.0) is None
    assert run.fail(99) is None


def benchmark(path: Path, seconds: float) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"s\th:m:s\tmax_rss\n{seconds}\t0:00:01\t12.5\n")
    return path


def test_costs_are_those_of_the_job_itself_of_its_like_or_of_the_demo(tmp_path: Path):
    costs = Costs(tmp_path, "cpu")
    of = "{}/neus/seed0/benchmarks/train.tsv"
    assert costs.expected("train", tmp_path / of.format("a")) > 60
    for scan, seconds in (("b", 10), ("c", 20), ("d", 90)):
        benchmark(tmp_path / of.format(scan), seconds)
    costs = Costs(tmp_path, "cpu")
    assert costs.expected("train", tmp_path / of.format("a")) == 20  # the median
    assert costs.expected("train", tmp_path / of.format("d")) == 90
    assert costs.expected("train_held_out", None, size=2.0) == 2 * Costs(tmp_path, "cpu").expected(
        "train", None
    )
    benchmark(tmp_path / "b/nerf/seed0/benchmarks/train.tsv", 70)
    nerf = Costs(tmp_path, "cpu").expected("train", tmp_path / "a/nerf/seed0/benchmarks/train.tsv")
    assert nerf == 70, "of the same method, where there is one"
    other = Costs(tmp_path, "cpu").expected("train", tmp_path / "a/mine/seed0/benchmarks/train.tsv")
    assert other == 45, "else of all"
    (tmp_path / "b/nerf/seed0/benchmarks/train.tsv").unlink()
    (tmp_path / of.format("d")).write_text("nothing")
    assert Costs(tmp_path, "cpu").expected("train", tmp_path / of.format("d")) == 15


def test_a_plan_is_of_the_run_of_its_own_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path, jobs = tmp_path / "plan.json", [job(0, 1.5), job(1, 2.5, 0)]
    assert read_plan(path) is None
    write_plan(path, jobs, cores=2, cards=None)
    assert read_plan(path) == Plan(tuple(jobs), 2, None)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert read_plan(path) is None


@pytest.mark.parametrize(
    ("seconds", "took", "will"),
    [
        (0.04, "0.0 s", "a few seconds"),
        (8.44, "8.4 s", "about 8 s"),
        (59.6, "1 min 00 s", "about 60 s"),
        (171, "2 min 51 s", "about 3 min"),
        (3599.7, "1 h 00 min", "about 60 min"),
        (11_220, "3 h 07 min", "about 3 h 10 min"),
        (7_190, "1 h 59 min", "about 2 h"),
    ],
)
def test_words(seconds: float, took: str, will: str):
    assert (exactly(seconds), about(seconds)) == (took, will)
