"""Patches in training: where rays meet the surface, who is compared, and that depth gets right."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch
from torch import Tensor

from neus.config import MethodConfig, load_method
from neus.ops import cpu
from neus.ops.types import Samples
from neus.rendering import OccupancyGrid
from neus.training import PatchViews, PixelPool, Trainer
from neus.training.losses import patch_loss
from neus.training.patches.comparison import KEPT, ComparedPatches, compare_patches
from neus.training.patches.meeting import first_crossings, meet, on_surface
from neus.training.rays import RayBatch
from tests.helpers.textured_scenes import RADIUS, cone_of_cameras, look, texture
from tests.helpers.trainings import (
    CPU,
    small_method,
    surface_of,
    weights_after,
    whole_and_resumed,
)

CAMERAS = cone_of_cameras(7, width=128, height=96, focal=160)


class Ball:
    """A field whose surface is a sphere; the radius alone is learnt."""

    def __init__(self, radius: float = RADIUS) -> None:
        self.radius = torch.tensor(radius, requires_grad=True)

    def with_gradient(self, x: Tensor, backend: object, levels: int) -> tuple[Tensor, Tensor]:
        del backend, levels
        length = x.norm(dim=1, keepdim=True)
        return torch.cat([length - self.radius, 0 * x[:, :1]], dim=1), x / length


@cache
def photos() -> tuple[list, list]:
    """Of a textured ball of radius ``RADIUS``, and masks."""
    images, masks = [], []
    for view in range(len(CAMERAS)):
        truth, points = look(CAMERAS, view, "ball")
        grey = np.where(truth.hit, texture(points, 0.2), 0.1).clip(0, 1)
        images.append(np.rint(255 * np.repeat(grey[..., None], 3, axis=2)).astype(np.uint8))
        masks.append(np.where(truth.hit, np.uint8(255), np.uint8(0)))
    return images, masks


def pool() -> PixelPool:
    images, masks = photos()
    return PixelPool(CAMERAS, images, masks, CPU)


def test_crossings_are_the_first_of_their_rays_and_lie_between_the_samples():
    """Ray 0 crosses twice, 1 never, 2 comes from inside, 3 beside a gap, 4 and 5 once each."""
    rays = torch.tensor([0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 0, 0])
    t = torch.tensor([1.0, 1.1, 1.2, 1.3, 1, 1.1, 1, 1.1, 1, 1.9, 1, 1.1, 1, 1.1, 0, 0])
    sdf = torch.tensor([0.3, -0.1, 0.1, -0.1, 1, 0.5, -1, 1, 1, -1, 0.1, -0.1, 0.1, 0.0, 1, -1])
    samples = Samples(rays, t, torch.tensor([0, 4, 6, 8, 10, 12, 14]), torch.ones(6) > 0)
    shown = torch.ones(6, dtype=torch.bool)
    all_of_them = first_crossings(samples, sdf, shown, 5, 0.2)
    assert all_of_them.found.tolist() == [True, True, True, False, False]
    assert all_of_them.ray[:3].tolist() == [0, 4, 5]
    assert all_of_them.t[:3].tolist() == pytest.approx([1.075, 1.05, 1.1])
    two = first_crossings(samples, sdf, shown, 2, torch.tensor(0.2))
    assert two.ray.tolist() == [0, 4]
    assert two.found.all()
    shown[4] = False
    assert first_crossings(samples, sdf, shown, 2, 0.2).ray.tolist() == [0, 5]


def test_points_lie_on_the_surface_and_move_with_it():
    ball, away = Ball(0.5), torch.tensor([[0.0, 0, -2]]).repeat(5, 1)
    aims = torch.nn.functional.normalize(
        torch.tensor([[0.0, 0, 2], [0.1, 0, 2], [0, 0.2, 2], [0.3, 0.1, 2], [0.45, 0, 2]]), dim=1
    )
    middle = -(away * aims).sum(dim=1)
    half = (middle**2 - 4 + 0.25).sqrt()
    exact = middle - half
    off = exact + torch.tensor([0.008, -0.008, 0.005, -0.005, 0.002])
    t, normals = meet(ball, away, aims, off, cpu, 1, 0.02)  # pyright: ignore[reportArgumentType]
    torch.testing.assert_close(t.detach(), exact, atol=2e-5, rtol=0)
    torch.testing.assert_close(normals, (away + exact[:, None] * aims) / 0.5, atol=1e-4, rtol=0)
    assert not normals.requires_grad
    (slope,) = torch.autograd.grad(t.sum(), ball.radius)
    assert float(slope) == pytest.approx(float(-(0.5 / half).sum()), rel=1e-3)


def test_taps_are_moved_onto_the_surface_along_their_rays_or_are_not_known():
    """Of a patch of nine on the top of a ball, and of one whose plane lies far above it."""
    ball, camera = Ball(0.5), torch.tensor([[0.0, 0, 3], [0, 0, 3]])
    square = torch.tensor([[x, y] for y in (-0.1, 0.0, 0.1) for x in (-0.1, 0.0, 0.1)])
    top = torch.cat([square, torch.full((9, 1), 0.5)], dim=1)
    places = torch.stack([top, top + torch.tensor([0.0, 0, 0.2])])
    known = torch.ones(2, 9, dtype=torch.bool)
    known[0, 8] = False
    there, near = on_surface(
        ball, places, known, camera, places[:, 4], cpu, 1, 0.02,  # pyright: ignore[reportArgumentType]
    )  # fmt: skip
    assert near.tolist() == [[True] * 8 + [False], [False] * 9]
    moved = there[0, :8]
    torch.testing.assert_close(moved.norm(dim=1).detach(), torch.full((8,), 0.5), atol=1e-4, rtol=0)
    before, after = places[0, :8] - camera[0], moved.detach() - camera[0]
    assert torch.linalg.cross(before, after).norm(dim=1).max() < 1e-5
    (slope,) = torch.autograd.grad(moved[:, 2].sum(), ball.radius)
    assert 8 < float(slope) < 9  # each tap rises with the radius, the outer ones a little faster


def compared(
    radius: float, hidden: bool = False, flat: bool = True, reach: float = 0.02
) -> tuple[ComparedPatches, Ball, RayBatch]:
    """300 rays onto a ball; a wall ``hidden`` in the grid stands before the half where x > 0."""
    batch = pool().draw(300, 1.0, torch.Generator().manual_seed(0))
    steps = torch.arange(2.0, 4.0, 0.02)
    ray = torch.arange(300).repeat_interleave(len(steps))
    t = steps.repeat(300)
    offsets = torch.arange(301) * len(steps)
    samples = Samples(ray, t, offsets, torch.ones(300, dtype=torch.bool))
    places = batch.origins[ray] + t[:, None] * batch.directions[ray]
    grid = OccupancyGrid(64, 3.0, CPU)
    grid.update(lambda x: x.norm(dim=1) - radius, 200.0)
    if hidden:
        x, _, z = torch.meshgrid(*[(torch.arange(64) + 0.5) / 32 - 1] * 3, indexing="ij")
        grid.outside &= ~((x > 0) & (z > 0.7) & (z < 0.8))
    ball = Ball(radius)
    method = small_method(10)
    images, masks = photos()
    trainer = Trainer(method, PixelPool(CAMERAS, images, masks, CPU), CPU, 0)
    settings = replace(trainer._settings(), patches=200, patch_reach=reach)
    found = compare_patches(
        PatchViews(CAMERAS, images, CPU), ball, grid, batch, samples,  # pyright: ignore
        places.norm(dim=1) - radius, settings, cpu, flat,
    )  # fmt: skip
    return found, ball, batch


POINTS = pytest.mark.parametrize("points", ["plane", "surface"])


@POINTS
def test_the_true_surface_costs_little_and_a_wrong_one_is_led_back(points: str):
    costs = {}
    for off in (-0.03, 0.0, 0.03):
        found, ball, _ = compared(RADIUS + off, flat=points == "plane")
        loss = patch_loss(found.costs, found.weights)
        (slope,) = torch.autograd.grad(loss, ball.radius)
        costs[off] = float(loss.detach())
        if off:
            assert np.sign(float(slope)) == np.sign(off)
    assert costs[0.0] < 0.05
    assert min(costs[-0.03], costs[0.03]) > 2 * costs[0.0]


def test_wide_patches_of_a_ball_look_alike_only_where_they_bend_with_it():
    """Half of a patch's side is a seventh of the radius."""
    costs = {}
    for flat in (True, False):
        found, _, _ = compared(RADIUS, flat=flat, reach=RADIUS / 7)
        assert (found.weights > 0).double().mean() > 0.3
        costs[flat] = float(patch_loss(found.costs, found.weights).detach())
    assert costs[False] < 0.5 * costs[True]


