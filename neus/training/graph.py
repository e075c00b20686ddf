"""Training steps from CUDA graphs: the host launches one graph, not some hundred kernels."""

from __future__ import annotations

import sys
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from neus.fields import unfused_density
from neus.training.recording import Recorder, Replay
from neus.training.settings import StepSettings
from neus.training.trainer import StepReport, Trainer

REHEARSALS = 1
"""Steps of a shape that run as they will be recorded, which compiles what is missing. No more: a
shape lasts for 16 steps, mostly, and each that is not replayed costs as much as four that are."""
KEPT = 32
"""Graphs, those that were used last; the number of rays goes up and down between a few values."""


class GraphedStep:
    """Advances a trainer by a step, like :meth:`Trainer.train_step`, from a graph where it can.

    A graph serves steps of one shape, see :attr:`StepSettings.shape`. It is recorded after the
    shape's first step, which is plain. So are all, after one sentence to ``say``, where steps
    cannot be recorded, or where that fails.

    Attributes:
        replayed: steps that came from a graph.
    """

    def __init__(
        self,
        trainer: Trainer,
        say: Callable[[str], object] = lambda text: print(text, file=sys.stderr),
    ) -> None:
        self._trainer, self._say = trainer, say
        self._recorder: Recorder | None = None
        self._graphs: OrderedDict[tuple[Any, ...], Replay] = OrderedDict()
        self._key: tuple[Any, ...] = ()
        self._lasted = self.replayed = 0
        if reason := obstacle(trainer):
            self._give_up(reason)
        else:
            self._recorder = Recorder(trainer)

    def __call__(self) -> StepReport:
        return self._trainer.train_step(self._device_step)

    def _device_step(self, settings: StepSettings) -> StepReport:
        if self._recorder is None:
            return self._trainer.device_step(settings)
        key = (self._trainer.loads, *settings.shape)
        self._lasted = self._lasted + 1 if key == self._key else 1
        self._key = key
        if key not in self._graphs:
            if self._lasted <= REHEARSALS:
                return self._recorder.rehearse(settings)
            try:
                self._graphs[key] = self._recorder.record(settings)
            except RuntimeError as error:
                self._give_up(_cause(error))
                return self._trainer.device_step(settings)
        self._graphs.move_to_end(key)
        if len(self._graphs) > KEPT:
            self._graphs.popitem(last=False)
        self.replayed += 1
        return self._graphs[key](settings)

    def _give_up(self, reason: str) -> None:
        self._recorder = None
        self._graphs.clear()
        self._say(f"steps are launched kernel by kernel, not as a CUDA graph: {reason}")


def obstacle(trainer: Trainer) -> str | None:
    """Why steps of a trainer cannot be recorded, if they cannot."""
    config = trainer.method.training
    obstacles = {
        f"the device is {trainer.device.type}": trainer.device.type != "cuda",
        "the method does not run on the CUDA operators": trainer.backend.__name__
        != "neus.ops.cuda",
        "a density runs in plain torch": bool(unfused_density(trainer.method.model)),
        "there are several processes": trainer.processes.count > 1,
        "training.one_image_batches waits for the device": config.one_image_batches,
    }
    return next((reason for reason, holds in obstacles.items() if holds), None)


def _cause(error: BaseException) -> str:
    """What went wrong first; the end of a broken recording only says that something did."""
    while error.__context__ is not None:
        error = error.__context__
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
