"""Times left of whole runs, on machines of any speed: within 20 % from their first tenth on."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.console import Costs, Plan, PlannedJob
from tests.helpers.simulated_runs import SimulatedRun

SHARES = (0.1, 0.2, 0.3, 0.5, 0.7)
FIRST = ("make_demo", "estimate_poses")
OF_SCAN = ("normalize_scene", "dense_stereo", "train")
OF_SURFACE = ("extract_mesh", "texture_mesh", "evaluate_mesh")
OF_VIEWS = ("render_path", "render_views", "evaluate_views")


def demo(folder: Path, *, scans: int = 2, cached: tuple[str, ...] = ()) -> list[PlannedJob]:
    """The jobs of the demo, but those whose results are there."""
    costs, jobs = Costs(folder, "cpu"), []

    def add(rule: str, of: str, after: tuple[int | None, ...], threads: int = 2) -> int | None:
        if rule in cached:
            return None
        needed = tuple(number for number in after if number is not None)
        seconds = costs.expected(rule, None)
        jobs.append(PlannedJob(len(jobs), rule, of, threads, 0, needed, seconds))
        return len(jobs) - 1

    beginning = [add(rule, "", ()) for rule in FIRST]
    for scan in range(scans):
        last = tuple(beginning)
        for rule in OF_SCAN:
            last = (add(rule, f"{scan}", last),)
        for branch in (OF_SURFACE, OF_VIEWS):
            at = last
            for rule in branch:
                at = (add(rule, f"{scan}", at, 1 if rule == "evaluate_views" else 2),)
    add("page", "", tuple(range(len(jobs))))
    return jobs


def simulated(
    folder: Path, jobs: list[PlannedJob], machine: float, cores: int = 2, **options
) -> SimulatedRun:
    """A run on a machine so much slower than expected, whose kinds of jobs differ a little."""
    kinds = {"train": 1.1, "extract_mesh": 0.9, "make_demo": 1.15, "dense_stereo": 0.9, "page": 1.2}
    seconds = {job.number: job.seconds * machine * kinds.get(job.rule, 1.0) for job in jobs}
    run = SimulatedRun(Plan(tuple(jobs), cores, None), seconds, folder, **options)
    run.go(sum(seconds.values()) / 200)
    return run


def assert_right(run: SimulatedRun, within: float = 0.2) -> None:
    for share in SHARES:
        left, was = run.left_at(share)
        assert left == pytest.approx(was, rel=within), f"{share:.0%} of {run.now:.0f} s"


@pytest.mark.parametrize("machine", [1 / 3, 1.0, 3.0, 10.0])
@pytest.mark.parametrize("cores", [1, 2, 8])
def test_a_demo_is_foretold_whatever_the_machine(tmp_path: Path, machine: float, cores: int):
    assert_right(simulated(tmp_path, demo(tmp_path), machine, cores))


@pytest.mark.parametrize("machine", [1 / 3, 3.0])
def test_so_is_one_of_whose_jobs_most_are_done(tmp_path: Path, machine: float):
    jobs = demo(tmp_path, cached=(*FIRST, "normalize_scene", "dense_stereo"))
    assert_right(simulated(tmp_path, jobs, machine))


@pytest.mark.parametrize("machine", [1 / 3, 3.0])
def test_one_training_tells_the_next_ones(tmp_path: Path, machine: float):
    """Twice as slow as other kinds of jobs there, as its own progress says."""
    jobs = demo(tmp_path, scans=4)
    seconds = {j.number: j.seconds * machine * (1 + (j.rule == "train")) for j in jobs}
    run = SimulatedRun(Plan(tuple(jobs), 2, None), seconds, tmp_path)
    run.go(sum(seconds.values()) / 200)
    trainings = [job.number for job in jobs if job.rule == "train"]
    begin = sum(seconds[job.number] for job in jobs if job.number < trainings[0])
    third = (begin + seconds[trainings[0]] / 3) / run.now
    for share in (third, 0.5, 0.8):
        left, was = run.left_at(share)
        assert left == pytest.approx(was, rel=0.2)


@pytest.mark.parametrize("machine", [1 / 3, 1.0, 3.0])
def test_a_training_that_is_tried_again_goes_on_and_says_nothing_wrong_of_the_next(
    tmp_path: Path, machine: float
):
    jobs = demo(tmp_path)
    first = next(job.number for job in jobs if job.rule == "train")
    run = simulated(tmp_path, jobs, machine, failing={first: 0.6})
    for share in (0.4, 0.5, 0.6, 0.7):
        left, was = run.left_at(share)
        assert left == pytest.approx(was, rel=0.2)


def test_a_job_that_fails_early_is_done_anew(tmp_path: Path):
    jobs = demo(tmp_path)
    run = simulated(tmp_path, jobs, 1.0, failing={1: 0.5})
    assert_right(run)


def test_a_slow_machine_is_noticed_while_its_first_job_runs(tmp_path: Path):
    run = simulated(tmp_path, demo(tmp_path), 5.0)
    left, was = run.left_at(0.02)
    assert 0.5 * was < left < was
    assert run.left_at(0.0)[0] < 0.3 * run.now