def test_at_most_four_views_count_and_only_those_that_see_the_point():
    free, _, _ = compared(RADIUS)
    walled, _, _ = compared(RADIUS, hidden=True)
    assert free.costs.shape == (200, KEPT)
    assert (free.weights > 0).double().mean() > 0.5
    assert 0 < int((walled.weights > 0).sum()) < 0.8 * int((free.weights > 0).sum())
    assert not free.weights[free.costs == 2].any()


def with_patches(steps: int, weight: object = 1.0, points: str = "plane") -> MethodConfig:
    method = small_method(steps, patches=64, patch_points=points)
    losses = replace(method.training.losses, patch=weight, mask=0.0)
    return replace(method, training=replace(method.training, losses=losses))


def new_trainer(method: MethodConfig, seed: int = 0, others: bool = True) -> Trainer:
    images, _ = photos()
    views = PatchViews(CAMERAS, images, CPU) if others else None
    return Trainer(method, pool(), CPU, seed, views=views)


def test_patches_that_have_faded_are_not_compared():
    weight = [[0.2, 0.0], [0.3, 1.0], [0.4, 1.0], [0.5, 0.0]]
    trainer = new_trainer(with_patches(40, weight))
    asked = ["patch" in trainer.train_step().terms for _ in range(40)]
    assert asked == [False] * 9 + [True] * 11 + [False] * 20


