"""Steps from CUDA graphs: nothing in a step waits for the device; which graphs are kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from neus.config import load_method
from neus.ops import cuda
from neus.rendering.occupancy import OccupancyGrid
from neus.training import graph
from neus.training.graph import GraphedStep, obstacle
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.settings import HeldSettings, StepSettings
from neus.training.trainer import StepReport, Trainer
from tests.helpers.method_options import merged
from tests.helpers.trainings import (
    CPU,
    folder,
    no_validation,
    small_method,
    sphere_capture,
    weights_after,
)
from tests.helpers.triton_cases import large_blocks

SMALL_GRID = {"levels": 2, "log2_entries": 8, "initial_levels": 2, "finest_resolution": 64}
LOSSES = {
    "opaque": 0.01, "sparsity": 0.01, "distortion": 0.01,
    "colour_squared": [0.0, 1.0, 2.0, 1.0],
}  # fmt: skip
METHODS: dict[str, dict[str, Any]] = {
    "masks": {},
    "all losses": {
        "model": {"sdf": {"max_inv_s": [0.0, 20.0, 100.0, 1.0]}, "cos_anneal_end": 0.9},
        "training": {"losses": LOSSES, "learning_rates": {"weight_decay": 0.01}},
    },
    "differences": {
        "model": {"sdf": {"gradient": {"kind": "differences", "taps": 4}}},
        "training": {"losses": {"curvature": [0.0, 0.0, 1e-4, 0.5]}},
    },
    "surroundings": {
        "model": {
            "background": "learned",
            "radiance": {"direction_encoding": "frequency", "direction_bands": 2},
            "outside": {"hash_grid": SMALL_GRID, "occupancy_resolution": 16},
        },
        "training": {"outside_samples": 1280},
    },
    "density": {"model": {"kind": "nerf"}},
}  # fmt: skip
TINY = {
    "model": {
        "hash_grid": SMALL_GRID,
        "sdf": {"width": 16},
        "radiance": {"width": 16},
        "marching": {"occupancy_resolution": 16, "first_step": 0.1, "last_step": 0.05},
    },
    "training": {"steps": 40, "samples": 1056, "uniform_samples": 32, "validations": 0},
}
REFUSED = {
    *("_local_scalar_dense", "equal", "is_nonzero"),
    *("nonzero", "nonzero_static", "masked_select", "repeat_interleave", "bincount"),
    *("_unique2", "unique_dim", "unique_consecutive"),
    "lift_fresh",
}
"""Operators that wait for the device, whose shapes depend on data, or that copy constants to it."""


class DeviceOnly(TorchDispatchMode):
    """Refuses what a CUDA graph cannot hold, and lists what was done with the shapes it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.trace: list[tuple[str, list[tuple[int, ...]]]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # pyright: ignore
        name = func.overloadpacket.__name__
        assert name not in REFUSED, f"aten.{name} in a step"
        if name.startswith("index") and len(args) > 1 and isinstance(args[1], (list, tuple)):
            kinds = [index.dtype for index in args[1] if index is not None]
            assert not {torch.bool, torch.uint8} & set(kinds), f"boolean aten.{name} in a step"
        result = func(*args, **(kwargs or {}))
        results = result if isinstance(result, (list, tuple)) else [result]
        self.trace.append((name, [tuple(r.shape) for r in results if isinstance(r, Tensor)]))
        return result


@pytest.mark.parametrize(
    "host_read",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.max()),
        lambda x: bool((x > 0).any()),
        lambda x: x[x > 0],
        lambda x: x.clone().index_put_((x > 0,), torch.zeros(())),
        lambda x: x.nonzero(),
        lambda x: x.unique(),
        lambda x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
    ],
)
def test_what_a_graph_cannot_hold_is_noticed(host_read: Callable[[Tensor], object]):
    with pytest.raises(AssertionError, match="in a step"), DeviceOnly():
        host_read(torch.arange(4.0))


def on_cuda_operators(name: str, monkeypatch: pytest.MonkeyPatch) -> tuple[Trainer, StepSettings]:
    """A trainer whose kernels are interpreted, rehearsed, and the settings of its next step."""
    monkeypatch.setattr("neus.training.trainer.operators_for", lambda method, device: cuda)
    method = load_method(None, merged(TINY, METHODS[name]))
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    trainer.rays, trainer.step = 8, 10
    settings = trainer._settings()
    with large_blocks():
        trainer.device_step(settings)
    return trainer, settings


