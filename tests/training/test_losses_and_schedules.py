"""Losses, learning rates and shares of the work against hand-computed values."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from neus.config import LearningRateConfig, LossConfig, load_method, scheduled
from neus.errors import InputError
from neus.models import stage_at
from neus.ops.reference import march_outside, outside_start
from neus.ops.types import Samples
from neus.training.losses import (
    cavity_loss,
    colour_loss,
    curvature_loss,
    distortion_loss,
    eikonal_loss,
    mask_loss,
    opaque_loss,
    outside_distortion_loss,
    sparsity_loss,
    squared_colour_loss,
)
from neus.training.schedules import learning_rate_factor
from neus.training.work import BESIDE_LEVELS, Work
from tests.helpers.trainings import small_method


def test_losses():
    rgb = torch.tensor([[0.1, 0.5, 1.0], [0.0, 0.0, 0.0]])
    assert float(colour_loss(rgb, rgb * 0, torch.ones(2))) == pytest.approx(1.6 / 6)
    assert float(colour_loss(rgb, rgb * 0, torch.tensor([1.0, 0.0]))) == pytest.approx(1.6 / 3)
    assert float(eikonal_loss(torch.tensor([1.0, 2.0]))) == pytest.approx(0.5)
    assert float(cavity_loss(torch.tensor([0.1, -0.5]), 0.02)) == pytest.approx(0.06)
    assert float(cavity_loss(torch.empty(0), 0.02)) == 0
    right = mask_loss(torch.tensor([0.0, 1.0]), torch.tensor([1.0, 0.0]), torch.ones(2))
    wrong = mask_loss(torch.tensor([1.0, 0.0]), torch.tensor([1.0, 0.0]), torch.ones(2))
    assert float(right) == pytest.approx(0, abs=2e-3)
    assert float(wrong) == pytest.approx(-math.log(1e-3), rel=1e-2)


@pytest.mark.parametrize("coverage", [0.0, 1.0])
def test_a_wholly_wrong_mask_still_has_a_gradient(coverage: float):
    transmittance = torch.tensor([coverage]).requires_grad_()
    mask_loss(transmittance, torch.tensor([coverage]), torch.ones(1)).backward()
    assert transmittance.grad is not None
    assert abs(float(transmittance.grad)) > 100


def test_learning_rate_at_its_corners():
    rates = LearningRateConfig()
    assert learning_rate_factor(rates, 0, 1000) < 0.06
    peak = max(learning_rate_factor(rates, step, 1000) for step in range(1000))
    assert peak == pytest.approx(1, rel=0.06)
    assert learning_rate_factor(rates, 1000, 1000) == pytest.approx(rates.final_factor)


def test_losses_that_a_method_may_ask_for():
    rgb = torch.tensor([[0.1, 0.5, 1.0], [0.0, 0.0, 0.0]])
    squared = squared_colour_loss(rgb, rgb * 0, torch.ones(2))
    assert float(squared) == pytest.approx(1.26 / 6)
    half = torch.tensor([0.5, 0.0])
    assert float(opaque_loss(half, torch.ones(2))) == pytest.approx(math.log(2) / 2, abs=2e-3)
    assert float(opaque_loss(half, torch.tensor([0.0, 1.0]))) == pytest.approx(0, abs=2e-3)
    assert float(sparsity_loss(torch.tensor([0.0, -0.5]), 2.0)) == pytest.approx(
        (1 + math.exp(-1)) / 2
    )
    assert float(curvature_loss(torch.tensor([1.0, -3.0]))) == 2


@pytest.mark.parametrize("transmittance", [0.0, 0.3, 1.0])
def test_a_ray_that_is_half_stopped_is_pushed_to_an_end(transmittance: float):
    left = torch.tensor([transmittance]).requires_grad_()
    opaque_loss(left, torch.ones(1)).backward()
    assert left.grad is not None
    assert math.isfinite(float(left.grad))
    assert float(left.grad) * (transmittance - 0.5) <= 0  # a step against it leads away from 0.5


def test_distortion_counts_the_rays_whose_samples_are_all_there():
    """Two samples of weight 1/2, 0.2 apart, on the first ray; the second is not taken."""
    samples = Samples(
        torch.tensor([0, 0, 0]),
        torch.tensor([1.0, 1.2, 0.0]),
        torch.tensor([0, 2, 2]),
        torch.tensor([True, False]),
    )
    loss = distortion_loss(torch.tensor([0.5, 0.5, 0.0]), samples, 0.3)
    assert float(loss) == pytest.approx(2 * 0.25 * 0.2 + 2 * 0.25 * 0.3 / 3)


def test_a_weight_is_a_number_or_a_line_between_two_times():
    assert scheduled(0.3, 0.7) == 0.3
    line = [0.25, 2.0, 0.0, 0.75]
    found = [scheduled(line, progress) for progress in (0.0, 0.25, 0.5, 0.75, 1.0)]
    assert found == [2, 2, 1, 0, 0]
    losses = load_method(None, {"training": {"losses": {"mask": line}}}).training.losses
    assert losses.uses("mask")
    assert not LossConfig(mask=[0.1, 0.0, 0.0, 0.5]).uses("mask")


def test_a_weight_may_go_from_corner_to_corner():
    corners = [[0.1, 0.0], [0.2, 3.0], [0.4, 3.0], [0.8, 0.0]]
    found = [scheduled(corners, progress) for progress in (0.0, 0.1, 0.15, 0.3, 0.6, 0.8, 1.0)]
    assert found == pytest.approx([0, 0, 1.5, 3, 1.5, 0, 0])
    assert scheduled([[0.25, 2.0], [0.75, 0.0]], 0.5) == scheduled([0.25, 2.0, 0.0, 0.75], 0.5)
    losses = load_method(None, {"training": {"losses": {"patch": corners}}}).training.losses
    assert losses.uses("patch")
    assert not LossConfig(patch=[[0.0, 0.0], [0.5, 0.0], [1.0, 0.0]]).uses("patch")


@pytest.mark.parametrize(
    "weight",
    [
        [[0.1, 1.0]],
        [[0.1, 1.0], [0.1, 2.0]],
        [[0.5, 1.0], [0.1, 2.0]],
        [[0.5, 1.0], [1.1, 2.0]],
        [[0.5, 1.0], [0.6]],
        [[0.5, 1.0], [0.6, -1.0]],
        [[0.5, 1.0], 0.6],
    ],
)
def test_what_are_no_corners_is_refused(weight: object):
    with pytest.raises(InputError, match=r"training\.losses\.opaque"):
        load_method(None, {"training": {"losses": {"opaque": weight}}})


@pytest.mark.parametrize(
    "weight", ["much", [1], [0.0, 1.0, 2.0, 3.0], [0.5, 1, 1, 0.5], [0, "a", 1, 1], -0.1, None]
)
def test_what_is_no_weight_is_refused(weight: object):
    with pytest.raises(InputError, match=r"training\.losses\.opaque"):
        load_method(None, {"training": {"losses": {"opaque": weight}}})


def rates(*schedules: list[dict]) -> LearningRateConfig:
    overrides = {"training": {"learning_rates": {"schedules": list(schedules)}}}
    return load_method(None, overrides).training.learning_rates


def test_rates_in_sequence_at_their_corners():
    """Linear up to 0.1, constant up to 0.5, then exponential down to 1 %."""
    config = rates(
        [
            {"kind": "linear", "until": 0.1, "first": 0.01},
            {"until": 0.5},
            {"kind": "exponential", "last": 0.01},
        ]
    )
    found = [learning_rate_factor(config, step, 1000) for step in (0, 50, 100, 499, 750, 1000)]
    assert found == pytest.approx([0.01, 0.505, 1, 1, 0.1, 0.01])


def test_chained_rates_are_multiplied():
    config = rates(
        [{"kind": "linear", "until": 0.1, "first": 0.0}, {}],
        [{"until": 0.5}, {"until": 0.75, "first": 0.33}, {"first": 0.1089}],
    )
    found = [learning_rate_factor(config, step, 1000) for step in (0, 50, 400, 500, 800)]
    assert found == pytest.approx([0, 0.5, 1, 0.33, 0.1089])


@pytest.mark.parametrize(
    ("pieces", "named"),
    [
        ([{"kind": "cosine"}], "kind"),
        ([{"until": 0.5}], "until"),
        ([{"until": 0.5}, {"until": 0.5}, {}], "until"),
        ([{"kind": "exponential", "last": 0.0}], "0 where kind is exponential"),
        ([], "until"),
    ],
)
def test_rates_that_make_no_sense_are_refused(pieces: list[dict], named: str):
    with pytest.raises(InputError, match=named):
        rates(pieces)


def test_distortion_outside_is_measured_in_a_distance_that_ends():
    """The double sum over 1 - 1 / u of the places that rays were really sampled at, u from t."""
    generator, ratio = torch.Generator().manual_seed(0), 0.2
    origins, directions = torch.randn(2, 6, 3, generator=generator)
    directions = torch.nn.functional.normalize(directions, dim=1)
    occupied, dense = torch.ones(8, 8, 8, dtype=torch.uint8), torch.zeros(8, 8, 8)
    lit, jitter = torch.tensor([1, 1, 0, 1, 1, 1]).bool(), torch.rand(6, generator=generator)
    ends = origins, directions, occupied, dense
    samples, lengths = march_outside(*ends, ratio, 100.0, lit, jitter, 110)
    used = int(samples.offsets[-1])
    weights = torch.rand(110, generator=generator) * (torch.arange(110) < used)
    expected = []
    for ray in range(6):
        mine = slice(int(samples.offsets[ray]), int(samples.offsets[ray + 1]))
        u = 1 + samples.t[mine] - outside_start(origins, directions)[ray]
        w, s = weights[mine], 1 - 1 / u
        between = (w[:, None] * w * (s[:, None] - s).abs()).sum()
        expected.append(between + (w**2 * ratio / u).sum() / 3)
    taken = samples.taken
    assert 3 < int(taken.sum()) < 6, "some rays have no room"
    mean = torch.stack(expected)[taken].mean()
    found = outside_distortion_loss(weights, lengths, ratio, samples)
    assert float(found) == pytest.approx(float(mean), rel=1e-4)
    assert float(found) > 0


@pytest.mark.parametrize("steps", [60, 1000])
def test_shares_are_those_of_the_costs_of_all_steps(steps: int):
    method = small_method(steps)
    work = Work(method)
    costs = [
        BESIDE_LEVELS + stage_at(method.model, step, steps).active_levels for step in range(steps)
    ]
    assert len(set(costs)) > 2
    for step in (0, 1, steps // 10, steps // 3, steps):
        assert work.share(step) == pytest.approx(sum(costs[:step]) / sum(costs), abs=0.01)
    assert work.share(0) == 0
    assert work.share(steps) == 1


def test_steps_of_equal_cost_count_alike():
    method = small_method(100)
    grid = replace(method.model.hash_grid, initial_levels=method.model.hash_grid.levels)
    flat = replace(method, model=replace(method.model, hash_grid=grid))
    assert [Work(flat).share(step) for step in (10, 50, 90)] == pytest.approx([0.1, 0.5, 0.9])
