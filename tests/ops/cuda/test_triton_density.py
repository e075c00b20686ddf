"""The Triton operators of density fields against the float64 reference."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from neus.ops import cuda, reference
from neus.ops.types import EMPTY, SURFACE, Samples
from tests.helpers.triton_cases import DEVICE, GRID, assert_close, large_blocks, normal, positions


def network(sizes: list[int]) -> tuple[list[Tensor], list[Tensor]]:
    weights = [normal(o, i, seed=i) / math.sqrt(i) for i, o in pairwise(sizes)]
    return weights, [0.3 * normal(o, seed=o) for o in sizes[1:]]


@pytest.mark.parametrize("levels", [2, 6])
def test_grid_network_and_its_gradients_equal_reference(levels: int):
    x, table = 2 * positions(500) - 1, normal(GRID.rows, 2)
    weights, biases = network([3 + GRID.width, 16, 16, 5])
    split, results = 1 + len(weights), []
    for backend, kind, device in (
        (cuda, torch.float32, DEVICE),
        (reference, torch.float64, torch.device("cpu")),
    ):
        leaves = [t.to(device, kind).requires_grad_() for t in (table, *weights, *biases)]
        with large_blocks():
            out = backend.grid_network(
                x.to(device, kind), leaves[0], leaves[1:split], leaves[split:], GRID, levels
            )
            bar = normal(*out.shape, seed=1).to(device, kind)
            results.append([out, *torch.autograd.grad((out * bar).sum(), leaves)])
    assert_close(*results)


def test_the_table_gradient_goes_where_it_is_told():
    x, table = (2 * positions(300) - 1).to(DEVICE), normal(GRID.rows, 2).to(DEVICE)
    weights, biases = ([t.to(DEVICE) for t in part] for part in network([3 + GRID.width, 16, 4]))
    dense = []
    for backend in (cuda, reference):
        values = table.clone().requires_grad_()
        gradient = backend.TableGradient(values.detach(), GRID)
        with large_blocks():
            out = backend.grid_network(x, values, weights, biases, GRID, 6, gradient)
            (out**2).sum().backward()
        assert values.grad is None or backend is reference
        dense.append(gradient.dense)
    assert_close([dense[0]], [dense[1]])


def test_shading_equals_reference():
    out, encoded, lengths = normal(100, 6), normal(7, 4, seed=1), positions(100, seed=2)[:, 0]
    ray = torch.randint(7, (100,), generator=torch.Generator().manual_seed(3))
    weights, biases = network([5 + 4, 16, 3])
    results = []
    for backend, kind, device in (
        (cuda, torch.float32, DEVICE),
        (reference, torch.float64, torch.device("cpu")),
    ):
        leaves = [t.to(device, kind).requires_grad_() for t in (out, *weights, *biases)]
        samples = Samples(*(t.to(device) for t in (ray, lengths, torch.zeros(8), ray > 0)))
        alpha, colours = backend.shade_density(
            leaves[0], lengths.to(device, kind), samples, encoded.to(device, kind), leaves[1:3],
            leaves[3:],
        )  # fmt: skip
        total = (alpha * normal(100, seed=5).to(alpha)).sum()
        total = total + (colours * normal(100, 3, seed=6).to(colours)).sum()
        results.append([alpha, colours, *torch.autograd.grad(total, leaves)])
    assert_close(*results, tolerance=2e-4 if DEVICE.type == "cpu" else 5e-3)


@pytest.mark.parametrize("capacity", [None, 60])
def test_marching_outside_equals_reference(capacity: int | None):
    origins, jitter = 2 * normal(24, 3), positions(24)[:, 0]
    towards = 0.8 * normal(24, 3, seed=1) - origins
    occupancy = torch.where(positions(512, seed=2)[:, 0] < 0.3, SURFACE, EMPTY).to(torch.uint8)
    density, lit = 3 * positions(512, seed=3)[:, 0], positions(24, seed=4)[:, 0] < 0.8
    cells = occupancy.view(8, 8, 8), density.view(8, 8, 8)
    bundle = (origins, torch.nn.functional.normalize(towards, dim=1), *cells)
    (fast, fast_lengths), (slow, slow_lengths) = (
        backend.march_outside(
            *(t.to(device) for t in bundle), 0.11, 1000.0, lit.to(device), jitter.to(device),
            capacity,
        )
        for backend, device in ((cuda, DEVICE), (reference, torch.device("cpu")))
    )  # fmt: skip
    # Rounding may put a sample that lies on a cell's border into either cell.
    difference = (fast.offsets.cpu().diff() - slow.offsets.diff()).abs()
    assert difference.sum() <= 1
    if not difference.any():
        assert torch.equal(fast.taken.cpu(), slow.taken)
        assert torch.equal(fast.ray_index.cpu(), slow.ray_index)
        torch.testing.assert_close(fast.t.cpu(), slow.t, rtol=1e-5, atol=1e-5)
        torch.testing.assert_close(fast_lengths.cpu(), slow_lengths, rtol=1e-5, atol=1e-6)
