"""Patches in several views: closed forms, and numba against the oracle in float64."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch

from neus.ops import cpu, reference
from neus.training.patches.views import patch_pictures
from tests.helpers.patch_cases import (
    NOISE,
    cameras_of_patches,
    patch_case,
    photographed,
    random_case,
)

BACKENDS = pytest.mark.parametrize("backend", [cpu, reference], ids=["cpu", "reference"])


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@BACKENDS
@pytest.mark.parametrize("shape", ["plane", "ball"])
def test_the_truth_costs_next_to_nothing_and_what_is_off_costs_more(backend, shape: str):
    case = patch_case(shape)
    costs, _, valid, _ = case.compare(backend)
    assert valid.double().mean() > 0.9
    assert costs[valid].median() < (0.002 if shape == "plane" else 0.01)
    for off in (-0.03, 0.03):
        moved, _, both, _ = case.compare(backend, moved=off)
        both = both & valid
        assert moved[both].median() > (10 if shape == "plane" else 2) * costs[both].median()


@BACKENDS
def test_the_slope_leads_back_to_the_truth(backend):
    """A quarter of a wave before and behind the plane."""
    case = patch_case("plane")
    for off in (-0.015, 0.015):
        _, slopes, valid, _ = case.compare(backend, moved=off)
        descent = -torch.sign(slopes[valid]) * off
        assert (descent < 0).double().mean() > 0.95


@BACKENDS
def test_the_slope_is_that_of_differences(backend):
    """The interpolation bends at the middles of pixels, which few taps cross."""
    kind = torch.float64 if backend is reference else torch.float32
    step = 1e-5 if backend is reference else 1e-3
    case = patch_case("ball", 100)
    _, slopes, valid, _ = case.compare(backend, kind, moved=0.01)
    above, _, over, _ = case.compare(backend, kind, moved=0.01 + step)
    below, _, under, _ = case.compare(backend, kind, moved=0.01 - step)
    both = valid & over & under
    difference = (above - below) / (2 * step)
    error = (slopes - difference)[both].abs() / (1 + difference[both].abs())
    assert error.median() < (1e-3 if backend is reference else 0.05)
    assert torch.corrcoef(torch.stack([slopes[both], difference[both]]))[0, 1] > 0.98


@pytest.mark.parametrize("radius", [1, 2, 3])
@pytest.mark.parametrize("seed", [0, 1])
def test_the_cpu_equals_the_oracle(radius: int, seed: int):
    case = random_case(seed, radius=radius)
    fast, slow = case.compare(cpu), case.compare(reference, torch.float64)
    same = fast[2] == slow[2]
    assert same.double().mean() > 0.995  # a tie may fall to either side
    both = fast[2] & slow[2]
    assert 0.2 < both.double().mean() < 0.9
    off = (fast[0] - slow[0])[both].abs()
    assert (off < 1e-3).double().mean() > 0.995  # likewise between levels
    close = both & ((fast[0] - slow[0]).abs() < 1e-3)
    error = (fast[1] - slow[1])[close].abs() / (1 + slow[1][close].abs())
    assert (error < 0.02).double().mean() > 0.98
    assert (fast[3] - slow[3]).abs().median() < 1e-6


@BACKENDS
def test_exposure_changes_nothing(backend):
    """A gain and an offset for each picture; noise is next to nothing."""
    cameras = cameras_of_patches()
    greys = photographed("ball", cameras)
    exposed = [(0.6 + 0.08 * k) * grey + 0.03 * k for k, grey in enumerate(greys)]
    case = replace(patch_case("ball"), noise=1e-4)
    other = replace(case, pictures=patch_pictures(cameras, exposed))
    one, two = case.compare(backend, moved=0.01), other.compare(backend, moved=0.01)
    both = one[2] & two[2]
    torch.testing.assert_close(one[0][both], two[0][both], atol=1e-3, rtol=1e-2)


@BACKENDS
def test_patches_without_texture_and_planes_from_the_side_or_behind_do_not_count(backend):
    cameras, case = cameras_of_patches(), patch_case("plane", 50)
    flat = [0.5 + 0.01 * NOISE * grey for grey in photographed("plane", cameras)]
    blank = replace(case, pictures=patch_pictures(cameras, flat))
    side = replace(case, normals=torch.tensor([[1.0, 0, 0]]).expand(50, 3))
    behind = replace(case, normals=-case.normals)
    for refused in (blank, side, behind):
        costs, slopes, valid, _ = refused.compare(backend)
        few = valid.double().mean()
        assert few < (0.4 if refused is side else 1e-9)
        assert (costs[~valid] == 1).all()
        assert not slopes[~valid].any()


@BACKENDS
def test_a_patch_that_leaves_a_picture_does_not_count(backend):
    case = patch_case("plane", 50)
    wide = replace(case, spacing=torch.full((50,), 40.0))
    assert not wide.compare(backend)[2].any()
    turned = case.pictures.to_pixel.clone()
    turned[1, :2] += 100 * turned[1, 2:]  # the second camera's picture lies 100 pixels off
    off = replace(case, pictures=replace(case.pictures, to_pixel=turned))
    valid = off.compare(backend)[2]
    assert not valid[case.views[:, 1:] == 1].any()
    assert valid.any()


@BACKENDS
def test_wide_patches_are_taken_from_coarse_pictures(backend):
    """Stripes of one pixel are the same grey there."""
    cameras = cameras_of_patches()
    striped = [grey + 0.2 * (torch.arange(64).numpy() % 2 - 0.5) for grey in
               photographed("plane", cameras, shortest=0.4)]  # fmt: skip
    case = patch_case("plane", spacing=torch.full((200,), 2.0))
    case = replace(case, pictures=patch_pictures(cameras, striped))
    costs, _, valid, _ = case.compare(backend)
    fine = replace(case, spacing=torch.full((200,), 1.0)).compare(backend)
    assert valid.any()
    assert 3 * costs[valid].median() < fine[0][fine[2]].median()


def test_any_number_of_threads_gives_the_same_bits():
    case, found = random_case(5), []
    for count in (1, 3):
        torch.set_num_threads(count)
        found.append(case.compare(cpu))
    assert all(torch.equal(one, two) for one, two in zip(*found, strict=True))


def centres_of_cells(resolution: int = 32) -> torch.Tensor:
    axis = (torch.arange(resolution) + 0.5) / resolution * 2 - 1
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)


@BACKENDS
def test_the_way_to_a_camera_is_free_unless_something_stands_in_it(backend):
    """Points over a plate at z = 0, and a wall over the half of it where x > 0."""
    case = patch_case("plane")
    x, _, z = centres_of_cells().unbind(dim=-1)
    lifted = case.points + torch.tensor([0.0, 0, 2 / 32])
    plate = z < 0
    sight = (case.views[:, 1:], case.pictures)
    assert backend.in_sight(lifted, *sight, ~plate).all()
    wall = (x > 0) & (z > 0.3) & (z < 0.4)
    seen = backend.in_sight(lifted, *sight, ~(plate | wall))
    towards = case.pictures.centres[case.views[:, 1:]] - lifted[:, None]
    at_wall = (lifted[:, None] + towards * ((0.35 - lifted[:, None, 2:]) / towards[:, :, 2:]))[
        ..., 0
    ]
    clear = at_wall.abs() > 0.15
    assert torch.equal(seen[clear], (at_wall < 0)[clear])


def test_sight_is_that_of_the_oracle():
    generator = torch.Generator().manual_seed(0)
    free = torch.rand(16, 16, 16, generator=generator) > 0.06
    case = random_case(1)
    fast, slow = (
        backend.in_sight(case.points, case.views, case.pictures, free)
        for backend in (cpu, reference)
    )
    assert 0.2 < slow.double().mean() < 0.8
    assert (fast == slow).double().mean() > 0.99
