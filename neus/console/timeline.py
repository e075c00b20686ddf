"""A run as it goes on: which jobs are done, which run, and when all will be."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from neus.console.costs import UNKNOWN, kind_of
from neus.console.plan import Plan, PlannedJob
from neus.progress import Measured, Pace, State, file_of, read_state

LEAST = 0.05
"""Of what is expected of a job, that is said to be left of one which takes longer."""
TRUSTED = 0.1
"""Share of a job from where what its program says is left counts alone. Its first words are what
it expected itself, which knows nothing of how slow this machine has been to others."""
MOST_KEPT = 0.75
"""Share that an earlier attempt had done, above which a job says nothing of its like."""
SHORTEST = 0.1
"""Expected seconds of any job."""


@dataclass(frozen=True)
class Running:
    """A job under way.

    Attributes:
        began: seconds since the epoch.
        log: where its words go, which names the file of its progress; None where it keeps none.
    """

    job: PlannedJob
    began: float
    log: Path | None

    def state(self) -> State | None:
        """What the program itself says, since this attempt began."""
        found = None if self.log is None else read_state(file_of(self.log))
        return found if found is not None and found.at >= self.began else None


class Timeline:
    """Foretells a run from its plan, what became of its jobs and what those say that run."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.waiting = {job.number: job for job in plan.jobs}
        self.running: dict[int, Running] = {}
        self.finished: dict[int, float] = {}
        self._measured: list[Measured] = []
        self._kept: dict[int, float] = {}
        self._looked, self._states = -math.inf, dict[int, State | None]()

    @property
    def count(self) -> int:
        return len(self.plan.jobs)

    def begin(self, number: int, now: float, log: Path | None, rule: str = "") -> Running:
        """A job begins, perhaps once more; ``rule`` names one that the plan does not know."""
        unknown = PlannedJob(number, rule, "", 1, 0, (), UNKNOWN)
        known = next((job for job in self.plan.jobs if job.number == number), unknown)
        self.waiting.pop(number, None)
        self._kept.pop(number, None)
        self._states.pop(number, None)
        self.running[number] = Running(known, now, log)
        return self.running[number]

    def finish(self, number: int, now: float) -> tuple[PlannedJob, float] | None:
        """A job is done; the seconds that it took teach what others will."""
        running = self.running.pop(number, None)
        if running is None:
            return None
        seconds = now - running.began
        self.finished[number] = seconds
        self._learn(self._measured, running.job, seconds, 1.0)
        return running.job, seconds

    def fail(self, number: int) -> PlannedJob | None:
        """A job failed; it waits, since it may be tried again."""
        running = self.running.pop(number, None)
        if running is None:
            return None
        self.waiting[number] = running.job
        return running.job

    def state_of(self, running: Running, now: float) -> State | None:
        """What its program says; its file is read once a moment: on a cluster that costs."""
        if now != self._looked:
            self._looked, self._states = now, {}
        number = running.job.number
        if number not in self._states:
            self._states[number] = running.state()
        return self._states[number]

    def pace(self, now: float) -> Pace:
        """Of this machine today, by jobs that are done and by those under way."""
        measured, finished = list(self._measured), Pace(self._measured)
        silent: list[Running] = []
        for running in self.running.values():
            spent, state = now - running.began, self.state_of(running, now)
            if state is None:
                silent.append(running)
                continue
            self._kept[running.job.number] = state.kept
            whole = max(spent + state.left_at(now), 1e-3)
            if spent >= TRUSTED * max(whole, (1 - state.kept) * _expected(running.job, finished)):
                self._learn(measured, running.job, whole, min(spent / whole, 1.0))
        known = Pace(measured)
        for running in silent:
            spent = now - running.began
            if spent > _expected(running.job, known):  # it is as slow as this at least
                self._learn(measured, running.job, spent, 1.0)
        return Pace(measured)

    def left_of(self, running: Running, now: float, pace: Pace | None = None) -> float:
        """Seconds that a job under way will still take: more and more by what its program says."""
        state, spent = self.state_of(running, now), now - running.began
        expected = _expected(running.job, self.pace(now) if pace is None else pace)
        if state is None:
            return max(expected - spent, LEAST * expected)
        expected *= 1 - state.kept
        said = state.left_at(now)
        trust = min(1.0, spent / max(TRUSTED * max(spent + said, expected), 1e-9))
        return trust * said + (1 - trust) * max(expected - spent, LEAST * expected)

    def left(self, now: float) -> float:
        """Seconds until all jobs are done, if each begins as soon as it may and there is room."""
        cores = self.plan.cores or math.inf
        cards = math.inf if self.plan.cards is None else self.plan.cards
        pace = self.pace(now)
        ends = [(self.left_of(each, now, pace), each.job) for each in self.running.values()]
        waiting = {
            number: replace(job, after=tuple(n for n in job.after if n not in self.finished))
            for number, job in self.waiting.items()
        }
        return _last_end(waiting, ends, cores, cards, lambda job: _expected(job, pace))

    def _learn(
        self, measured: list[Measured], job: PlannedJob, seconds: float, share: float
    ) -> None:
        """Note how long a job takes, of which a share was seen; without what was done before."""
        own = 1 - self._kept.get(job.number, 0.0)
        if own < 1 - MOST_KEPT:
            return
        expected = own * max(job.seconds, SHORTEST)
        measured.append(Measured(kind_of(job.rule), seconds / expected, share * expected))


def _expected(job: PlannedJob, pace: Pace) -> float:
    return max(job.seconds, SHORTEST) * pace.of(kind_of(job.rule))


def _last_end(
    waiting: dict[int, PlannedJob],
    running: list[tuple[float, PlannedJob]],
    cores: float,
    cards: float,
    expected: Callable[[PlannedJob], float],
) -> float:
    """When the last job ends: whatever is ready and fits begins at once, the longest first."""
    time, done, ends = 0.0, set(), []
    for end, job in running:
        heapq.heappush(ends, (end, job.number, job))
    waiting = dict(waiting)
    while waiting or ends:
        cores_left = cores - sum(min(job.threads, cores) for _, _, job in ends)
        cards_left = cards - sum(min(job.cards, cards) for _, _, job in ends)
        ready = [job for job in waiting.values() if done.issuperset(job.after)]
        for job in sorted(ready, key=expected, reverse=True):
            threads, needed = min(job.threads, cores), min(job.cards, cards)
            if threads <= cores_left and needed <= cards_left:
                cores_left, cards_left = cores_left - threads, cards_left - needed
                heapq.heappush(ends, (time + expected(job), job.number, job))
                del waiting[job.number]
        if not ends:
            return time  # what is left waits for jobs that failed
        time, number, _ = heapq.heappop(ends)
        done.add(number)
    return time
