"""Which cells light crosses, and which are dark although they lie outside the solid."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from neus.rendering import OccupancyGrid
from neus.rendering.cavities import crossed_by_light, reached, with_neighbours

CPU = torch.device("cpu")


def light_from(*sides: tuple[float, float, float], rays: int = 20_000):
    """Parallel rays that fill the sphere, from far on each of the sides."""
    generator = torch.Generator().manual_seed(0)
    origins, directions = [], []
    for side in sides:
        towards = -torch.nn.functional.normalize(torch.tensor(side), dim=0)
        aims = 2 * torch.rand(rays, 3, generator=generator) - 1
        origins.append(aims - (aims @ towards)[:, None] * towards - 3 * towards)
        directions.append(towards.expand(rays, 3))
    return torch.cat(origins), torch.cat(directions)


def test_light_ends_where_a_slow_march_ends():
    rng = np.random.default_rng(0)
    opaque = rng.random((16, 16, 16)) < 0.02
    origins = rng.normal(size=(40, 3))
    origins *= 2.5 / np.linalg.norm(origins, axis=1, keepdims=True)
    directions = rng.uniform(-0.6, 0.6, (40, 3)) - origins
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lit, shaded = np.zeros_like(opaque), np.zeros_like(opaque)
    for origin, direction in zip(origins, directions, strict=True):
        middle = -origin @ direction
        half = np.sqrt(middle**2 + 1 - origin @ origin)
        met = False
        for step in range(32):
            t = middle - half + step / 16
            if t > middle + half:
                break
            cell = tuple(((origin + t * direction + 1) * 8).astype(int).clip(0, 15))
            met |= opaque[cell]
            (shaded if met else lit)[cell] = True
    found_lit, found_shaded = crossed_by_light(
        torch.tensor(opaque), *(torch.tensor(array) for array in (origins, directions))
    )
    assert min(lit.sum(), shaded.sum()) > 50
    assert (found_lit.numpy() == lit).all()
    assert (found_shaded.numpy() == shaded).all()


def test_a_ray_that_misses_the_sphere_lights_nothing():
    origins, directions = torch.tensor([[0.0, 1.5, -3]]), torch.tensor([[0.0, 0, 1]])
    empty = torch.zeros(8, 8, 8, dtype=torch.bool)
    assert not torch.stack(crossed_by_light(empty, origins, directions)).any()


def test_a_flood_stops_before_walls():
    space = torch.ones(7, 7, 7, dtype=torch.bool)
    passable = space.clone()
    passable[2:5, 2:5, 2:5] = False
    inner = torch.zeros_like(space)
    inner[1:6, 1:6, 1:6] = True
    cells = inner.view(-1).nonzero()[:, 0]
    assert int((space & ~reached(space, passable, cells)).sum()) == 27
    assert int(space.sum()) == 343  # and is what it was


def test_neighbours_are_all_26():
    one = torch.zeros(5, 5, 5, dtype=torch.bool)
    one[2, 1, 2] = True
    assert int(with_neighbours(one).sum()) == 27


def hollow_ball(hole: float):
    """A ball of radius 0.7 with a hollow of 0.4 and a round hole along -z that leads into it."""

    def distance(x: torch.Tensor) -> torch.Tensor:
        shell = (x.norm(dim=1) - 0.55).abs() - 0.15
        below = torch.where(x[:, 2] < 0, hole - x[:, :2].norm(dim=1), -1.0)
        return torch.maximum(shell, below)

    return distance


def searched(distance, *sides: tuple[float, float, float]) -> OccupancyGrid:
    """A grid after light from these sides, which is seen wherever it is outside the solid."""
    grid = OccupancyGrid(32, 3.0, CPU)
    grid.update(distance, 1e6)
    origins, directions = light_from(*sides)
    grid.forget_what_was_seen()
    lit, _ = crossed_by_light(~grid.outside, origins, directions)
    places = grid._centres(lit.view(-1).nonzero()[:, 0])
    grid.see(places, torch.ones(len(places), dtype=torch.bool))
    grid.find_unlit(origins, directions)
    return grid


AROUND = [(1.0, 0.0, 0.5), (-1.0, 0.0, 0.5), (0.0, 1.0, 0.5), (0.0, -1.0, 0.5)]


@pytest.mark.parametrize("from_below", [False, True])
def test_a_hollow_is_dark_until_light_comes_in(from_below: bool):
    below = [(0.0, 0.0, -1.0), (0.3, 0.0, -1.0)] if from_below else [(1.0, 0.0, -1.0)]
    grid = searched(hollow_ball(hole=0.2), *AROUND, *below)
    dark = grid._centres(grid.cavities)
    middle = dark[dark.norm(dim=1) < 0.15]
    assert (len(middle) == 0) == from_below
    if not from_below:
        assert float(dark.norm(dim=1).max()) < 0.7


def test_what_opens_onto_the_sphere_in_the_dark_may_be_anything():
    """Nobody looks from below: what lies under the ball is not made solid."""
    hollow = 4 / 3 * np.pi * (0.4 * 16) ** 3
    grid = searched(hollow_ball(hole=0.2), (0.0, 0.0, 1.0))
    assert grid.hidden_cells < 0.02 * hollow  # corners that no cell's face leads to


def test_light_that_stereo_saw_counts():
    light = light_from(*AROUND, (1.0, 0.0, -1.0))
    grid = searched(hollow_ball(hole=0.2), *AROUND, (1.0, 0.0, -1.0))
    before = set(grid.cavities.tolist())
    line = torch.zeros(64, 3)
    line[:, 2] = torch.linspace(-1, 0.3, 64)
    grid.keep_open([line])
    grid.find_unlit(*light)
    left = set(grid.cavities.tolist())
    assert left < before
    off_axis = grid._centres(grid.cavities)[:, :2].norm(dim=1)
    assert float(off_axis.min()) > 1 / 16


def test_what_no_camera_looks_towards_may_be_anything():
    """A hollow, and light past the ball alone."""
    origins, directions = light_from((0.0, 0.0, 1.0))
    past = origins[:, :2].norm(dim=1) > 0.72
    grid = OccupancyGrid(32, 3.0, CPU)
    grid.update(hollow_ball(hole=0.0), 1e6)
    grid.find_unlit(origins[past], directions[past])
    assert grid.hidden_cells == 0
    grid.find_unlit(origins, directions)
    assert grid.hidden_cells > 500
    grid.leave_unwatched(lambda x: x[:, 0] < 0)
    grid.find_unlit(origins, directions)
    assert float(grid._centres(grid.cavities)[:, 0].max()) < 0
