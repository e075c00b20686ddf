"""The reference operators against autograd and closed forms."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neus.ops import reference
from neus.ops.grid import GridLayout

GRID = GridLayout(levels=6, features=2, log2_entries=10, base_resolution=4, finest_resolution=64)


def points(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_layout_mixes_direct_and_hashed_levels():
    assert GRID.dense.any()
    assert not GRID.dense.all()
    assert GRID.rows == GRID.offsets[-1]
    assert (GRID.offsets[1:] - GRID.offsets[:-1] <= GRID.hashed_rows).all()
    assert GRID.scale[0] == 3
    assert GRID.scale[-1] == pytest.approx(63, rel=1e-6)


def test_encoding_interpolates_a_linear_function_exactly():
    """On a direct level whose rows hold a linear function of their grid point."""
    grid = GridLayout(1, 2, 12, 8, 8)
    axis = torch.arange(8.0, dtype=torch.float64)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    table = torch.stack([(2 * x - y + 3 * z).flatten(), z.flatten()], 1)
    at = 0.05 + 0.85 * points(50).double()
    position = at * 7 + 0.5
    expected = position @ torch.tensor([2.0, -1.0, 3.0], dtype=torch.float64)
    linear = reference.linearize(at, table, grid, 1)
    torch.testing.assert_close(linear.features[:, 0], expected)
    slopes = torch.tensor([[14.0, -7.0, 21.0]], dtype=torch.float64).expand(50, 3)
    torch.testing.assert_close(linear.jacobian[:, 0], slopes)


def test_reference_linearization_is_that_of_autograd():
    table, v, gy = normal(GRID.rows, 2).double(), normal(9, 3).double(), normal(9, 12).double()
    x = points(9).double().requires_grad_()
    features = reference.encode(x, table, GRID, 6)
    linear = reference.linearize(x.detach(), table, GRID, 6)
    torch.testing.assert_close(linear.features, features.detach())
    (vjp,) = torch.autograd.grad(features, x, gy)
    torch.testing.assert_close(linear.vjp(gy), vjp)
    torch.testing.assert_close((linear.jvp(v) * gy).sum(), (vjp * v).sum())


def test_reference_scatter_is_the_second_order_gradient_of_autograd():
    x = points(11).double().requires_grad_()
    table = normal(GRID.rows, 2).double().requires_grad_()
    dy, gy, v = normal(11, 12).double(), normal(11, 12, seed=2).double(), normal(11, 3).double()
    features = reference.encode(x, table, GRID, 6)
    (vjp,) = torch.autograd.grad(features, x, gy, create_graph=True)
    scalar = (features * dy).sum() + (vjp * v).sum()
    (expected,) = torch.autograd.grad(scalar, table)
    scattered = reference.encode_scatter(x.detach(), dy, gy, v, GRID, 6)
    torch.testing.assert_close(scattered, expected)


def test_softplus_backward_is_that_of_autograd():
    z = normal(3, 5).double().requires_grad_()
    sensitivity = normal(3, 5, seed=2).double().requires_grad_()
    value_bar, sloped_bar = normal(3, 5, seed=3).double(), normal(3, 5, seed=4).double()
    value, slope = reference.softplus_with_slope(z, 10.0)
    torch.testing.assert_close(value, torch.nn.functional.softplus(z, beta=10))
    scalar = (value * value_bar).sum() + (sensitivity * slope * sloped_bar).sum()
    (expected,) = torch.autograd.grad(scalar, z)
    found = reference.softplus_backward(
        slope.detach(), value_bar, sensitivity.detach(), sloped_bar, 10.0
    )
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("constants", [(reference.ADAM_DECAY, 1e-15), ((0.8, 0.999), 1e-3)])
def test_adam_step_is_that_of_torch(constants: tuple[tuple[float, float], float]):
    betas, eps = constants
    table = normal(8, 2).double()
    expected = table.clone().requires_grad_()
    adam = torch.optim.Adam([expected], lr=0.1, betas=betas, eps=eps)
    gradient, moments = reference.TableGradient(table, GRID), (table * 0, table * 0)
    for step in (1, 2, 3):
        slope = normal(8, 2, seed=step).double()
        expected.grad = slope
        adam.step()
        gradient.dense.add_(slope)
        reference.adam_step(table, gradient, moments, 0.1, step, *constants)
        assert not gradient.dense.any()
    torch.testing.assert_close(table, expected.detach())
