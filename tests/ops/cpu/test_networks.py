"""The fused operators of the CPU backend against the float64 reference."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from neus.ops import cpu, reference
from neus.ops.cpu.networks import PackedNetwork
from neus.ops.cpu.products import accumulate, multiply, padded
from neus.ops.cpu.vector_code import TILE
from neus.ops.grid import GridLayout
from neus.ops.types import Samples

GRID = GridLayout(levels=6, features=2, log2_entries=10, base_resolution=4, finest_resolution=64)
LIMIT = 2e-4
"""Relative error that float32 may have on any result and any gradient."""


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def relative_error(found: Tensor, expected: Tensor) -> float:
    difference = (found.detach() - expected.detach()).norm()
    return float(difference / expected.detach().norm().clamp(min=1e-30))


def cube() -> Tensor:
    """Corners and face centres of the scene's cube, and points beyond it."""
    corners = torch.tensor([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]).float() * 2 - 1
    faces = torch.zeros(6, 3)
    for i in range(6):
        faces[i, i // 2] = 2.0 * (i % 2) - 1
    return torch.cat([corners, faces, 1.1 * corners])


@dataclass
class Network:
    """Table, weights and biases of an SDF network, in any precision."""

    table: Tensor
    weights: list[Tensor]
    biases: list[Tensor]

    @classmethod
    def random(cls, layers: int, width: int, outputs: int) -> Network:
        sizes = [3 + GRID.width, *[width] * layers, outputs]
        pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
        return cls(
            normal(GRID.rows, 2) * 0.1,
            [normal(o, i, seed=o + i) * (2 / i) ** 0.5 for o, i in pairs],
            [normal(o, seed=o) * 0.1 for o, _ in pairs],
        )

    def to(self, kind: torch.dtype) -> Network:
        def leaf(tensor: Tensor) -> Tensor:
            return tensor.to(kind).requires_grad_()

        return Network(leaf(self.table), *(list(map(leaf, t)) for t in (self.weights, self.biases)))

    def outputs_and_gradients(self, backend, x: Tensor, levels: int) -> list[Tensor]:
        out, gradient = backend.sdf_and_gradient(
            x, self.table, self.weights, self.biases, GRID, levels, 100.0
        )
        bars = [normal(*t.shape, seed=s).to(x.dtype) for s, t in ((5, out), (6, gradient))]
        parameters = [self.table, *self.weights, *self.biases]
        return [out, gradient, *torch.autograd.grad([out, gradient], parameters, bars)]


@pytest.mark.parametrize("levels", [1, 3, 6])
@pytest.mark.parametrize("layers", [1, 2, 3])
def test_sdf_and_gradient_with_every_first_and_second_order_term(layers: int, levels: int):
    network, x = Network.random(layers, 24, 7), torch.cat([0.5 * normal(300, 3), cube()])
    fast = network.to(torch.float32).outputs_and_gradients(cpu, x, levels)
    slow = network.to(torch.float64).outputs_and_gradients(reference, x.double(), levels)
    for found, expected in zip(fast, slow, strict=True):
        assert relative_error(found, expected) < LIMIT


def test_borders_of_cells():
    """The value is continuous there; the slope is that of either side, by rounding."""
    network = Network.random(1, 24, 7)
    cells = torch.tensor([(k - 0.5) / float(s) for s in GRID.scale for k in (1, 2)])
    x = 2 * cells[:, None].expand(-1, 3) - 1
    out, gradient, *bars = (
        t.detach() for t in network.to(torch.float32).outputs_and_gradients(cpu, x, 6)
    )
    exact = network.to(torch.float64)
    expected = exact.outputs_and_gradients(reference, x.double(), 6)[0]
    assert relative_error(out, expected) < LIMIT
    sides = [
        exact.outputs_and_gradients(reference, x.double() + e, 6)[1].detach() for e in (-1e-6, 1e-6)
    ]
    nearest = torch.stack([(gradient - side).norm(dim=1) for side in sides]).amin(dim=0)
    assert float((nearest / sides[0].norm(dim=1)).max()) < 1e-3
    assert all(torch.isfinite(bar).all() for bar in bars)


@settings(max_examples=15, deadline=None)
@given(
    count=st.integers(0, 3 * TILE + 1),
    width=st.integers(1, 70),
    outputs=st.integers(1, 20),
    layers=st.integers(1, 2),
)
@example(count=329, width=1, outputs=1, layers=1)
def test_sdf_and_gradient_of_any_shape(count: int, width: int, outputs: int, layers: int):
    """A sum may cancel, as a bias's from 270 to 0.12 in the example: no float32 is closer then."""
    network, x = Network.random(layers, width, outputs), 0.5 * normal(count, 3)
    fast = network.to(torch.float32).outputs_and_gradients(cpu, x, 4)
    plain = network.to(torch.float32).outputs_and_gradients(reference, x, 4)
    slow = network.to(torch.float64).outputs_and_gradients(reference, x.double(), 4)
    for found, rounded, expected in zip(fast, plain, slow, strict=True):
        assert relative_error(found, expected) < max(LIMIT, 2 * relative_error(rounded, expected))


def test_distance_alone_is_the_first_output():
    network, x = Network.random(2, 24, 7).to(torch.float32), 0.5 * normal(1000, 3)
    operands = (network.table, network.weights, network.biases, GRID, 5, 100.0)
    out, _ = cpu.sdf_and_gradient(x, *operands)
    torch.testing.assert_close(cpu.sdf_distance(x, *operands), out[:, 0])
    expected = reference.sdf_distance(x, *operands)
    torch.testing.assert_close(out[:, 0].detach(), expected, rtol=1e-4, atol=1e-5)


def test_runs_are_the_same_bit_for_bit():
    network, x = Network.random(1, 64, 13), 0.5 * normal(5000, 3)
    first, second = (network.to(torch.float32).outputs_and_gradients(cpu, x, 6) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize("constants", [(), ((0.8, 0.999), 1e-3)])
def test_fused_scatter_and_step_equals_dense_adam(constants: tuple):
    """Three steps; the second adds two backward passes before it moves."""
    fast, slow = Network.random(1, 16, 4).to(torch.float32), Network.random(1, 16, 4)
    slow = slow.to(torch.float64)
    states = []
    for backend, network in ((cpu, fast), (reference, slow)):
        table = network.table.detach()
        kept = backend.TableGradient(table, GRID)
        moments = torch.zeros_like(table), torch.zeros_like(table)
        for step in (1, 2, 3):
            for seed in range(2 if step == 2 else 1):
                x = 0.5 * normal(200, 3, seed=10 * step + seed).to(table.dtype)
                out, gradient = backend.sdf_and_gradient(
                    x, network.table, network.weights, network.biases, GRID, 4, 100.0, kept
                )
                torch.autograd.backward([out, gradient], [out.detach(), gradient.detach()])
            assert network.table.grad is None
            backend.adam_step(table, kept, moments, 1e-2, step, *constants)
        states.append([table, *moments])
    untouched = slice(int(GRID.offsets[4]), None)
    assert torch.equal(states[0][0][untouched], Network.random(1, 16, 4).table[untouched])
    for found, expected in zip(*states, strict=True):
        assert relative_error(found, expected) < LIMIT


def shading(
    backend, kind: torch.dtype, layers: int, counts: list[int], extra: int, inv_s: float = 40.0
) -> list[Tensor]:
    """Outputs and gradients of ``shade``; the samples are padded by 20 places."""
    count, rays = sum(counts), len(counts)
    places = count + 20
    ray = torch.repeat_interleave(torch.arange(rays), torch.tensor(counts, dtype=torch.long))
    offsets = torch.cat([torch.zeros(1, dtype=torch.long), torch.tensor(counts).cumsum(0)])
    index = torch.nn.functional.pad(ray, (0, 20))
    samples = Samples(index, torch.zeros(places), offsets, torch.ones(rays, dtype=torch.bool))
    sizes = [7 + 3 + 3 + 9, *[20] * layers, 3]
    pairs = list(zip(sizes[1:], sizes[:-1], strict=True))
    leaves = [
        (0.05 * normal(places + extra, 7)),
        normal(places + extra, 3, seed=2),
        torch.tensor(inv_s),
        *(normal(o, i, seed=o) * (2 / i) ** 0.5 for o, i in pairs),
        *(0.1 * normal(o, seed=o) for o, _ in pairs),
    ]
    leaves = [leaf.to(kind).requires_grad_() for leaf in leaves]
    out, gradient, sharpness, *parameters = leaves
    directions = torch.nn.functional.normalize(normal(rays, 3, seed=4), dim=1)
    alpha, colours, norms = backend.shade(
        out, gradient, 0.5 * normal(places + extra, 3).to(kind), samples, directions.to(kind),
        normal(rays, 9).to(kind), parameters[: layers + 1], parameters[layers + 1 :],
        0.02, sharpness, 0.4,
    )  # fmt: skip
    outputs = [alpha[:count], colours[:count], norms]
    bars = [normal(*t.shape, seed=8).to(kind) for t in outputs]
    return [*outputs, *torch.autograd.grad(outputs, leaves, bars)]


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize(
    ("counts", "extra"), [([1], 0), ([0, 5, 0, 290, 1], 0), ([7] * 41, 333), ([0, 0], 9)]
)
def test_shading_with_every_gradient(layers: int, counts: list[int], extra: int):
    fast = shading(cpu, torch.float32, layers, counts, extra)
    slow = shading(reference, torch.float64, layers, counts, extra)
    for found, expected in zip(fast, slow, strict=True):
        assert relative_error(found, expected) < LIMIT


@pytest.mark.parametrize("inv_s", [1.0, 3.0, 2000.0])
def test_shading_of_very_soft_and_very_sharp_surfaces(inv_s: float):
    fast = shading(cpu, torch.float32, 1, [30] * 20, 0, inv_s)
    slow = shading(reference, torch.float64, 1, [30] * 20, 0, inv_s)
    for found, expected in zip(fast, slow, strict=True):
        assert relative_error(found, expected) < LIMIT


@settings(max_examples=20, deadline=None)
@given(rows=st.integers(1, 70), inner=st.integers(1, 70))
def test_products_on_tiles(rows: int, inner: int):
    """W x + b, W^T y and the sum of y x^T, through the packed storage and back."""
    weight_tensor, bias_tensor = normal(rows, inner), normal(rows, seed=2)
    packed = PackedNetwork.of([weight_tensor], [bias_tensor])
    weight, bias = weight_tensor.numpy(), bias_tensor.numpy()
    height, width = padded(rows), padded(inner)
    x, y = np.zeros((width, TILE), np.float32), np.zeros((height, TILE), np.float32)
    x[:inner], y[:rows] = normal(inner, TILE).numpy(), normal(rows, TILE, seed=3).numpy()
    found, transposed = np.empty_like(y), np.empty_like(x)
    none, flat_x, flat_y = np.zeros(width, np.float32), x.ravel(), y.ravel()
    multiply(
        packed.forward, 0, packed.biases, 0, height, width, flat_x, 0, found.ravel(), 0
    )  # fmt: skip
    multiply(packed.backward, 0, none, 0, width, height, flat_y, 0, transposed.ravel(), 0)
    np.testing.assert_allclose(found[:rows], weight @ x[:inner] + bias[:, None], atol=1e-4)
    np.testing.assert_allclose(transposed[:inner], weight.T @ y[:rows], atol=1e-4)
    totals = packed.zero_totals(2)
    for slab in range(2):
        accumulate(flat_y, 0, height, flat_x, 0, width, totals[0][slab], 0)
    (product,), _ = packed.gradients([weight_tensor], totals)
    np.testing.assert_allclose(product, 2 * y[:rows] @ x[:inner].T, rtol=1e-4, atol=1e-3)
