"""One line a job while Snakemake runs, and one for all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from threading import Event, RLock, Thread

from neus.console.painter import Painter
from neus.console.plan import Plan, PlannedJob
from neus.console.timeline import Running, Timeline
from neus.console.words import about, exactly
from neus.progress import Pace

BAR = 12
"""Characters of the bar that fills up."""
FINE = 200
"""Notes of a job's times left, at most, however long it takes."""
LAST_WORDS = 12
"""Lines of a log that are shown of a job that failed."""


class Console:
    """Shows a run.

    Args:
        painter: where lines go.
        foretold: file that keeps what was said of times left, or None.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        painter: Painter,
        *,
        foretold: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._painter, self._clock, self._foretold = painter, clock, foretold
        self._lock, self._stopped = RLock(), Event()
        self._timeline: Timeline | None = None
        self._began = self._shown = clock()
        self._left: tuple[float, float] | None = None
        self._noted: dict[str, float] = {}

    def plan(self, plan: Plan) -> None:
        """The run begins; where its plan is empty, jobs are shown as they come."""
        with self._lock:
            self._timeline = Timeline(plan)
            self._began = self._clock()
            if self._foretold is not None:
                self._foretold.write_text("seconds\tjob\tshare\tleft\n", encoding="utf-8")
            if plan.jobs:
                left = self._timeline.left(self._began)
                self._note(self._began, "all", 0.0, left)
                expected = about(left)
                self._painter.say(f"{_counted(len(plan.jobs))} to do, {expected}")
        Thread(target=self._renew, daemon=True).start()

    def _columns(self, job: PlannedJob) -> str:
        """A job's name, as wide as the longest of all."""
        jobs = (job,) if self._timeline is None else (job, *self._timeline.plan.jobs)
        rule, of = (max(len(getattr(each, name)) for each in jobs) for name in ("rule", "of"))
        return f"{job.rule:<{rule}} {job.of:<{of}}"

    def begin(self, number: int, log: Path | None, rule: str) -> None:
        """A job begins; ``rule`` names one that the plan does not know."""
        with self._lock:
            began = self._clock()
            running = self._timeline and self._timeline.begin(number, began, log, rule)
            if running and self._timeline:
                self._note(began, running.job, 0.0, self._timeline.left_of(running, began))
                if not self._painter.renews:
                    self._painter.say(f"  {_name(running.job)}: begun")
            self.renew()

    def finish(self, number: int) -> None:
        with self._lock:
            done = self._timeline and self._timeline.finish(number, self._clock())
            if not done or not self._timeline:
                return
            job, seconds = done
            self._left = None
            self._note(self._clock(), job, 1.0, 0.0)
            line = f"{self._painter.mark('done')} {self._columns(job)}{exactly(seconds):>12}"
            last = len(self._timeline.finished) == self._timeline.count
            if not self._painter.renews and not last:
                line += f"   {self._summary(self._timeline)}"
            self._painter.show([])
            self._painter.say(line)
            if last:
                spent = exactly(self._clock() - self._began)
                self._painter.say(f"{_counted(self._timeline.count)} done in {spent}")
                self._stopped.set()
            else:
                self.renew()

    def fail(self, number: int, log: Path | None) -> None:
        """A job failed: its last words stand below its line."""
        with self._lock:
            job = self._timeline and self._timeline.fail(number)
            name = _name(job) if job else f"job {number}"
            self._painter.say(f"{self._painter.mark('failed')} {name} failed")
            words = [] if log is None else _last_words(log)
            for line in words:
                self._painter.say(f"    {line}")
            if log is not None:
                self._painter.say(f"    all of its words: {log}")
            self.renew()

    def say(self, text: str) -> None:
        with self._lock:
            for line in text.strip().splitlines():
                self._painter.say(line)

    def wait(self, seconds: float) -> None:
        """Return once the last job's line has been written, or after a while."""
        if self._timeline is not None:
            self._stopped.wait(seconds)

    def close(self) -> None:
        """Nothing renews itself any more."""
        with self._lock:
            if not self._stopped.is_set():
                self._stopped.set()
                self._painter.show([])

    def renew(self) -> None:
        """Look how far all is, and show it if it is time."""
        with self._lock:
            now, timeline = self._clock(), self._timeline
            if timeline is None or self._stopped.is_set():
                return
            pace = timeline.pace(now)
            lines = [self._line(timeline, each, now, pace) for each in timeline.running.values()]
            lines.append(self._summary(timeline))
            if now - self._shown >= self._painter.every:
                self._shown = now
                self._painter.show(lines)

    def _renew(self) -> None:
        while not self._stopped.wait(1.0):
            self.renew()

    def _line(self, timeline: Timeline, running: Running, now: float, pace: Pace) -> str:
        left, state = timeline.left_of(running, now, pace), timeline.state_of(running, now)
        spent = now - running.began
        share = min(spent / max(spent + left, 1e-9), 0.99)
        self._note(now, running.job, share, left)
        part = "" if state is None else f", {state.part}"
        bar = f" {_bar(share)}" if self._painter.renews else ""
        return f"  {self._columns(running.job)}{bar}{share:6.0%}  {about(left)} left{part}"

    def _summary(self, timeline: Timeline) -> str:
        now = self._clock()
        if not timeline.plan.jobs:
            return f"{_counted(len(timeline.finished))} done"
        done = f"{len(timeline.finished)} of {_counted(timeline.count)}"
        patience = 0.9 + timeline.count / 50  # a large run takes long to be foretold
        if self._left is None or now - self._left[0] > patience:
            self._left = now, timeline.left(now)
            spent = now - self._began
            share = spent / max(spent + self._left[1], 1e-9)
            self._note(now, "all", share, self._left[1])
        return f"{done}, {about(max(self._left[1] - (now - self._left[0]), 0.0))} left"

    def _note(self, now: float, job: PlannedJob | str, share: float, left: float) -> None:
        """Keep what is said: where a job begins and ends, and some times in between."""
        if self._foretold is None or self._timeline is None:
            return
        name = job if isinstance(job, str) else _name(job)
        if 0 < share < 1 and abs(share - self._noted.get(name, 0.0)) < 1 / FINE:
            return
        self._noted[name] = share
        with self._foretold.open("a", encoding="utf-8") as stream:
            stream.write(f"{now - self._began:.1f}\t{name}\t{share:.3f}\t{left:.1f}\n")


def _counted(jobs: int) -> str:
    return f"{jobs} job" if jobs == 1 else f"{jobs} jobs"


def _name(job: PlannedJob) -> str:
    return f"{job.rule} {job.of}".strip()


def _bar(share: float) -> str:
    full = round(BAR * share)
    return "#" * full + "." * (BAR - full)


def _last_words(log: Path) -> list[str]:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
    return [line for line in lines if line.strip()][-LAST_WORDS:]
