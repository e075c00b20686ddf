"""A run as it goes on: which jobs are done, which run, and when all will be."""

from __future__ import annotations

import heapq
import math
from collections import defaultdict
from dataclasses import dataclass, replace
from pathlib import Path

from neus.console.costs import UNKNOWN
from neus.console.plan import Plan, PlannedJob
from neus.progress import State, file_of, read_state

DOUBT = 20.0
"""Expected seconds that weigh as much as those that went by, for the pace of this machine today."""
LEAST = 0.05
"""Of what is expected of a job, that is said to be left of one which takes longer."""


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
    """Foretells a run from its plan and from what became of its jobs up to now."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.waiting = {job.number: job for job in plan.jobs}
        self.running: dict[int, Running] = {}
        self.finished: dict[int, float] = {}
        self._ratios: dict[str, list[float]] = defaultdict(list)
        self._spent, self._expected = DOUBT, DOUBT

    @property
    def count(self) -> int:
        return len(self.plan.jobs)

    def begin(self, number: int, now: float, log: Path | None, rule: str = "") -> Running:
        """A job begins, perhaps once more; ``rule`` names one that the plan does not know."""
        unknown = PlannedJob(number, rule, "", 1, 0, (), UNKNOWN)
        known = next((job for job in self.plan.jobs if job.number == number), unknown)
        self.waiting.pop(number, None)
        self.running[number] = Running(known, now, log)
        return self.running[number]

    def finish(self, number: int, now: float) -> tuple[PlannedJob, float] | None:
        """A job is done; the seconds that it took teach what others will."""
        running = self.running.pop(number, None)
        if running is None:
            return None
        seconds = now - running.began
        self.finished[number] = seconds
        self._spent += seconds
        self._expected += running.job.seconds
        self._ratios[running.job.rule].append(seconds / max(running.job.seconds, 0.1))
        return running.job, seconds

    def fail(self, number: int) -> PlannedJob | None:
        """A job failed; it waits, since it may be tried again."""
        running = self.running.pop(number, None)
        if running is None:
            return None
        self.waiting[number] = running.job
        return running.job

    def expected(self, job: PlannedJob) -> float:
        """Seconds of a job that has not begun: as slow as its like were, else as all others."""
        ratios = self._ratios.get(job.rule)
        pace = sum(ratios) / len(ratios) if ratios else self._spent / self._expected
        return job.seconds * pace

    def left_of(self, running: Running, now: float) -> float:
        """Seconds that a job under way will still take."""
        state = running.state()
        if state is not None:
            return state.left_at(now)
        expected = self.expected(running.job)
        return max(expected - (now - running.began), LEAST * expected)

    def left(self, now: float) -> float:
        """Seconds until all jobs are done, if each begins as soon as it may and there is room."""
        cores = self.plan.cores or math.inf
        cards = math.inf if self.plan.cards is None else self.plan.cards
        ends = [(self.left_of(running, now), running.job) for running in self.running.values()]
        waiting = {
            number: replace(job, after=tuple(n for n in job.after if n not in self.finished))
            for number, job in self.waiting.items()
        }
        return _last_end(waiting, ends, cores, cards, self.expected)


def _last_end(waiting, running, cores, cards, expected) -> float:
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