def traced(trainer: Trainer, settings: StepSettings, monkeypatch: pytest.MonkeyPatch) -> list:
    with large_blocks(), DeviceOnly() as mode, monkeypatch.context() as patched:
        patched.setattr(Tensor, "tolist", None)  # which no mode sees on the CPU
        trainer.device_step(settings)
    return mode.trace


@pytest.mark.parametrize("name", METHODS)
def test_a_step_never_waits_for_the_device_and_no_shape_depends_on_data(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    trainer, settings = on_cuda_operators(name, monkeypatch)
    held = HeldSettings(CPU).hold(settings)
    full = traced(trainer, held, monkeypatch)
    trainer.occupancy.state.zero_()
    assert traced(trainer, held, monkeypatch) == full


def test_points_in_cavities_never_wait_for_the_device(monkeypatch: pytest.MonkeyPatch):
    trainer, _ = on_cuda_operators("masks", monkeypatch)
    grid, held = trainer.occupancy, HeldSettings(CPU)
    assert isinstance(grid, OccupancyGrid)
    grid._note_cavities(grid.cells[:7])
    few = traced(trainer, held.hold(trainer._settings()), monkeypatch)
    grid._note_cavities(grid.cells[:90])
    assert traced(trainer, held.hold(trainer._settings()), monkeypatch) == few


@pytest.mark.parametrize("name", METHODS)
def test_held_numbers_give_the_same_step_as_those_of_the_host(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    weights = []
    for holding in (False, True):
        trainer, settings = on_cuda_operators(name, monkeypatch)
        held = HeldSettings(CPU).hold(settings) if holding else settings
        with large_blocks():
            trainer.device_step(held)
        weights.append(weights_after(trainer))
    torch.testing.assert_close(*weights, rtol=1e-4, atol=1e-6)


def test_what_is_held_stays_in_its_place_and_follows():
    trainer = Trainer(small_method(60), PixelPool(*sphere_capture(), CPU), CPU, 0)
    held = HeldSettings(CPU)
    first = held.hold(trainer._settings())
    trainer.step = 30
    now = trainer._settings()
    second = held.hold(now)
    assert isinstance(first.rate_factor, Tensor)
    assert first.rate_factor is second.rate_factor
    assert float(first.rate_factor) == pytest.approx(float(now.rate_factor))
    assert first.stage.step_length is second.stage.step_length
    assert float(first.stage.step_length) == pytest.approx(now.stage.step_length)
    assert float(first.loss_weights["mask"]) == pytest.approx(0.1)
    assert first.hidden_cells == 0
    assert first.stage.max_inv_s == float("inf")


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
    """Steps that are recorded after six of a shape, the last two of them rehearsed.

    In the first of 2000 steps no level of the grid is switched on.
    """
    settings = {"Recorder": Imitation, "obstacle": lambda _: None, "STABLE": 6, "REHEARSALS": 2}
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
    assert recorder.rehearsed == [4, 5]
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


def test_what_stands_in_the_way_of_recording_is_named(monkeypatch: pytest.MonkeyPatch):
    trainer, _ = on_cuda_operators("masks", monkeypatch)
    monkeypatch.setattr(trainer, "device", torch.device("cuda"))
    assert obstacle(trainer) is None
    one_image = small_method(10, one_image_batches=True)
    monkeypatch.setattr(trainer, "method", one_image)
    assert "one_image_batches" in (obstacle(trainer) or "")


def test_numbers_of_rays_are_few_on_cuda(monkeypatch: pytest.MonkeyPatch):
    trainer = Trainer(small_method(10), PixelPool(*sphere_capture(), CPU), CPU, 0)
    assert trainer._rounded(12345) == 12345
    monkeypatch.setattr(trainer, "device", torch.device("cuda"))
    wanted = range(1, 20000)
    found = [trainer._rounded(rays) for rays in wanted]
    assert all(0.968 * rays <= rounded <= rays for rays, rounded in zip(wanted, found, strict=True))
    assert len(set(found)) < 350
