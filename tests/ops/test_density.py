"""Density fields: closed forms, and every backend's kernels against float64 autograd."""

from __future__ import annotations

import itertools
import math

import pytest
import torch

from neus.ops import cpu, reference
from neus.ops.alpha import density_alpha
from neus.ops.contraction import contract, radius_of_contracted, uncontract
from neus.ops.grid import GridLayout
from neus.ops.outside import MOST_DEPTH
from neus.ops.types import EMPTY, SURFACE, Samples

GRID = GridLayout(levels=4, features=2, log2_entries=9, base_resolution=4, finest_resolution=40)


def uniform(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def network(sizes: list[int], seed: int = 3) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    weights = [normal(o, i, seed=seed + i) / math.sqrt(i) for i, o in itertools.pairwise(sizes)]
    return weights, [0.3 * normal(o, seed=seed + 50 + o) for o in sizes[1:]]


def test_contraction_keeps_the_ball_and_brings_all_space_into_a_ball():
    x = normal(500, 3).double() * 10 ** (4 * uniform(500, 1, seed=1).double() - 2)
    y = contract(x)
    assert y.norm(dim=1).max() < 1
    inside = x.norm(dim=1) <= 1
    assert inside.any()
    torch.testing.assert_close(y[inside], 0.5 * x[inside])
    torch.testing.assert_close(uncontract(y), x)
    torch.testing.assert_close(radius_of_contracted(y), x.norm(dim=1))
    far = torch.tensor([[4.0, 0, 0]]).double()
    torch.testing.assert_close(contract(far), torch.tensor([[0.875, 0, 0]]).double())


def test_a_slab_of_constant_density_absorbs_by_lambert_beer():
    sigma, length, sections = 1.7, 0.9, 40
    raw = torch.full((sections,), math.log(sigma), dtype=torch.float64)
    alpha = density_alpha(raw, length / sections)
    weights, transmittance, sums = reference.composite(
        alpha, torch.ones(sections, 1, dtype=torch.float64), torch.tensor([0, sections])
    )
    assert float(transmittance[0]) == pytest.approx(math.exp(-sigma * length))
    depth = length / sections * torch.arange(sections)
    expected = torch.exp(-sigma * depth) * (1 - math.exp(-sigma * length / sections))
    torch.testing.assert_close(weights, expected.double())
    assert float(sums) == pytest.approx(1 - math.exp(-sigma * length))


def test_a_density_beyond_all_bounds_is_opaque_and_finite():
    raw = torch.tensor([-200.0, 200.0], requires_grad=True)
    alpha = density_alpha(raw, torch.tensor([1.0, 0.04]))
    alpha.sum().backward()
    assert alpha.tolist() == [0, 1]
    assert raw.grad is not None
    assert raw.grad.tolist() == [0, 0]


def rays(count: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Some from within the sphere; some of the others miss it."""
    origins = 3 * normal(count, 3, seed=seed)
    towards = 0.8 * normal(count, 3, seed=seed + 1) - origins
    return origins, torch.nn.functional.normalize(towards, dim=1), uniform(count, seed=seed + 2)


def plain_march(origins, directions, occupancy, density, ratio, far, lit, jitter):
    """One ray after the other, from the definition: distances and lengths of each."""
    resolution = len(occupancy)
    for o, d, shift, open_ in zip(
        *(t.tolist() for t in (origins, directions, jitter, lit)), strict=True
    ):
        distances, lengths = [], []
        middle = -sum(a * b for a, b in zip(o, d, strict=True))
        least = math.sqrt(sum((a + middle * b) ** 2 for a, b in zip(o, d, strict=True)))
        half = math.sqrt(abs(1 - least**2))
        start = max(0.0, middle + (half if least < 1 else -half))
        scale = (1 + ratio) ** shift
        depth = 0.0
        while open_ and depth < MOST_DEPTH and scale < far * (1 + ratio) ** shift * (1 - 1e-9):
            t = start + scale - 1
            p = [a + t * b for a, b in zip(o, d, strict=True)]
            r = max(1.0, math.sqrt(sum(a * a for a in p)))
            y = [a / r * (2 - 1 / r) / 2 for a in p]
            i, j, k = (min(max(int((a * 0.5 + 0.5) * resolution), 0), resolution - 1) for a in y)
            if occupancy[i, j, k]:
                distances.append(t)
                lengths.append(ratio * scale)
                depth += ratio * scale * float(density[i, j, k])
            scale *= 1 + ratio
        yield distances, lengths


@pytest.mark.parametrize("backend", [reference, cpu])
def test_marching_outside_equals_a_plain_loop(backend):
    origins, directions, jitter = rays(60)
    occupancy = torch.where(uniform(16, 16, 16, seed=9) < 0.4, SURFACE, EMPTY).to(torch.uint8)
    lit = uniform(60, seed=8) < 0.8
    density = 2 * uniform(16, 16, 16, seed=10)
    bundle = (origins, directions, occupancy, density, 0.07, 1000.0, lit, jitter)
    expected = list(plain_march(*bundle))
    samples, lengths = backend.march_outside(*bundle, None)
    counts = torch.tensor([len(distances) for distances, _ in expected])
    # Rounding may put a sample that lies on a cell's border into either cell.
    assert (samples.offsets.diff() - counts).abs().sum() <= 2
    for ray, (distances, sections) in enumerate(expected):
        begin, end = samples.offsets[ray : ray + 2].tolist()
        if end - begin == len(distances):
            torch.testing.assert_close(
                samples.t[begin:end], torch.tensor(distances), rtol=1e-5, atol=1e-5
            )
            torch.testing.assert_close(lengths[begin:end], torch.tensor(sections))
    points = origins[samples.ray_index] + samples.t[:, None] * directions[samples.ray_index]
    assert points.norm(dim=1).min() > 1 - 1e-5
    kept = int(samples.offsets[31])
    bounded, sections = backend.march_outside(*bundle, kept + 1)
    assert bounded.taken.sum() >= 31
    assert len(bounded.t) == kept + 1
    filled = int(bounded.offsets[-1])
    assert torch.equal(bounded.t[:filled], samples.t[:filled])
    assert not bounded.t[filled:].any()
    assert not sections[filled:].any()


def test_the_outside_begins_without_a_leap_where_rays_begin_to_miss_the_sphere():
    height = torch.tensor([0.999999, 1.000001, 0.0, 1.25])
    origins = torch.stack([torch.full((4,), -3.0), height, torch.zeros(4)], dim=1)
    start = reference.outside_start(origins, torch.tensor([[1.0, 0, 0]]).expand(4, 3))
    torch.testing.assert_close(start, torch.tensor([3.0, 3.0, 4.0, 2.25]), atol=2e-3, rtol=0)


@pytest.mark.parametrize("hidden", [[32], [24, 24]])
def test_cpu_grid_network_matches_the_float64_reference(hidden: list[int]):
    x, table = 2.2 * uniform(300, 3) - 1.1, normal(GRID.rows, 2, seed=1)
    weights, biases = network([3 + GRID.width, *hidden, 5])
    for levels in (2, 4):
        results = []
        for backend, kind in ((cpu, torch.float32), (reference, torch.float64)):
            leaves = [t.to(kind).requires_grad_() for t in (table, *weights, *biases)]
            split = 1 + len(weights)
            out = backend.grid_network(
                x.to(kind), leaves[0], leaves[1:split], leaves[split:], GRID, levels
            )
            bar = normal(*out.shape, seed=11).to(kind)
            results.append([out, *torch.autograd.grad((out * bar).sum(), leaves)])
        for fast, slow in zip(*results, strict=True):
            torch.testing.assert_close(fast.double(), slow, rtol=2e-4, atol=2e-4)


def test_cpu_table_gradient_steps_like_autograd():
    x, table = 2 * uniform(300, 3) - 1, normal(GRID.rows, 2, seed=1)
    weights, biases = network([3 + GRID.width, 16, 4])
    stepped = []
    for backend in (cpu, reference):
        values = table.clone().requires_grad_()
        gradient = backend.TableGradient(values.detach(), GRID)
        out = backend.grid_network(x, values, weights, biases, GRID, 4, gradient)
        (out**2).sum().backward()
        moments = torch.zeros_like(table), torch.zeros_like(table)
        backend.adam_step(values.detach(), gradient, moments, 1e-2, 1)
        stepped.append(moments[0])
    torch.testing.assert_close(*stepped, rtol=1e-4, atol=1e-4)


def test_cpu_shading_matches_the_float64_reference():
    out, encoded, places = normal(200, 6), normal(7, 4, seed=1), 200
    lengths = uniform(places, seed=2)
    ray = torch.randint(7, (places,), generator=torch.Generator().manual_seed(3))
    samples = Samples(ray, lengths, torch.tensor([0, places]), torch.ones(1, dtype=torch.bool))
    weights, biases = network([5 + 4, 16, 16, 3])
    results = []
    for backend, kind in ((cpu, torch.float32), (reference, torch.float64)):
        leaves = [t.to(kind).requires_grad_() for t in (out, *weights, *biases)]
        alpha, colours = backend.shade_density(
            leaves[0], lengths.to(kind), samples, encoded.to(kind), leaves[1:4], leaves[4:]
        )
        total = (alpha * normal(places, seed=5)).sum() + (colours * normal(places, 3, seed=6)).sum()
        results.append([alpha, colours, *torch.autograd.grad(total, leaves)])
    for fast, slow in zip(*results, strict=True):
        torch.testing.assert_close(fast.double(), slow, rtol=2e-4, atol=2e-4)
