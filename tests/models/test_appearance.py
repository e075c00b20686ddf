"""Colours of each photo: what is mapped, what anchors it, and what it is good for."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from neus.metrics.images import psnr
from neus.models.appearance import AffineColours, by_lookup, by_product
from neus.models.trained import ready
from neus.training.rays import PixelPool
from neus.training.run import run_training
from neus.training.trainer import Trainer
from tests.helpers.trainings import (
    folder,
    no_validation,
    small_method,
    sphere_capture,
    weights_after,
)

CPU = torch.device("cpu")
HELD_OUT, STEPS = 3, 250


def test_the_photo_is_mapped_and_a_background_that_stands_in_is_not():
    model = AffineColours(2)
    with torch.no_grad():
        model.maps[1] = torch.tensor([[2.0, 0, 0, 0.1], [0, 1, 0, 0], [0, 0.5, 1, 0]]).flatten()
    colour, background = torch.tensor([0.2, 0.4, 0.3]), torch.tensor([[0.9, 0.1, 0.5]])
    half_clear = 0.5 * colour + 0.5 * background
    rays = torch.cat([colour[None], colour[None], half_clear])
    clear = torch.tensor([[0.0], [0.0], [0.5]])
    found = model(rays, torch.tensor([0, 1, 1]), clear, background)
    mapped = torch.tensor([0.5, 0.4, 0.5])
    torch.testing.assert_close(found[0], colour)
    torch.testing.assert_close(found[1], mapped)
    torch.testing.assert_close(found[2], 0.5 * mapped + 0.5 * background[0])


def test_a_card_finds_the_same_maps_and_gradients_by_a_product():
    maps, image = torch.randn(5, 12).requires_grad_(), torch.tensor([0, 4, 4, 2, 0, 4])
    bar = torch.randn(6, 12)
    found, expected = by_product(maps, image), by_lookup(maps, image)
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
    torch.testing.assert_close(
        *(torch.autograd.grad(rows, maps, bar)[0] for rows in (found, expected))
    )


def test_only_the_mean_map_is_held():
    model = AffineColours(2)
    with torch.no_grad():
        assert float(model.anchor()) == 0
        model.maps[0] += 0.1
        model.maps[1] -= 0.1
        assert float(model.anchor()) < 1e-12
        model.maps.add_(0.1)
        torch.testing.assert_close(model.anchor(), torch.tensor(0.12))


def varying_capture() -> tuple:
    """A sphere photographed with twelve exposures and white balances whose mean is the true one."""
    cameras, images, masks = sphere_capture(views=12)
    gains = 1 + np.random.default_rng(0).uniform(-0.35, 0.35, (12, 3))
    gains[HELD_OUT] = 1
    others = np.arange(12) != HELD_OUT
    gains[others] /= gains[others].mean(axis=0)
    photos = [
        np.clip(0.7 * i * g, 0, 255).astype(np.uint8) for i, g in zip(images, gains, strict=True)
    ]
    return cameras, photos, masks, np.flatnonzero(others).tolist()


def trainer_of(capture: tuple, steps: int, *, affine_colours: bool, seed: int = 0) -> Trainer:
    cameras, photos, masks, train = capture
    method = small_method(
        steps, affine_colours=affine_colours, learning_rates={"affine_colours": 5e-3}
    )
    pool = PixelPool(cameras[train], [photos[i] for i in train], [masks[i] for i in train], CPU)
    return Trainer(method, pool, CPU, seed)


def held_out_psnr(capture: tuple, *, affine_colours: bool) -> float:
    cameras, photos, masks, _ = capture
    trainer = trainer_of(capture, STEPS, affine_colours=affine_colours)
    for _ in range(STEPS):
        trainer.train_step()
    view = ready(trainer.model, trainer.method, STEPS, CPU).view(cameras, HELD_OUT)
    return psnr(view.rgb, photos[HELD_OUT] / 255, masks[HELD_OUT] / 255)


def test_photos_of_varying_exposure_give_better_held_out_views_with_it():
    capture = varying_capture()
    plain = held_out_psnr(capture, affine_colours=False)
    mapped = held_out_psnr(capture, affine_colours=True)
    assert mapped > plain + 1


def test_resumed_equals_uninterrupted_bitwise_with_it(tmp_path: Path):
    capture = varying_capture()
    whole = trainer_of(capture, 20, affine_colours=True)
    for _ in range(10):
        whole.train_step()
    checkpoints = folder(tmp_path)
    clock = {"seconds": 1.0, "samples": 1, "rays": 1}
    checkpoints.save(10, {"trainer": whole.state_dict(), "clock": clock}, whole.method)
    for _ in range(10):
        whole.train_step()
    resumed = trainer_of(capture, 20, affine_colours=True, seed=5)
    run_training(resumed, checkpoints, tmp_path, no_validation)
    assert torch.equal(weights_after(whole), weights_after(resumed))
    assert whole.affine_colours is not None
    assert resumed.affine_colours is not None
    assert torch.equal(whole.affine_colours.maps, resumed.affine_colours.maps)
    assert not torch.equal(whole.affine_colours.maps[0], torch.eye(3, 4).flatten())
    header = (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert "affine_colours" in header
