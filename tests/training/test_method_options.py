"""Every option of a method, alone and with others: trains, resumes bit for bit, comes back."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from neus.config import MethodConfig
from neus.models.schedule import stage_at
from neus.models.trained import load_model, ready, save_model
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.trainer import Trainer
from tests.helpers.method_options import OPTIONS, merged, method_with
from tests.helpers.trainings import CPU, folder, no_validation, sphere_capture, surface_of


@pytest.mark.parametrize("option", OPTIONS.values(), ids=OPTIONS)
def test_option_trains_and_comes_back(option: dict, tmp_path: Path):
    method = method_with(option)
    cameras, images, masks = sphere_capture()
    trainer = Trainer(method, PixelPool(cameras, images, masks, CPU), CPU, 0)
    before = [parameter.detach().clone() for parameter in trainer.model.parameters()]
    losses = [float(trainer.train_step().loss) for _ in range(10)]
    assert all(math.isfinite(loss) for loss in losses)
    for (name, parameter), old in zip(trainer.model.named_parameters(), before, strict=True):
        assert not len(old.shape) or not old.numel() or not torch.equal(parameter, old), name
    save_model(tmp_path / "model.pt", trainer.model, method, 10, 0)
    loaded = load_model(tmp_path / "model.pt", CPU)
    shown = ready(trainer.model, method, 10, CPU).view(cameras, 0)
    np.testing.assert_array_equal(loaded.view(cameras, 0).rgb, shown.rgb)


def test_every_term_of_the_loss_is_in_the_journal(tmp_path: Path):
    method = method_with(merged(OPTIONS["all losses"], OPTIONS["curvature from 6 taps"]))
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    run_training(trainer, folder(tmp_path), tmp_path, no_validation)
    header, first, *_ = (tmp_path / "metrics.csv").read_text().splitlines()
    record = dict(zip(header.split(","), first.split(","), strict=True))
    terms = ("colour", "colour_squared", "opaque", "sparsity", "curvature", "distortion")
    assert all(math.isfinite(float(record[term])) for term in terms)


def test_sharpness_is_held_below_its_bound():
    method = method_with(OPTIONS["bounded sharpness"], 100)
    trainer = Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, 0)
    model = surface_of(trainer)
    with torch.no_grad():
        model.variance.fill_(math.log(80.0) / 10)
    for step, expected in [(0, 20.0), (50, 60.0), (100, 80.0)]:
        stage = stage_at(method.model, step, 100)
        assert float(model.bounded_inv_s(stage).detach()) == pytest.approx(expected, rel=1e-5)


def test_levels_begin_when_they_are_told_to():
    grid = {"levels": 6, "initial_levels": 2, "levels_from": 0.25, "all_levels_at": 0.75}
    model = method_with({"model": {"hash_grid": grid}}).model
    found = [stage_at(model, step, 100).active_levels for step in (0, 25, 34, 36, 64, 66, 100)]
    assert found == [2, 2, 2, 3, 5, 6, 6]


STEPS, INTERRUPTED = 36, 20  # the occupancy changes in steps 16 and 32
NERF = {"model": {"kind": "nerf"}}
SURROUNDINGS = {
    "model": OPTIONS["surroundings"]["model"],
    "training": {"outside_samples": 2048},
}
OWN_COLOURS = {"training": {"affine_colours": True}}
ONE_IMAGE = {"training": {"one_image_batches": True}}
WITHOUT_MASKS = {"training": {"masked_rays": 0.0, "losses": {"mask": 0.0}}}
SCHEDULES = {
    "training": {
        "losses": {"mask": [0.2, 0.1, 0.0, 0.6], "opaque": [0.1, 0.0, 0.1, 0.9]},
        "learning_rates": {
            "radiance": 2e-3,
            "weight_decay": 1e-3,
            "schedules": [
                [{"kind": "linear", "until": 0.2, "first": 0.01}, {}],
                [{"until": 0.5}, {"kind": "exponential", "last": 0.1}],
            ],
        },
    }
}
COMBINATIONS = {
    "density": [NERF],
    "density, one image a batch": [NERF, ONE_IMAGE],
    "density, schedules": [NERF, SCHEDULES],
    "density, colours of each photo": [NERF, OWN_COLOURS],
    "density, surroundings, colours of each photo": [NERF, SURROUNDINGS, OWN_COLOURS],
    "density, surroundings, one image a batch, no masks": [
        NERF, SURROUNDINGS, ONE_IMAGE, WITHOUT_MASKS,
    ],
    "surface, surroundings, colours of each photo": [SURROUNDINGS, OWN_COLOURS, WITHOUT_MASKS],
    "surface, surroundings, one image a batch": [SURROUNDINGS, ONE_IMAGE],
    "surface, surroundings, schedules": [SURROUNDINGS, SCHEDULES],
    "surface, surroundings in plain torch": [
        OPTIONS["surroundings of other activations and features"], SCHEDULES,
    ],
}  # fmt: skip


def combined(name: str) -> MethodConfig:
    option: dict = {}
    for part in COMBINATIONS[name]:
        option = merged(option, part)
    return method_with(option, STEPS)


def new_trainer(method: MethodConfig, seed: int = 0) -> Trainer:
    return Trainer(method, PixelPool(*sphere_capture(), CPU), CPU, seed)


def tensors(state: object) -> list[torch.Tensor]:
    """All tensors of a trainer's state, however deep."""
    if isinstance(state, torch.Tensor):
        return [state]
    parts = list(state.values()) if isinstance(state, dict) else state
    return [t for part in parts for t in tensors(part)] if isinstance(parts, list) else []


@pytest.mark.parametrize("name", COMBINATIONS)
def test_resumed_equals_uninterrupted_bitwise(name: str, tmp_path: Path):
    """All of the state does, and the views of the model that comes of it."""
    method = combined(name)
    whole = new_trainer(method)
    for _ in range(INTERRUPTED):
        whole.train_step()
    checkpoints = folder(tmp_path)
    clock = {"seconds": 1.0, "samples": 1, "rays": 1}
    state = {"trainer": whole.state_dict(), "clock": clock}
    checkpoints.save(INTERRUPTED, state, method)
    for _ in range(INTERRUPTED, STEPS):
        whole.train_step()
    resumed = new_trainer(method, seed=5)
    run_training(resumed, checkpoints, tmp_path, no_validation)
    states = [tensors(trainer.state_dict()) for trainer in (whole, resumed)]
    assert len(states[0]) > 20
    assert (whole.rays, whole.step) == (resumed.rays, resumed.step)
    for one, other in zip(*states, strict=True):
        assert torch.equal(one, other)
    save_model(tmp_path / "model.pt", resumed.model, method, STEPS, 0)
    cameras, _, _ = sphere_capture()
    shown = ready(whole.model, method, STEPS, CPU).view(cameras, 0)
    found = load_model(tmp_path / "model.pt", CPU).view(cameras, 0)
    np.testing.assert_array_equal(found.rgb, shown.rgb)
    np.testing.assert_array_equal(found.depth, shown.depth)


@pytest.mark.parametrize("name", [name for name in COMBINATIONS if "colours" in name])
def test_every_photo_gets_a_map_of_its_own(name: str):
    trainer = new_trainer(combined(name))
    for _ in range(INTERRUPTED):
        trainer.train_step()
    assert trainer.affine_colours is not None
    maps = trainer.affine_colours.maps.detach()
    assert len(torch.unique(maps, dim=0)) == len(maps) == trainer.pool.images
