"""Rays that begin and end at a distance from their camera, against closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from neus.errors import InputError
from neus.models import NeRF, View, new_model, ready
from tests.helpers.method_options import merged, method_with
from tests.helpers.trainings import CPU, new_trainer, sphere_capture

STEP = 0.02
DISTANCE = 2.2 * math.sqrt(1.16)
"""Of the cameras from the centre of a solid that begins as a ball of radius 0.5."""


def seen(near: float = 0.0, far: float = math.inf, kind: str = "neus") -> View:
    step = {"marching": {"first_step": STEP, "last_step": STEP}}
    option = merged(
        {"model": step}, {"model": {"kind": kind, "marching": {"near": near, "far": far}}}
    )
    method = method_with(option)
    model = new_model(method.model, torch.Generator().manual_seed(0))
    if isinstance(model, NeRF):
        with torch.no_grad():
            model.field.layers.weights[-1].zero_()  # the same density everywhere
    cameras, _, _ = sphere_capture(1)
    return ready(model, method, 0, CPU).view(cameras, 0)


def middle(picture: np.ndarray) -> float:
    return float(picture[16, 16])


def test_a_range_around_the_surface_changes_nothing():
    whole, cut = seen(), seen(near=1.0, far=DISTANCE + 0.75)
    assert middle(whole.depth) == pytest.approx(DISTANCE - 0.5, abs=STEP)
    for name in ("rgb", "opacity", "depth", "normals"):
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), atol=2e-3)


@pytest.mark.parametrize(("near", "far"), [(0.0, DISTANCE - 0.8), (DISTANCE + 0.8, math.inf)])
def test_a_surface_before_or_behind_the_range_is_not_seen(near: float, far: float):
    view = seen(near, far)
    assert view.opacity.max() < 1e-3
    assert not view.depth.any()
    assert view.rgb.min() > 0.999, "the white background"


@pytest.mark.parametrize(("near", "far"), [(DISTANCE - 0.4, DISTANCE + 0.4), (DISTANCE, math.inf)])
def test_light_is_taken_by_the_density_in_range_alone(near: float, far: float):
    """1 - exp(-density * length), where each end may be off by half of a section."""
    length = min(far, DISTANCE + 1) - near
    sections = [1 - math.exp(-0.3 * (length + way * STEP)) for way in (-1.1, 1.1)]
    assert sections[0] < middle(seen(near, far, "nerf").opacity) < sections[1]


@pytest.mark.parametrize("kind", ["neus", "nerf"])
def test_training_learns_nothing_of_what_is_out_of_range(kind: str):
    far = {"model": {"kind": kind, "marching": {"near": 0.2, "far": 1.0}}}
    trainer = new_trainer(method_with(far))
    report = trainer.train_step()
    assert torch.isfinite(report.loss)
    radiance = trainer.model.radiance.layers.biases[-1]
    assert torch.equal(radiance, new_trainer(method_with(far)).model.radiance.layers.biases[-1])


@pytest.mark.parametrize("wrong", [{"near": -1.0}, {"near": 2.0, "far": 2.0}])
def test_an_empty_range_is_refused(wrong: dict):
    with pytest.raises(InputError, match="0 <= near < far"):
        method_with({"model": {"marching": wrong}})
