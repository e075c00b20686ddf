"""Points that stereo knows: what is drawn of them, what they ask for, and that they carve."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from neus.config import OF_STEREO, load_method
from neus.rendering import OccupancyGrid
from neus.stereo import StereoPoints
from neus.training import PixelPool, SurfacePoints, Trainer
from neus.training.evidence.sightings import GAP, MOST, NEAR, SLOPE
from neus.training.journal import COLUMNS
from neus.training.losses import (
    BLUNT,
    MOST_OFF,
    MOST_TURNED,
    free_space_loss,
    normals_loss,
    surface_loss,
)
from tests.helpers.known_points import FOOTPRINT, RADIUS, points_on_the_sphere
from tests.helpers.trainings import (
    CPU,
    small_method,
    sphere_capture,
    surface_of,
    whole_and_resumed,
)


def evidence_of_the_sphere(radius: float = RADIUS) -> SurfacePoints:
    cameras, _, _ = sphere_capture()
    return SurfacePoints(points_on_the_sphere(cameras, radius=radius), cameras, CPU)


def test_places_lie_on_the_ray_to_a_camera_that_saw_the_point():
    cameras, _, _ = sphere_capture()
    known = evidence_of_the_sphere().draw(2000, torch.Generator().manual_seed(0))
    way = (known.before - known.on).norm(dim=1)
    towards = (known.before - known.on) / way[:, None]
    on, towards = known.on.double().numpy(), towards.double().numpy()
    to_centres = cameras.centres[None] - on[:, None]
    to_centres /= np.linalg.norm(to_centres, axis=2, keepdims=True)
    cosines = (to_centres * towards[:, None]).sum(axis=2).max(axis=1)
    assert cosines.min() > 1 - 1e-5
    assert (towards * on).sum(axis=1).min() > 0, "from the side that is seen"
    assert way.min() >= GAP * FOOTPRINT
    assert known.before.norm(dim=1).max() < 1 + 1e-5
    assert 0.5 < float((way <= NEAR).float().mean()) < 0.9
    least = (SLOPE * (way - GAP * FOOTPRINT)).clamp(max=MOST)
    torch.testing.assert_close(known.least, least, atol=1e-6, rtol=1e-4)


def test_every_view_of_a_point_is_drawn_as_often_as_the_others():
    cameras, _, _ = sphere_capture()
    one = points_on_the_sphere(cameras)
    few = slice(one.first[0], one.first[1])
    alone = StereoPoints(
        **{name: getattr(one, name)[:1] for name in ("position", "normal", "colour", "confidence")},
        footprint=one.footprint[:1],
        first=np.array([0, few.stop]),
        views=one.views[few],
    )
    known = SurfacePoints(alone, cameras, CPU).draw(6000, torch.Generator().manual_seed(0))
    towards = torch.nn.functional.normalize(known.before - known.on, dim=1).numpy()
    centres = cameras.centres[alone.views] - alone.position
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    drawn = np.bincount((towards @ centres.T).argmax(axis=1), minlength=len(centres))
    expected = 6000 / len(centres)
    assert len(centres) >= 2
    assert np.abs(drawn - expected).max() < 5 * np.sqrt(expected)


def test_what_is_true_of_a_sphere_costs_nothing():
    known = evidence_of_the_sphere().draw(3000, torch.Generator().manual_seed(0))
    at_points = known.on.norm(dim=1) - RADIUS
    before = known.before.norm(dim=1) - RADIUS
    assert float(surface_loss(at_points, known.confidence)) < 1e-6
    # A ray that grazes stays nearer than half of its way.
    assert float(free_space_loss(before, known.least, known.confidence)) < 2e-3
    assert float(normals_loss(known.on / RADIUS, known.normal, known.confidence)) < 1e-3
    wrong = before - 0.1
    assert float(free_space_loss(wrong, known.least, known.confidence)) > 0.02


def test_losses_by_hand():
    trust = torch.tensor([1.0, 0.5, 0.0])
    off = torch.tensor([-0.1, 2 * MOST_OFF, 9.0], requires_grad=True)
    loss = surface_loss(off, trust)
    assert loss.item() == pytest.approx((0.1 + 0.5 * MOST_OFF) / 1.5)
    (gradient,) = torch.autograd.grad(loss, off)
    assert gradient.tolist() == pytest.approx([-1 / 1.5, 0, 0])
    least = torch.tensor([0.05, 0.05, 0.05])
    found = free_space_loss(torch.tensor([0.02, 0.06, -1.0]), least, trust)
    assert float(found) == pytest.approx(0.03 / 1.5)
    angles = torch.tensor([0.3, 2.0, 1.0])
    normals = torch.stack([angles.sin(), 0 * angles, angles.cos()], dim=1).requires_grad_()
    loss = normals_loss(normals, torch.tensor([[0.0, 0, 1]] * 3), trust)
    assert loss.item() == pytest.approx((0.3 + 0.5 * MOST_TURNED) / 1.5, abs=BLUNT)
    (gradient,) = torch.autograd.grad(loss, normals)
    assert gradient.norm(dim=1).tolist() == pytest.approx([1 / 1.5, 0, 0], abs=0.01)


def test_cells_on_the_way_to_a_camera_are_never_cavities():
    """The hollow of a thick shell: dark, but where rays to points within it cross."""
    grid = OccupancyGrid(32, 3.0, CPU)
    grid.update(lambda x: (x.norm(dim=1) - 0.7).abs() - 0.1, 200.0)
    aims = 2 * torch.rand(20_000, 3, generator=torch.Generator().manual_seed(0)) - 1
    light = aims * torch.tensor([1.0, 1, 0]) - torch.tensor([0.0, 0, 3]), torch.zeros_like(aims)
    light[1][:, 2] = 1
    grid.forget_what_was_seen()
    grid.find_unlit(*light)
    before = set(grid.cavities.tolist())
    places = evidence_of_the_sphere(radius=0.2).places_before(1 / 32)
    crossed = {cell for some in places for cell in grid._cells_of(some).tolist()}
    assert len(before & crossed) > 200
    grid.keep_open(places)
    grid.find_unlit(*light)
    left = set(grid.cavities.tolist())
    assert left < before - crossed


def test_places_in_few_pictures_are_not_watched():
    """Cameras around the sphere that show it whole; and a place far from them."""
    cameras, _, _ = sphere_capture()
    places = torch.tensor([[0.0, 0, 0], [0.5, 0.2, 0], [40.0, 0, 0]])
    watched = SurfacePoints(points_on_the_sphere(cameras, radius=0.5), cameras, CPU).watched(places)
    assert watched.tolist() == [True, True, False]


def with_stereo(steps: int, **losses: object):
    method = small_method(steps)
    training = replace(method.training, losses=replace(method.training.losses, **losses))
    return replace(method, training=training)


def test_points_move_the_surface_to_where_they_are():
    """Photos and masks of a sphere of radius 0.6, and points on one of 0.5, which outweigh them."""
    cameras, images, masks = sphere_capture()
    method = with_stereo(80, surface=30.0, mask=0.0, colour=0.0, free_space=1.0)
    method = replace(method, training=replace(method.training, stereo_points=256))
    found = []
    for evidence in (evidence_of_the_sphere(radius=0.4), None):
        trainer = Trainer(method, PixelPool(cameras, images, masks, CPU), CPU, 0, evidence=evidence)
        reports = [trainer.train_step() for _ in range(80)]
        assert ("surface" in reports[-1].terms) == (evidence is not None)
        on = torch.tensor(points_on_the_sphere(cameras, radius=0.4).position)
        distance = surface_of(trainer).sdf.distance(
            on, trainer.backend, trainer.stage.active_levels
        )
        found.append(float(distance.abs().mean()))
    assert found[0] < 0.02
    assert found[1] > 4 * found[0]


def test_the_surface_turns_to_the_normals_that_stereo_found():
    """Points of the sphere with normals that lean to one side, by 0.3: nothing else is asked."""
    cameras, images, masks = sphere_capture()
    points = points_on_the_sphere(cameras)
    leaning = points.normal + np.array([0, 0, 0.3], np.float32)
    leaning /= np.linalg.norm(leaning, axis=1, keepdims=True)
    known = SurfacePoints(replace(points, normal=leaning), cameras, CPU)
    found = []
    for weight in (1e-6, 1.0):
        method = with_stereo(60, normals=weight, colour=0.0, mask=0.0)
        trainer = Trainer(method, PixelPool(cameras, images, masks, CPU), CPU, 0, evidence=known)
        reports = [trainer.train_step() for _ in range(60)]
        found.append(float(reports[-1].terms["normals"]))
    assert found[1] < 0.5 * found[0]


def test_points_that_have_faded_are_not_asked():
    cameras, images, masks = sphere_capture()
    method = with_stereo(40, surface=[0.25, 1.0, 0.0, 0.5], free_space=[0.25, 1.0, 0.0, 0.5])
    pool = PixelPool(cameras, images, masks, CPU)
    trainer = Trainer(method, pool, CPU, 0, evidence=evidence_of_the_sphere())
    asked = ["surface" in trainer.train_step().terms for _ in range(40)]
    assert asked == [True] * 20 + [False] * 20


def test_a_run_with_stereo_that_was_interrupted_equals_one_that_was_not():
    cameras, images, masks = sphere_capture()
    method = with_stereo(30, surface=1.0, free_space=1.0, normals=0.1)

    def trainer(seed: int) -> Trainer:
        pool = PixelPool(cameras, images, masks, CPU)
        return Trainer(method, pool, CPU, seed, evidence=evidence_of_the_sphere())

    assert torch.equal(*whole_and_resumed(trainer, 30, 17))


def test_no_points_are_as_none():
    cameras, images, masks = sphere_capture()
    empty = StereoPoints(
        **{name: np.zeros((0, 3), np.float32) for name in ("position", "normal", "colour")},
        **{name: np.zeros(0, np.float32) for name in ("confidence", "footprint")},
        first=np.zeros(1, np.int64),
        views=np.zeros(0, np.int32),
    )
    method = with_stereo(10, surface=1.0)
    pool = PixelPool(cameras, images, masks, CPU)
    trainer = Trainer(method, pool, CPU, 0, evidence=SurfacePoints(empty, cameras, CPU))
    assert "surface" not in trainer.train_step().terms


def test_every_term_has_a_column_in_the_journal():
    assert set(load_method().training.losses.weights) <= set(COLUMNS)


def test_keys_of_stereo_are_off_by_default():
    losses = load_method().training.losses
    assert not losses.uses_stereo
    assert all(with_stereo(10, **{term: 0.5}).training.losses.uses_stereo for term in OF_STEREO)
