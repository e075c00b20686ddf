"""Losses and learning rates against hand-computed values."""

from __future__ import annotations

import math

import pytest
import torch

from neus.config import LearningRateConfig
from neus.training.losses import cavity_loss, colour_loss, eikonal_loss, mask_loss
from neus.training.schedules import learning_rate_factor


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
