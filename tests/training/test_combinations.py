"""Options that meet in one step: resumed bit for bit, and read back from the model file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neus.config import MethodConfig
from neus.models.trained import load_model, ready, save_model
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.trainer import Trainer
from tests.helpers.method_options import OPTIONS, merged, method_with
from tests.helpers.trainings import CPU, folder, no_validation, sphere_capture

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
