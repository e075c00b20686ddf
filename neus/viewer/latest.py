"""The newest of a run's files that hold a model: its checkpoints, and what it ends with."""

from __future__ import annotations

from pathlib import Path

import torch

from neus.errors import InputError
from neus.models import TrainedModel, load_model

MODEL = "model.pt"
CHECKPOINTS = "run/checkpoints/step-*.pt"
PLACES = ("seed*", "*/seed*", "*/*/seed*")
"""Where below a folder that people name a run may lie, if it is none itself."""


def live_run(path: Path) -> Path:
    """The run that a path names, or the last that something was written to below it.

    Raises:
        InputError: no training has begun there.
    """
    below = [run for place in PLACES for run in path.glob(place)]
    runs = [run for run in (path, *below) if _has_begun(run)]
    if not runs:
        raise InputError(
            f"{path} holds no run whose training has begun: name results/SCAN/METHOD/seed0"
        )
    return max(runs, key=_last_change)


def _has_begun(run: Path) -> bool:
    return (run / MODEL).is_file() or (run / "run" / "metrics.csv").is_file()


def _last_change(run: Path) -> float:
    files = [run / MODEL, run / "run" / "metrics.csv", *run.glob(CHECKPOINTS)]
    return max(_changed(file) for file in files)


def _changed(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


class Latest:
    """Reads the newest file of a run, each once."""

    def __init__(self, run: Path, device: torch.device) -> None:
        self.run, self._device = run, device
        self._seen: tuple[Path, float] | None = None

    def model(self) -> TrainedModel | None:
        """What was written since the last call; None if nothing was.

        A checkpoint that the training drops meanwhile is no fault: the next is there already.
        """
        files = [self.run / MODEL, *self.run.glob(CHECKPOINTS)]
        found = [(file, changed) for file in files if (changed := _changed(file))]
        if not found:
            return None
        newest = max(found, key=lambda pair: (pair[1], pair[0].name))
        if newest == self._seen:
            return None
        try:
            trained = load_model(newest[0], self._device)
        except InputError:
            return None
        self._seen = newest
        return trained

    def age(self, trained: TrainedModel) -> str:
        """How far the training of the model that was read last is, in words."""
        steps = trained.method.training.steps
        if self._seen is None or self._seen[0].name == MODEL:
            return f"trained, {steps} steps"
        return f"step {int(self._seen[0].stem.removeprefix('step-'))} of {steps}"
