"""A training run from the first step, or from its last checkpoint, to the model."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from neus.models import NeuS
from neus.ops import threads_of_steps
from neus.training.checkpoint import CheckpointFolder
from neus.training.graph import GraphedStep
from neus.training.journal import Journal, Silence, duration
from neus.training.trainer import StepReport, Trainer
from neus.training.work import Work

RECORDS = 200
"""Records that a run leaves in its journal."""
AGREE_EVERY = 16
"""Steps after which several processes ask each other whether to stop."""
STOPPED = 128 + signal.SIGTERM
"""Exit status of a run that was asked to stop."""


class TrainingDivergedError(RuntimeError):
    """The run makes no sense any more; the sentence says what was seen and what to try."""


@dataclass(frozen=True)
class RunFigures:
    """What a finished run cost; time is summed over resumptions."""

    steps: int
    train_seconds: float
    samples_per_second: float
    rays_per_second: float


def run_training(
    trainer: Trainer,
    checkpoints: CheckpointFolder,
    journal_folder: Path,
    validate: Callable[[Trainer], dict[str, float] | None],
    advance: Callable[[float], None] = lambda share: None,
) -> RunFigures:
    """Train to the end of the budget.

    Checkpoints go to ``checkpoints`` every ``training.checkpoint_seconds`` and on SIGTERM, after
    which the process exits with status 143. ``validate`` is called ``training.validations`` times,
    evenly spread, and may return figures for the journal; it must not draw from the trainer's
    generator. ``advance`` is told which share of the work is done. Of several processes the first
    writes all files; they look every ``AGREE_EVERY`` steps whether any of them was asked to stop.

    Raises:
        TrainingDivergedError: the loss is not a number, or the surface dissolves; the last good
            checkpoint stays.
    """
    config, processes = trainer.method.training, trainer.processes
    state = checkpoints.load_latest(trainer.device)
    clock = _Clock()
    if state is not None:
        trainer.load_state_dict(state["trainer"])
        clock = _Clock(**state["clock"])
    every = max(1, config.steps // RECORDS)
    validate_every = math.ceil(config.steps / config.validations) if config.validations else 0
    watch, work = _Watch(config.checkpoint_seconds), Work(trainer.method)
    with (
        closing(
            Journal(journal_folder, trainer.step, config.steps, config.curves)
            if processes.first
            else Silence()
        ) as journal,
        _stop_requests() as stop_requested,
        threads_of_steps(trainer.backend),
    ):
        if state is not None:
            journal.say(f"resumed at step {trainer.step} of {config.steps}")
        on_cuda = trainer.device.type == "cuda"
        train_step = GraphedStep(trainer, journal.say) if on_cuda else trainer.train_step
        advance(work.share(trainer.step))
        while trainer.step < config.steps:
            clock.start()
            report = train_step()
            clock.stop(report)
            if trainer.step % every == 0 or trainer.step == config.steps:
                record = _record(trainer, report, clock)
                _refuse_divergence(record, trainer)
                journal.record(record, clock.left(trainer.step, config.steps))
            if validate_every and trainer.step % validate_every == 0 and processes.first:
                journal.figures(trainer.step, validate(trainer) or {})
            advance(work.share(trainer.step))
            stop = due = False
            if processes.count == 1 or trainer.step % AGREE_EVERY == 0:
                stop, due = processes.any(stop_requested(), processes.first and watch.due())
            if stop or due:
                _refuse_divergence(_record(trainer, report, clock), trainer)
                content = {"trainer": trainer.state_dict(), "clock": vars(clock)}
                if processes.first:
                    checkpoints.save(trainer.step, content, trainer.method)
            if stop:
                journal.say(f"stopped at step {trainer.step}; start again to resume")
                raise SystemExit(STOPPED)
        journal.say(f"trained {config.steps} steps in {duration(clock.seconds)}")
    return clock.figures(config.steps)


class _Clock:
    """Seconds spent in training steps, and what they processed."""

    def __init__(self, seconds: float = 0.0, samples: int = 0, rays: int = 0) -> None:
        self.seconds, self.samples, self.rays = seconds, samples, rays

    def start(self) -> None:
        self.seconds -= time.perf_counter()

    def stop(self, report: StepReport) -> None:
        self.seconds += time.perf_counter()
        self.samples += report.samples
        self.rays += report.rays

    def left(self, step: int, steps: int) -> float:
        return self.seconds / step * (steps - step)

    def figures(self, steps: int) -> RunFigures:
        return RunFigures(
            steps, self.seconds, self.samples / self.seconds, self.rays / self.seconds
        )


class _Watch:
    """Says when the next checkpoint is due."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._last = seconds, time.monotonic()

    def due(self) -> bool:
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True


@contextmanager
def _stop_requests() -> Iterator[Callable[[], bool]]:
    """Within the block SIGTERM only raises a flag, which the yielded function reads."""
    received: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        received.append(number)

    before = signal.signal(signal.SIGTERM, note)
    try:
        yield lambda: bool(received)
    finally:
        signal.signal(signal.SIGTERM, before)


def _record(trainer: Trainer, report: StepReport, clock: _Clock) -> dict[str, float]:
    """The journal's columns after a step."""
    error = max(float(report.squared_error), 1e-12)
    record: dict[str, Any] = {
        "step": trainer.step,
        "seconds": clock.seconds,
        "loss": float(report.loss),
        "psnr": -10 * math.log10(error) if math.isfinite(error) else math.nan,
        "inv_s": inv_s(trainer),
        "rays": report.rays,
        "samples_per_second": clock.samples / clock.seconds,
        "active_levels": trainer.stage.active_levels,
    }
    return record | {name: float(term) for name, term in report.terms.items()}


def inv_s(trainer: Trainer) -> float:
    """Sharpness of the surface; a density has none."""
    model = trainer.model
    if not isinstance(model, NeuS):
        return math.nan
    return float(model.bounded_inv_s(trainer.stage).detach())


def _refuse_divergence(record: dict[str, float], trainer: Trainer) -> None:
    """Stop a run that is lost, before its state overwrites a good checkpoint."""
    step = int(record["step"])
    tables = [p for name, p in trainer.model.named_parameters() if name.endswith("table")]
    if not (math.isfinite(record["loss"]) and all(torch.isfinite(t).all() for t in tables)):
        raise TrainingDivergedError(
            f"the loss is not a number at step {step}: lower training.learning_rates, or check the "
            "scene's cameras and normalisation"
        )
    initial = trainer.method.model.sdf.initial_inv_s
    if step > 0.2 * trainer.method.training.steps and record["inv_s"] < 0.5 * initial:
        raise TrainingDivergedError(
            f"inv_s has fallen to {record['inv_s']:.1f} at step {step} (it began at {initial:.1f} "
            "and should rise), so the surface dissolves into fog: check that masks and poses "
            "belong to the images and that the object lies in the unit sphere"
        )
