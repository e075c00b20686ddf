"""A learned background: where its samples are wanted, what it adds to rays, how it trains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from neus.config import load_method
from neus.metrics.evaluation import Surroundings
from neus.models.neus import NeuS
from neus.models.schedule import stage_at
from neus.models.trained import load_model, ready, save_model
from neus.ops import cpu
from neus.ops.contraction import radius_of_contracted
from neus.ops.types import EMPTY, SURFACE
from neus.rendering.density_grid import DensityGrid
from neus.training.checkpoint import CheckpointFolder
from neus.training.run import run_training
from tests.helpers.outside_trainings import (
    new_trainer,
    small_method,
)
from tests.helpers.trainings import CPU, sphere_capture


@pytest.mark.parametrize(("kind", "share"), [("neus", 0.25), ("nerf", 0.7)])
def test_training_learns_the_surroundings_with_the_object(kind: str, share: float):
    """A density takes more steps than a surface to become opaque."""
    trainer = new_trainer(small_method(120, kind))
    errors = [float(trainer.train_step().squared_error) for _ in range(120)]
    assert np.mean(errors[-20:]) < share * np.mean(errors[:5])


def test_a_resumed_run_equals_an_uninterrupted_one_bitwise(tmp_path: Path):
    for kind in ("neus", "nerf"):
        method = small_method(40, kind)
        whole, first, second = new_trainer(method), new_trainer(method), new_trainer(method, seed=5)
        run_training(whole, CheckpointFolder(tmp_path / kind, "a"), tmp_path / kind, lambda _: None)
        for _ in range(23):
            first.train_step()
        checkpoints = CheckpointFolder(tmp_path / "checkpoints", kind)
        checkpoints.save(23, first.state_dict(), method)
        state = checkpoints.load_latest(CPU)
        assert state is not None
        second.load_state_dict(state)
        while second.step < 40:
            second.train_step()
        states = (trainer.model.state_dict() for trainer in (whole, second))
        for (name, one), other in zip(next(states).items(), next(states).values(), strict=True):
            assert torch.equal(one, other), name


def test_a_model_file_gives_back_the_same_view_surroundings_and_all(tmp_path: Path):
    cameras, _, _ = sphere_capture()
    for kind in ("neus", "nerf"):
        trainer = new_trainer(small_method(20, kind))
        for _ in range(20):
            trainer.train_step()
        save_model(tmp_path / "model.pt", trainer.model, trainer.method, 20, 0)
        views = [
            trained.view(cameras, 0)
            for trained in (
                ready(trainer.model, trainer.method, 20, CPU),
                load_model(tmp_path / "model.pt", CPU),
            )
        ]
        np.testing.assert_array_equal(views[0].rgb, views[1].rgb)
        assert (views[0].rgb[0, 0] > 0.05).any()  # a corner shows the sky
        assert views[0].opacity[0, 0] < 0.5


def test_the_sharpness_is_led_from_the_first_to_the_last_step_of_its_span_and_then_learnt():
    config = load_method(None, {"model": {"sdf": {"led_until": 0.4}}}).model
    model = NeuS(config, torch.Generator().manual_seed(0))
    assert model.outside is None
    for step, expected in ((0, 20.0), (200, (20 * 200) ** 0.5), (399, 198.9)):
        model.lead(stage_at(config, step, 1000))
        assert float(model.inv_s.detach()) == pytest.approx(expected, rel=1e-3)
    assert stage_at(config, 400, 1000).led_inv_s is None
    assert stage_at(load_method().model, 0, 1000).led_inv_s is None


def test_rays_that_are_not_lit_and_padding_stay_black():
    config = small_method(10).model
    model = NeuS(config, torch.Generator().manual_seed(0))
    assert model.outside is not None
    origins = torch.tensor([[0.0, 0, -3.0]]).repeat(4, 1)
    directions = torch.nn.functional.normalize(torch.tensor([[0.1, 0.0, 1.0]]), dim=1).repeat(4, 1)
    lit = torch.tensor([True, False, True, True])
    seen = model.outside.render(
        origins, directions, lit, torch.rand(4), stage_at(config, 0, 10), cpu, 40
    )
    assert len(seen.samples.t) == 40
    assert seen.samples.taken.sum() < 4  # the capacity ends among them
    assert (seen.rgb[0] > 0.1).all()
    assert not seen.rgb[1].any()
    assert float(seen.transmittance[1].detach()) == 1
    assert float(seen.transmittance[0].detach()) == 0  # nothing is behind all
    assert not seen.rgb[~seen.samples.taken].any()


def test_the_grid_of_the_outside_covers_all_that_lies_there_and_nothing_else():
    grid = DensityGrid.of_shell(32, 0.01)
    y = 2 * torch.rand(4000, 3, generator=torch.Generator().manual_seed(0)) - 1
    cell = ((y * 0.5 + 0.5) * 32).long()
    state = grid.state[cell[:, 0], cell[:, 1], cell[:, 2]]
    radius = radius_of_contracted(y)
    assert (state[(radius >= 1) & (y.norm(dim=1) < 1)] == SURFACE).all()
    assert (state[radius < 0.8] == EMPTY).all()


def test_a_cell_keeps_what_was_met_in_it_and_forgets_it_slowly():
    grid, generator = DensityGrid.of_ball(16, 0.01), torch.Generator().manual_seed(0)
    thin = lambda x: 50.0 * ((x[:, 0] - 0.05).abs() < 0.03)  # noqa: E731 (a sheet in one layer)
    for _ in range(12):
        grid.update(thin, 0.02, generator)
    assert (grid.state[8, 4:12, 4:12] == SURFACE).float().mean() > 0.9
    assert (grid.state[9:] == EMPTY).all()
    assert 0 < grid.occupied_fraction < 0.2
    for _ in range(24):
        grid.update(lambda x: torch.zeros(len(x)), 0.02, generator)
    assert float(grid.density.max()) < 0.05
    halves = [DensityGrid.of_ball(16, 0.01) for _ in range(2)]
    halves[0].update(lambda x: x[:, 0].exp(), 0.02, torch.Generator(), (0, 1))
    for index in range(2):
        halves[1].update(lambda x: x[:, 0].exp(), 0.02, torch.Generator(), (index, 2))
    assert ((halves[0].density > 0) == (halves[1].density > 0)).all()


def test_a_field_that_is_thin_everywhere_is_sampled_where_it_is_least_thin():
    grid = DensityGrid.of_ball(16, 0.01)
    grid.update(lambda x: 1e-4 * (x[:, 0] > 0), 0.02, torch.Generator().manual_seed(0))
    assert grid.state[12, 8, 8] == SURFACE
    assert grid.state[4, 8, 8] == EMPTY


def test_a_photo_with_its_surroundings_is_what_a_learned_background_is_measured_against():
    method = small_method(10)
    seen = Surroundings.of(method)
    assert seen == Surroundings(None, "as photographed", False)
    masked = load_method(None, {"model": {"background": "learned"}})
    assert Surroundings.of(masked) == Surroundings(None, "as photographed", True)
