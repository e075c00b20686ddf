"""Distance and colour on tiny-cuda-nn against the float64 reference."""

from __future__ import annotations

from itertools import pairwise
from types import ModuleType

import pytest
import torch
from torch import Tensor

from neus.ops import reference, tcnn
from neus.ops.tcnn import shading
from neus.ops.types import Samples
from tests.helpers.tcnn_cases import (
    GRID,
    assert_close,
    imitated,
    normal,
    place,
    tcnn_packages,  # noqa: F401
    uniform,
)

pytestmark = pytest.mark.usefixtures("tcnn_packages")


def sdf_inputs(n: int, kind: torch.dtype, hidden: int = 1) -> tuple[Tensor, ...]:
    """Positions in [-1, 1]^3, the last of them beyond; a table; weights and biases."""
    x = 2 * uniform(n, 3) - 1
    x[n - 1 :] *= 1.2
    sizes = list(pairwise([3 + GRID.width, *[24] * hidden, 5]))
    weights = [0.3 * normal(outputs, inputs, seed=i) for i, (inputs, outputs) in enumerate(sizes)]
    biases = [0.1 * normal(outputs, seed=i + 9) for i, (_, outputs) in enumerate(sizes)]
    table = 0.1 * normal(GRID.rows, 2)
    return tuple(place(tensor, kind) for tensor in (x, table, *weights, *biases))


def sdf_gradients(
    backend: ModuleType, kind: torch.dtype, hidden: int, n: int, active: int, given: bool
) -> list[Tensor]:
    """Output, gradient, and how a combination of both depends on every parameter.

    The combination's gradients are stored by channel. ``given``: the table's is added to one that
    is there.
    """
    x, table, *networks = sdf_inputs(n, kind, hidden)
    parameters = [tensor.requires_grad_() for tensor in (table, *networks)]
    weights, biases = networks[: hidden + 1], networks[hidden + 1 :]
    table_gradient = backend.TableGradient(table, GRID) if given else None
    if table_gradient is not None:
        table_gradient.dense += 1
    out, gradient = backend.sdf_and_gradient(
        x, table, weights, biases, GRID, active, 100.0, table_gradient
    )
    bars = [place(normal(t.shape[1], n, seed=6), kind).T for t in (out, gradient)]
    found = torch.autograd.grad([out, gradient], parameters, bars, allow_unused=given)
    table_bar = found[0] if table_gradient is None else table_gradient.dense - 1
    return [out, gradient, table_bar, *found[1:]]


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize(
    ("hidden", "n", "active"), [(1, 300, 6), (1, 256, 6), (2, 77, 2), (1, 1, 6), (1, 0, 6)]
)
def test_sdf_and_gradient_equal_reference(hidden: int, n: int, active: int, given: bool):
    found = sdf_gradients(tcnn, torch.float32, hidden, n, active, given)
    expected = sdf_gradients(reference, torch.float64, hidden, n, active, False)
    assert_close(found, expected, 2e-4)


@pytest.mark.parametrize(("n", "active"), [(300, 6), (77, 2), (0, 6)])
def test_distance_and_gradient_without_a_graph_equal_reference(n: int, active: int):
    x, table, w1, w2, b1, b2 = sdf_inputs(n, torch.float32)
    operands = (table.requires_grad_(), [w1.requires_grad_(), w2], [b1, b2], GRID, active, 100.0)
    distance = tcnn.sdf_distance(x, *operands)
    with torch.no_grad():
        out, gradient = tcnn.sdf_and_gradient(x, *operands)
    assert not any(tensor.requires_grad for tensor in (distance, out, gradient))
    x, table, w1, w2, b1, b2 = sdf_inputs(n, torch.float64)
    exact = reference.sdf_and_gradient(x, table, [w1, w2], [b1, b2], GRID, active, 100.0)
    assert_close([distance, out, gradient], [exact[0][:, 0], *exact], 1e-5)


def shaded(
    backend: ModuleType, kind: torch.dtype, width: int, points: int, scale: float = 1.0
) -> list[Tensor]:
    """Opacities, colours and norms of 40 places and of points beyond, and their gradients."""
    places, rays = min(40, points), 7
    directions = torch.nn.functional.normalize(normal(rays, 3, seed=2), dim=1)
    ray_index = torch.arange(places) % rays
    sizes = list(pairwise([6 + 3 + 3 + 9, width, width, 3]))
    tensors = [0.1 * normal(points, 6), normal(points, 3, seed=1), torch.tensor(80.0)]
    tensors += [0.4 * normal(outputs, inputs, seed=i) for i, (inputs, outputs) in enumerate(sizes)]
    tensors += [0.1 * normal(outputs, seed=i) for i, (_, outputs) in enumerate(sizes)]
    out, gradient, inv_s, *networks = (place(t, kind).requires_grad_() for t in tensors)
    constants = (normal(points, 3, seed=3), directions, normal(rays, 9, seed=4))
    x, directions, encoded = (place(tensor, kind) for tensor in constants)
    offsets, taken = torch.zeros(rays + 1, dtype=torch.long), torch.ones(rays, dtype=torch.bool)
    samples = Samples(ray_index.to(x.device), x.new_zeros(places), offsets, taken)
    outputs = backend.shade(
        out, gradient, x, samples, directions, encoded, networks[:3], networks[3:], 0.01, inv_s, 0.5
    )
    bars = [scale * place(normal(*tensor.shape, seed=8), kind) for tensor in outputs]
    found = torch.autograd.grad(outputs, [out, gradient, inv_s, *networks], bars)
    return [*outputs, *(bar / scale for bar in found)]


@pytest.mark.parametrize(("width", "points"), [(16, 57), (31, 40), (64, 57), (16, 0)])
def test_shading_equals_reference_within_float16(width: int, points: int):
    found = shaded(tcnn, torch.float32, width, points)
    expected = shaded(reference, torch.float64, width, points)
    assert_close(found, expected, 5e-3)


def test_gradients_far_below_float16s_least_number_survive():
    found = shaded(tcnn, torch.float32, 16, 57, scale=1e-8)
    expected = shaded(reference, torch.float64, 16, 57, scale=1e-8)
    assert_close(found, expected, 2e-2)


@imitated
def test_widths_with_room_for_the_constant_run_fully_fused():
    kinds = {width: shading._network(32, width, 2, 16).otype for width in (32, 64, 80, 128)}
    assert kinds.pop(80) == "CutlassMLP"
    assert set(kinds.values()) == {"FullyFusedMLP"}
