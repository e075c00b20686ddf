"""What a CUDA graph can hold: nothing in a step waits for the device or depends on data."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import cache
from typing import Any, NamedTuple
from unittest import mock

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from neus.config import load_method
from neus.models import appearance
from neus.ops import cuda
from neus.rendering.occupancy import OccupancyGrid
from neus.training import PatchViews, SurfacePoints
from neus.training.graph import obstacle
from neus.training.rays import PixelPool
from neus.training.settings import HeldSettings, StepSettings
from neus.training.trainer import Trainer
from tests.helpers.known_points import points_on_the_sphere
from tests.helpers.method_options import merged
from tests.helpers.trainings import (
    CPU,
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
    "stereo": {
        "training": {
            "losses": {"surface": 0.3, "free_space": 0.3, "normals": 0.1},
            "stereo_points": 32,
        }
    },
    "colours of photos": {"training": {"affine_colours": True}},
    "patches": {"training": {"losses": {"patch": 0.5}, "patches": 6}},
    "patches on the surface": {
        "training": {"losses": {"patch": 0.5}, "patches": 3, "patch_points": "surface"},
    },
    "smoothness": {"training": {"losses": {"smoothness": 0.1}, "smooth_places": 32}},
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


def on_cuda_operators(name: str) -> tuple[Trainer, StepSettings]:
    """A trainer whose kernels are interpreted, rehearsed, and the settings of its next step."""
    method = load_method(None, merged(TINY, METHODS[name]))
    cameras, images, masks = sphere_capture()
    evidence = SurfacePoints(points_on_the_sphere(cameras), cameras, CPU)
    trainer = Trainer(
        method, PixelPool(cameras, images, masks, CPU), CPU, 0, backend=cuda,
        evidence=evidence if name == "stereo" else None,
        views=PatchViews(cameras, images, CPU) if name.startswith("patches") else None,
    )  # fmt: skip
    trainer.rays, trainer.step = 8, 10
    settings = trainer._settings()
    with large_blocks(), mock.patch.object(appearance, "by_lookup", appearance.by_product):
        trainer.device_step(settings)
    return trainer, settings


def traced(trainer: Trainer, settings: StepSettings) -> list:
    # No mode sees tolist on the CPU.
    of_a_card = mock.patch.object(appearance, "by_lookup", appearance.by_product)
    with large_blocks(), of_a_card, DeviceOnly() as mode, mock.patch.object(Tensor, "tolist", None):
        trainer.device_step(settings)
    return mode.trace


class Traced(NamedTuple):
    """What a step did whose numbers were held on the device, and one without occupied cells.

    And the weights after the first, and after the same step with the host's numbers.
    """

    full: list
    empty: list
    weights: Tensor
    by_host: Tensor


@cache
def with_held_numbers(name: str) -> Traced:
    trainer, settings = on_cuda_operators(name)
    before = deepcopy(trainer.state_dict())
    held = HeldSettings(CPU).hold(settings)
    full = traced(trainer, held)
    weights = weights_after(trainer).clone()
    trainer.occupancy.state.zero_()
    empty = traced(trainer, held)
    trainer.load_state_dict(before)
    with large_blocks():
        trainer.device_step(settings)
    return Traced(full, empty, weights, weights_after(trainer))


@pytest.mark.parametrize("name", METHODS)
def test_a_step_never_waits_for_the_device_and_no_shape_depends_on_data(name: str):
    held = with_held_numbers(name)
    assert held.empty == held.full


@pytest.mark.parametrize("name", METHODS)
def test_held_numbers_give_the_same_step_as_those_of_the_host(name: str):
    found = with_held_numbers(name)
    torch.testing.assert_close(found.weights, found.by_host, rtol=1e-4, atol=1e-6)


def test_points_in_cavities_never_wait_for_the_device():
    trainer, _ = on_cuda_operators("masks")
    grid, held = trainer.occupancy, HeldSettings(CPU)
    assert isinstance(grid, OccupancyGrid)
    grid._note_cavities(grid.cells[:7])
    few = traced(trainer, held.hold(trainer._settings()))
    grid._note_cavities(grid.cells[:90])
    assert traced(trainer, held.hold(trainer._settings())) == few


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


def test_what_stands_in_the_way_of_recording_is_named(monkeypatch: pytest.MonkeyPatch):
    trainer, _ = on_cuda_operators("masks")
    monkeypatch.setattr(trainer, "device", torch.device("cuda"))
    assert obstacle(trainer) is None
    one_image = small_method(10, one_image_batches=True)
    monkeypatch.setattr(trainer, "method", one_image)
    assert "one_image_batches" in (obstacle(trainer) or "")
