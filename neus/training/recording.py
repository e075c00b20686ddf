"""Steps of one shape, recorded in CUDA graphs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from neus.training.settings import HeldSettings, StepSettings
from neus.training.trainer import StepReport, Trainer

Replay = Callable[[StepSettings], StepReport]
"""A recorded step: takes settings of the shape that it was recorded with."""


class Recorder:
    """Records the device's part of a trainer's steps.

    All graphs share a pool of memory, since they never run at the same time and leave nothing in it
    that another one reads.
    """

    def __init__(self, trainer: Trainer) -> None:
        self._trainer, self._held = trainer, HeldSettings(trainer.device)
        self._stream = torch.cuda.Stream(trainer.device)
        self._pool = torch.cuda.graph_pool_handle()

    def rehearse(self, settings: StepSettings) -> StepReport:
        """Take a step kernel by kernel, as it will be recorded: it compiles what is missing.

        On the stream of the recording, since cuBLAS has workspaces for each stream.
        """
        main = torch.cuda.current_stream(self._trainer.device)
        held = self._held.hold(settings)
        self._stream.wait_stream(main)
        with torch.cuda.stream(self._stream):
            report = self._trainer.device_step(held)
        main.wait_stream(self._stream)
        return report

    def record(self, settings: StepSettings) -> Replay:
        """Record a step, which is not taken yet.

        Raises:
            RuntimeError: something in the step cannot be recorded; the trainer is as before.
        """
        trainer, held = self._trainer, self._held.hold(settings)
        random_state = trainer.generator.get_state()
        graph = torch.cuda.CUDAGraph()
        graph.register_generator_state(trainer.generator)
        try:
            # The outer block gives the stream back where the inner one fails to.
            with (
                torch.cuda.stream(self._stream),
                torch.cuda.graph(graph, pool=self._pool, stream=self._stream),
            ):
                report = trainer.device_step(held)
                figures = torch.stack([report.loss, report.squared_error, *report.terms.values()])
        except RuntimeError:
            self._restore(random_state)
            raise

        def replay(settings: StepSettings) -> StepReport:
            self._held.hold(settings)
            graph.replay()
            # The next replay of any graph writes over the figures.
            return _with_figures(report, figures.clone())

        return replay

    def _restore(self, random_state: Tensor) -> None:
        """Undo what a broken recording has done: on the host alone, since no kernel has run."""
        trainer = self._trainer
        trainer.optimizer.forget_gradients()
        # The generator that was registered may wait for the end of the recording for ever.
        trainer.generator = torch.Generator(trainer.device)
        trainer.generator.set_state(random_state)


def _with_figures(report: StepReport, figures: Tensor) -> StepReport:
    """A report of the same step with the numbers of another time."""
    loss, squared_error, *terms = figures.unbind()
    named = dict(zip(report.terms, terms, strict=True))
    return StepReport(loss, named, squared_error, report.rays, report.samples)
