"""Steps from CUDA graphs: the same as plain ones; which graphs are recorded and kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from neus.config import ModelConfig, OutsideConfig
from neus.models import stage_at
from neus.training import graph
from neus.training.graph import GraphedStep
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.settings import StepSettings, lasting
from neus.training.trainer import StepReport, Trainer
from tests.helpers.trainings import (
    CPU,
    folder,
    no_validation,
    small_method,
    sphere_capture,
    weights_after,
)


class Imitation:
    """A recorder without a GPU: what it records is the step itself."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.rehearsed: list[int] = []
        self.recorded: list[tuple[int, tuple]] = []
        self.replayed: list[tuple] = []
        self.error: RuntimeError | None = None

    def rehearse(self, settings: StepSettings) -> StepReport:
        self.rehearsed.append(self.trainer.step)
        return self.trainer.device_step(settings)

    def record(self, settings: StepSettings) -> Callable[[StepSettings], StepReport]:
        if self.error is not None:
            raise self.error
        shape = settings.shape
        self.recorded.append((self.trainer.step, shape))

        def replay(settings: StepSettings) -> StepReport:
            assert settings.shape == shape
            self.replayed.append(shape)
            return self.trainer.device_step(settings)

        return replay


def imitated(
    monkeypatch: pytest.MonkeyPatch, steps: int = 2000
) -> tuple[GraphedStep, Trainer, Imitation, list[str]]:
    """Steps that are recorded after six of a shape, which are rehearsed.

    In the first of 2000 steps no level of the grid is switched on.
    """
    settings = {"Recorder": Imitation, "obstacle": lambda _: None, "REHEARSALS": 6}
    for name, value in settings.items():
        monkeypatch.setattr(graph, name, value)
    pool, said = PixelPool(*sphere_capture(), CPU), []
    trainer = Trainer(small_method(steps), pool, CPU, 0)
    step = GraphedStep(trainer, said.append)
    assert isinstance(step._recorder, Imitation)
    return step, trainer, step._recorder, said


def test_steps_from_graphs_equal_plain_ones_bitwise(monkeypatch: pytest.MonkeyPatch):
    step, trainer, recorder, said = imitated(monkeypatch, 60)
    plain = Trainer(trainer.method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    for _ in range(48):
        found, expected = step(), plain.train_step()
        assert torch.equal(found.loss, expected.loss)
    assert torch.equal(weights_after(trainer), weights_after(plain))
    assert trainer.step == plain.step == 48
    assert trainer.rays == plain.rays
    assert step.replayed == len(recorder.replayed) > 10
    assert not said


def test_a_shape_is_recorded_when_it_has_lasted_and_found_again(monkeypatch: pytest.MonkeyPatch):
    step, trainer, recorder, _ = imitated(monkeypatch)
    monkeypatch.setattr(trainer, "_update_scene_state", lambda: None)
    for _ in range(8):
        step()
    assert recorder.rehearsed == [0, 1, 2, 3, 4, 5]
    assert [at for at, _ in recorder.recorded] == [6]
    trainer.rays += 1
    for _ in range(3):
        step()
    assert len(recorder.recorded) == 1  # for a moment only
    trainer.rays -= 1
    step()
    assert step.replayed == 3
    assert len(recorder.recorded) == 1
    trainer.load_state_dict(trainer.state_dict())  # which replaces what the graph reads
    step()
    assert step.replayed == 3


def test_the_graphs_that_were_used_last_are_kept(monkeypatch: pytest.MonkeyPatch):
    step, trainer, recorder, _ = imitated(monkeypatch)
    monkeypatch.setattr(graph, "KEPT", 2)
    monkeypatch.setattr(trainer, "_update_scene_state", lambda: None)
    for rays in (20, 21, 20, 22, 20, 21):
        trainer.rays = rays
        for _ in range(7):
            step()
    assert [shape[0] for _, shape in recorder.recorded] == [20, 21, 22, 21]


def test_a_recording_that_fails_leaves_plain_steps_and_one_sentence(
    monkeypatch: pytest.MonkeyPatch,
):
    step, trainer, recorder, said = imitated(monkeypatch)
    plain = Trainer(trainer.method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    recorder.error = RuntimeError("CUDA error: operation not permitted\nwhen stream is capturing")
    for _ in range(20):
        step()
        plain.train_step()
    assert step.replayed == 0
    assert said == [
        "steps are launched kernel by kernel, not as a CUDA graph: "
        "CUDA error: operation not permitted"
    ]
    assert torch.equal(weights_after(trainer), weights_after(plain))


def test_without_a_gpu_steps_are_plain(capsys: pytest.CaptureFixture[str]):
    trainer = Trainer(small_method(10), PixelPool(*sphere_capture(), CPU), CPU, 0)
    step = GraphedStep(trainer)
    step()
    assert (trainer.step, step.replayed) == (1, 0)
    assert capsys.readouterr().err.count("the device is cpu") == 1


def test_a_run_on_cuda_takes_its_steps_from_graphs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    made = []

    def noted(trainer: Trainer, say: Callable[[str], object]) -> GraphedStep:
        made.append(GraphedStep(trainer, say))
        return made[-1]

    monkeypatch.setattr("neus.training.run.GraphedStep", noted)
    for device in (CPU, torch.device("cuda")):
        trainer = Trainer(small_method(10), PixelPool(*sphere_capture(), CPU), CPU, 0)
        trainer.device = device
        where = tmp_path / device.type
        assert run_training(trainer, folder(where), where, no_validation).steps == 10
        assert len(made) == (device.type == "cuda")
    assert trainer.step == 10


def test_numbers_of_rays_are_few_on_cuda(monkeypatch: pytest.MonkeyPatch):
    trainer = Trainer(small_method(10), PixelPool(*sphere_capture(), CPU), CPU, 0)
    assert trainer._rounded(12345) == 12345
    monkeypatch.setattr(trainer, "device", torch.device("cuda"))
    wanted = range(1, 20000)
    found = [trainer._rounded(rays) for rays in wanted]
    assert all(0.968 * rays <= rounded <= rays for rays, rounded in zip(wanted, found, strict=True))
    assert len(set(found)) < 350


@pytest.mark.parametrize(("first", "last"), [(0.3, 0.1), (0.3, 0.07), (0.29, 0.083)])
def test_growths_of_sections_outside_are_few_and_end_as_asked(first: float, last: float):
    outside = OutsideConfig(first_ratio=first, last_ratio=last)
    model = ModelConfig(background="learned", outside=outside)
    stages = [stage_at(model, step, 1000) for step in range(1001)]
    found = [lasting(stage, last).outside_ratio for stage in stages]
    for ratio, stage in zip(found, stages, strict=True):
        assert stage.outside_ratio <= ratio <= 1.0625 * stage.outside_ratio
    assert found == sorted(found, reverse=True)
    assert found[0] == pytest.approx(first, rel=0.06)
    assert found[500:] == pytest.approx([last] * 501, rel=1e-9)
    assert 20 < len(set(found)) < 40


def test_the_trainer_asks_for_few_growths_on_cuda(monkeypatch: pytest.MonkeyPatch):
    trainer = Trainer(small_method(1000), PixelPool(*sphere_capture(), CPU), CPU, 0)
    trainer.method = replace(trainer.method, model=ModelConfig(background="learned"))
    ratios = {}
    for device in (CPU, torch.device("cuda")):
        monkeypatch.setattr(trainer, "device", device)
        ratios[device.type] = set()
        for trainer.step in range(200):
            ratios[device.type].add(trainer.stage.outside_ratio)
    assert len(ratios["cpu"]) == 200
    assert len(ratios["cuda"]) < 20
