"""Smoothness where stereo knows little: where it is asked for, of what, and what it does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from neus.config import MethodConfig
from neus.ops.types import Samples
from neus.training import PixelPool, SurfacePoints, Trainer
from neus.training.evidence import Ignorance, places_aside
from neus.training.evidence.smoothness import ASIDE
from neus.training.losses import BLUNT, MOST_BENT, smoothness_loss
from tests.helpers.known_points import points_on_the_sphere
from tests.helpers.trainings import CPU, small_method, sphere_capture, whole_and_resumed


def test_a_bend_costs_its_angle_and_an_edge_has_no_pull():
    up = torch.tensor([[0.0, 0, 1]] * 3)
    angles = torch.tensor([0.0, 0.3, 2.0])
    beside = torch.stack([angles.sin(), 0 * angles, angles.cos()], dim=1).requires_grad_()
    found = [smoothness_loss(up[i : i + 1], beside[i : i + 1], torch.ones(1)) for i in range(3)]
    assert [float(cost.detach()) for cost in found] == pytest.approx(
        [0, 0.3, MOST_BENT], abs=1.1 * BLUNT
    )
    (pull,) = torch.autograd.grad(torch.stack(found).sum(), beside)
    assert pull.norm(dim=1).tolist() == pytest.approx([0, 1, 0], abs=0.01)
    weights = torch.tensor([1.0, 0.5, 0.0])
    assert float(smoothness_loss(up, beside.detach(), weights)) == pytest.approx(0.05, abs=BLUNT)


def test_ignorance_is_the_same_however_many_threads_there_are():
    cameras, _, _ = sphere_capture()
    few, rng = points_on_the_sphere(cameras), np.random.default_rng(0)
    crowd = 40 * [np.arange(len(few.position))]
    order = rng.permutation(np.concatenate(crowd))
    confidence = rng.random(len(order), dtype=np.float32)
    many = replace(
        few, position=few.position[order], normal=few.normal[order], colour=few.colour[order],
        footprint=few.footprint[order], confidence=confidence,
        first=np.arange(len(order) + 1), views=np.zeros(len(order), np.int32),
    )  # fmt: skip
    evidence, threads, grids = SurfacePoints(many, cameras, CPU), torch.get_num_threads(), []
    try:
        for count in (1, 4, 4, 4):
            torch.set_num_threads(count)
            grids.append(Ignorance(evidence, CPU)._grid)
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(grid, grids[0]) for grid in grids)


def test_ignorance_ends_where_stereo_sees_well():
    cameras, _, _ = sphere_capture()
    few = points_on_the_sphere(cameras)
    known = replace(few, confidence=100 * few.confidence)
    ignorance = Ignorance(SurfacePoints(known, cameras, CPU), CPU)
    on = torch.tensor(known.position)
    assert float(ignorance.at(on).mean()) < 0.25
    together = replace(known, position=np.zeros_like(on), confidence=np.full(len(on), 90 / len(on)))
    once = Ignorance(SurfacePoints(together, cameras, CPU), CPU)
    assert float(once.at(torch.zeros(1, 3))) == pytest.approx(0.01, rel=1e-4)
    far = torch.tensor([[0.0, 0, 0], [0.99, 0, 0], [-1.0, -1, -1], [1.0, 1, 1]])
    assert ignorance.at(far).tolist() == [1, 1, 1, 1]
    doubted = replace(known, confidence=0 * known.confidence)
    for silent in (None, SurfacePoints(doubted, cameras, CPU)):
        assert (Ignorance(silent, CPU).at(on) == 1).all()


@pytest.mark.parametrize("used", [0, 1, 40])
def test_places_lie_beside_samples_that_count(used: int):
    places = torch.rand(50, 3)
    samples = Samples(
        torch.zeros(50, dtype=torch.int64), torch.rand(50), torch.tensor([0, used]),
        torch.ones(1, dtype=torch.bool),
    )  # fmt: skip
    sample, aside = places_aside(places, samples, 300, torch.Generator().manual_seed(0))
    assert len(sample) == len(aside) == 300
    assert int(sample.max()) < max(used, 1)
    assert used < 40 or len(sample.unique()) > 30
    ways = (aside - places[sample]).norm(dim=1)
    torch.testing.assert_close(ways, torch.full((300,), ASIDE), rtol=1e-3, atol=0)


def smooth_method(steps: int, **losses: float) -> MethodConfig:
    method = small_method(steps)
    training = replace(method.training, losses=replace(method.training.losses, **losses))
    return replace(method, training=replace(training, smooth_places=256))


def roughness(weight: float, steps: int, evidence: SurfacePoints | None = None) -> list[float]:
    """The term, step by step, of photos of noise, which ask for a rough surface."""
    cameras, images, masks = sphere_capture()
    noise = np.random.default_rng(0)
    images = [noise.integers(0, 256, image.shape, np.uint8) for image in images]
    pool = PixelPool(cameras, images, masks, CPU)
    trainer = Trainer(smooth_method(160, smoothness=weight), pool, CPU, 0, evidence=evidence)
    return [float(trainer.train_step().terms["smoothness"]) for _ in range(steps)]


def test_it_smooths():
    assert np.mean(roughness(1.0, 160)[-20:]) < 0.7 * np.mean(roughness(1e-6, 160)[-20:])


def test_it_asks_less_of_what_stereo_knows():
    cameras, _, _ = sphere_capture()
    known = SurfacePoints(points_on_the_sphere(cameras, 20_000), cameras, CPU)
    assert np.mean(roughness(1.0, 40, known)) < 0.9 * np.mean(roughness(1.0, 40))


def test_it_is_asked_only_where_it_counts():
    cameras, images, masks = sphere_capture()
    pool = PixelPool(cameras, images, masks, CPU)
    assert "smoothness" not in Trainer(small_method(10), pool, CPU, 0).train_step().terms


def test_a_run_that_was_interrupted_equals_one_that_was_not():
    cameras, images, masks = sphere_capture()
    method = smooth_method(30, smoothness=0.1, surface=1.0)

    def trainer(seed: int) -> Trainer:
        pool = PixelPool(cameras, images, masks, CPU)
        known = SurfacePoints(points_on_the_sphere(cameras), cameras, CPU)
        return Trainer(method, pool, CPU, seed, evidence=known)

    assert torch.equal(*whole_and_resumed(trainer, 30, 17))
