"""Runs of Snakemake that take no time: jobs of known seconds, looked at now and then."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from neus.console import Plan, PlannedJob, Timeline
from neus.progress import Progress, file_of


@dataclass
class SimulatedRun:
    """A run and what was said of it.

    Attributes:
        seconds: that each job really takes, by its number.
        speaking: rules whose programs say how far they are.
        failing: shares of their work after which jobs fail once, by number; a second attempt of one
            that speaks goes on from there, as a training does.
        said: at each look, seconds since the begin and seconds that were said to be left.
    """

    plan: Plan
    seconds: dict[int, float]
    folder: Path
    speaking: frozenset[str] = frozenset({"train"})
    failing: dict[int, float] = field(default_factory=dict)
    said: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.now = 0.0
        self._timeline = Timeline(self.plan)
        self._done: dict[int, float] = dict.fromkeys(self.seconds, 0.0)  # shares of jobs
        self._programs: dict[int, Progress] = {}

    def go(self, tick: float) -> float:
        """Let everything run, looking every ``tick`` seconds; return the seconds that it took."""
        timeline = self._timeline
        while timeline.waiting or timeline.running:
            for job in sorted(timeline.waiting.values(), key=lambda job: job.number):
                if self._fits(job):
                    self._begin(job)
            self.said.append((self.now, timeline.left(self.now)))
            self.now += tick
            for number, running in list(timeline.running.items()):
                self._advance(number, running.job, tick)
        return self.now

    def left_at(self, share: float) -> tuple[float, float]:
        """What was said first after a share of the run, and what was left."""
        now, left = next(look for look in self.said if look[0] >= share * self.now)
        return left, self.now - now

    def _fits(self, job: PlannedJob) -> bool:
        cores = self.plan.cores or 1
        taken = sum(min(each.job.threads, cores) for each in self._timeline.running.values())
        is_ready = all(self._done[number] >= 1 for number in job.after if number in self._done)
        return is_ready and taken + min(job.threads, cores) <= cores

    def _begin(self, job: PlannedJob) -> None:
        log = self.folder / f"{job.number}.log"
        self._timeline.begin(job.number, self.now, log)
        if job.rule in self.speaking:
            self._programs[job.number] = Progress(
                {"training": 100.0}, file=file_of(log), clock=lambda: self.now
            )
            self._programs[job.number].at("training", self._done[job.number])

    def _advance(self, number: int, job: PlannedJob, tick: float) -> None:
        self._done[number] = min(self._done[number] + tick / self.seconds[number], 1.0)
        if number in self._programs:
            self._programs[number].at("training", self._done[number])
        if self._done[number] >= self.failing.get(number, 2.0):
            del self.failing[number]
            self._done[number] *= job.rule in self.speaking
            self._timeline.fail(number)
        elif self._done[number] >= 1 - 1e-9:
            self._timeline.finish(number, self.now)
