"""Every option of a method trains, is drawn, and comes back from its model file."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

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
