"""Recorded steps on a GPU: the same as plain ones, with new random numbers, or none at all.

Needs neither omegaconf nor numba, so that ``benchmarks/gpu_checklist.sh`` can run it.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from benchmarks.gpu.scan import wavy_ball
from benchmarks.gpu.training import method_for, trainer_on
from neus.training import graph
from neus.training.graph import GraphedStep
from neus.training.settings import HeldSettings
from neus.training.trainer import StepReport, Trainer

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="CUDA graphs need a GPU")

DEVICE = torch.device("cuda")


def trainer_on_gpu() -> Trainer:
    """The budget is so long that no schedule moves on, the number of rays stays as it is."""
    trainer = trainer_on(wavy_ball(4, 160, 120, DEVICE), method_for(1 << 14, 10**6, 14), DEVICE)
    number = trainer.rays
    trainer._rounded = lambda rays: number
    return trainer


@pytest.fixture(autouse=True)
def recorded_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "REHEARSALS", 6)


def held_step(trainer: Trainer, held: HeldSettings) -> StepReport:
    """A plain step, which draws as many random numbers as a recorded one."""
    return trainer.train_step(lambda settings: trainer.device_step(held.hold(settings)))


def test_replayed_steps_equal_plain_ones_and_draw_new_random_numbers():
    """But for the order of atomic sums."""
    graphed, plain = trainer_on_gpu(), trainer_on_gpu()
    said: list[str] = []
    step, held = GraphedStep(graphed, said.append), HeldSettings(DEVICE)
    losses, plain_losses = [], []
    for _ in range(40):
        losses.append(float(step().loss))
        plain_losses.append(float(held_step(plain, held).loss))
    assert not said
    assert step.replayed == 34
    assert len(set(losses)) == 40
    assert losses == pytest.approx(plain_losses, rel=0.05)


def test_a_state_after_replays_is_one_to_go_on_from():
    graphed, resumed = trainer_on_gpu(), trainer_on_gpu()
    step = GraphedStep(graphed)
    for _ in range(20):
        step()
    assert step.replayed == 14
    resumed.load_state_dict(copy.deepcopy(graphed.state_dict()))
    losses = [float(held_step(resumed, HeldSettings(DEVICE)).loss) for _ in range(3)]
    assert [float(step().loss) for _ in range(3)] == pytest.approx(losses, rel=1e-2)


# The gradients that the recording was to add up are known to autograd by its stream.
@pytest.mark.filterwarnings("ignore:The AccumulateGrad node's stream")
def test_a_broken_recording_leaves_the_trainer_as_it_was(monkeypatch: pytest.MonkeyPatch):
    trainer, plain, said = trainer_on_gpu(), trainer_on_gpu(), []
    step, held, render = (
        GraphedStep(trainer, said.append),
        HeldSettings(DEVICE),
        trainer.model.render,
    )

    def waiting(*arguments: Any) -> Any:
        rendering = render(*arguments)
        float(rendering.rgb.detach().sum())
        return rendering

    monkeypatch.setattr(trainer.model, "render", waiting)
    losses = [float(step().loss) for _ in range(40)]
    assert len(said) == 1
    assert step.replayed == 0
    assert losses == pytest.approx(
        [float(held_step(plain, held).loss) for _ in range(40)], rel=0.05
    )