@POINTS
def test_patches_move_the_surface(points: str):
    """From a ball that is too small, without any other word on the shape."""
    method = with_patches(60, 2.0, points)
    sdf = replace(method.model.sdf, initial_radius=RADIUS - 0.03)
    losses = replace(method.training.losses, colour=0.0, cavity=0.0)
    training = replace(method.training, losses=losses, patches=256)
    training = replace(training, patch_reach=0.04)
    method = replace(method, model=replace(method.model, sdf=sdf), training=training)
    seen = torch.nn.functional.normalize(torch.tensor([[0.0, 0, 1], [0.3, 0.2, 1], [-0.3, 0, 1]]))
    found = []
    for others in (True, False):
        trainer = new_trainer(method, others=others)
        for _ in range(60):
            trainer.train_step()
        levels = trainer.stage.active_levels
        distance = surface_of(trainer).sdf.distance(RADIUS * seen, trainer.backend, levels)
        found.append(float(distance.abs().mean()))
    assert found[0] < 0.4 * found[1]


@POINTS
def test_a_run_with_patches_that_was_interrupted_equals_one_that_was_not(points: str):
    method = with_patches(24, points=points)
    assert torch.equal(*whole_and_resumed(lambda seed: new_trainer(method, seed), 24, 13))


def test_patches_are_off_by_default():
    losses = load_method().training.losses
    assert not losses.uses("patch")
    plain, with_views = new_trainer(small_method(8), others=False), new_trainer(small_method(8))
    for trainer in (plain, with_views):
        assert "patch" not in [trainer.train_step() for _ in range(8)][-1].terms
    assert torch.equal(weights_after(plain), weights_after(with_views))
