"""The networks on Triton kernels against the float64 reference."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor

from neus.ops import cuda, reference
from neus.ops.cuda import field, precision
from neus.ops.types import Samples
from tests.helpers.triton_cases import DEVICE, GRID, assert_close, large_blocks, normal, positions


def network(width: int, hidden_layers: int, kind: torch.dtype) -> tuple[list[Tensor], list[Tensor]]:
    sizes = list(pairwise([3 + GRID.width, *[width] * hidden_layers, 5]))
    weights = [0.3 * normal(outputs, inputs, seed=i) for i, (inputs, outputs) in enumerate(sizes)]
    biases = [0.1 * normal(outputs, seed=i + 9) for i, (_, outputs) in enumerate(sizes)]
    device = DEVICE if kind == torch.float32 else torch.device("cpu")
    return [w.to(device, kind) for w in weights], [b.to(device, kind) for b in biases]


def sdf_inputs(n: int, kind: torch.dtype) -> tuple[Tensor, Tensor]:
    """Positions in [-1, 1]^3, the last of them beyond, and a table."""
    x, table = 2 * positions(n) - 1, 0.1 * normal(GRID.rows, 2)
    x[n - 1 :] *= 1.2
    device = DEVICE if kind == torch.float32 else torch.device("cpu")
    return x.to(device, kind), table.to(device, kind)


@pytest.mark.parametrize(("width", "hidden_layers"), [(64, 1), (32, 1), (64, 2)])
@pytest.mark.parametrize(("n", "active"), [(0, 6), (1, 6), (77, 2), (300, 6)])
def test_distance_equals_reference(width: int, hidden_layers: int, n: int, active: int):
    """The fused kernel for one hidden layer of 64, the composed operators for the others."""
    with large_blocks():
        found, expected = (
            backend.sdf_distance(
                *sdf_inputs(n, kind), *network(width, hidden_layers, kind), GRID, active, 100.0
            )
            for backend, kind in ((cuda, torch.float32), (reference, torch.float64))
        )
    assert_close([found], [expected], 1e-5)


def test_the_network_of_the_default_size_takes_the_fused_kernel(monkeypatch: pytest.MonkeyPatch):
    def refuse(*_: object) -> Tensor:
        raise AssertionError("composed")

    monkeypatch.setattr(field, "_composed_distance", refuse)
    inputs = sdf_inputs(3, torch.float32)
    fused, other = (network(width, 1, torch.float32) for width in (64, 32))
    assert cuda.sdf_distance(*inputs, *fused, GRID, 6, 100.0).shape == (3,)
    with pytest.raises(AssertionError, match="composed"):
        cuda.sdf_distance(*inputs, *other, GRID, 6, 100.0)


def sdf_gradients(
    backend: ModuleType, kind: torch.dtype, hidden_layers: int, n: int, active: int, given: bool
) -> list[Tensor]:
    """Output, gradient, and how a random combination of both depends on every parameter.

    ``given``: the table's gradient is added to one that is there.
    """
    x, table = sdf_inputs(n, kind)
    weights, biases = network(64, hidden_layers, kind)
    parameters = [tensor.requires_grad_() for tensor in (table, *weights, *biases)]
    table_gradient = backend.TableGradient(table, GRID) if given else None
    if table_gradient is not None:
        table_gradient.dense += 1
    out, gradient = backend.sdf_and_gradient(
        x, table, weights, biases, GRID, active, 100.0, table_gradient
    )
    bars = [normal(*t.shape, seed=6).to(t.device, kind) for t in (out, gradient)]
    bars = torch.autograd.grad([out, gradient], parameters, bars, allow_unused=given)
    table_bar = bars[0] if table_gradient is None else table_gradient.dense - 1
    return [out, gradient, table_bar, *bars[1:]]


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(("hidden_layers", "n", "active"), [(1, 300, 6), (2, 77, 2), (1, 0, 6)])
def test_sdf_and_gradient_equal_reference(hidden_layers: int, n: int, active: int, given: bool):
    with large_blocks():
        found = sdf_gradients(cuda, torch.float32, hidden_layers, n, active, given)
    expected = sdf_gradients(reference, torch.float64, hidden_layers, n, active, False)
    assert_close(found, expected)


def shaded(backend: ModuleType, kind: torch.dtype, points: int) -> list[Tensor]:
    """Opacities, colours and norms of 40 places and of points beyond, and their gradients."""
    places, rays = 40, 7
    device = DEVICE if kind == torch.float32 else torch.device("cpu")
    out, gradient = 0.1 * normal(6, points).T, normal(3, points, seed=1).T
    directions = torch.nn.functional.normalize(normal(rays, 3, seed=2), dim=1)
    ray_index = torch.arange(places) % rays
    x, encoded = normal(points, 3, seed=3), normal(rays, 9, seed=4)
    sizes = [(16, 6 + 3 + 3 + 9), (16, 16), (3, 16)]
    weights = [0.4 * normal(*size, seed=i) for i, size in enumerate(sizes)]
    biases = [0.1 * normal(outputs, seed=i) for i, (outputs, _) in enumerate(sizes)]
    x, directions, encoded = (t.to(device, kind) for t in (x, directions, encoded))
    parameters = [
        tensor.to(device, kind).requires_grad_()
        for tensor in (out, gradient, torch.tensor(80.0), *weights, *biases)
    ]
    out, gradient, inv_s, *networks = parameters
    offsets, taken = torch.zeros(rays + 1, dtype=torch.long), torch.ones(rays, dtype=torch.bool)
    samples = Samples(ray_index.to(device), torch.zeros(places, device=device), offsets, taken)
    outputs = backend.shade(
        out, gradient, x, samples, directions, encoded, networks[:3], networks[3:], 0.01, inv_s, 0.5
    )
    bars = [normal(*tensor.shape, seed=8).to(device, kind) for tensor in outputs]
    return [*outputs, *torch.autograd.grad(outputs, parameters, bars)]


@pytest.mark.parametrize("points", [40, 57])
@pytest.mark.parametrize("exact", [True, False])
def test_shading_equals_reference(monkeypatch: pytest.MonkeyPatch, points: int, exact: bool):
    """Within float32's tolerance as far as TF32 is not allowed, which a GPU alone can round to."""
    if exact:
        monkeypatch.setattr(precision, "ROUNDED", precision.DOT)
    found = shaded(cuda, torch.float32, points)
    expected = shaded(reference, torch.float64, points)
    assert_close(found, expected) if exact else assert_close(found, expected, 5e-3)


def test_precision_of_products_is_switched_and_restored():
    before = torch.get_float32_matmul_precision()
    with precision.matmuls(precision.ROUNDED):
        assert torch.get_float32_matmul_precision() == "high"
        with precision.matmuls(precision.DOT):
            assert torch.get_float32_matmul_precision() == "highest"
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == before
