"""Gradients and Laplacians from differences, against closed forms and the analytic gradient."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neus.config import GradientConfig, HashGridConfig, SdfConfig
from neus.fields.differences import STENCILS, by_differences
from neus.fields.sdf import SdfField
from neus.ops import cpu, reference

GRID = HashGridConfig(levels=4, log2_entries=8, base_resolution=4, finest_resolution=32)
LINEAR = torch.tensor([0.3, -0.7, 0.5], dtype=torch.float64)


def points_and_walls(count: int = 60) -> Tensor:
    """Points of the box; some on its faces, edges and corners, some just beside them."""
    x = 2 * torch.rand(count, 3, generator=torch.Generator().manual_seed(0)).double() - 1
    x[:8] = torch.tensor([[1.0 - 2 * (i >> a & 1) for a in range(3)] for i in range(8)])
    x[8:14, 0], x[14:20, 1], x[20:26, 2] = 1.0, -1.0, 0.999
    return x


def quadratic(x: Tensor) -> Tensor:
    """f = b x + 1.5 x^2 - 0.5 y^2 + 2 z^2 + x y, whose Laplacian is 6."""
    squares = (x**2 * torch.tensor([1.5, -0.5, 2.0], dtype=x.dtype)).sum(dim=1)
    return (x @ LINEAR.to(x.dtype) + squares + x[:, 0] * x[:, 1])[:, None]


def quadratic_gradient(x: Tensor) -> Tensor:
    return LINEAR + x * torch.tensor([3.0, -1.0, 4.0]) + x[:, [1, 0, 2]] * torch.tensor([1, 1, 0])


@pytest.mark.parametrize("taps", [4, 6])
def test_linear_functions_are_exact_up_to_the_walls_of_the_box(taps: int):
    x = points_and_walls()
    out, gradient, laplacian = by_differences(lambda p: (p @ LINEAR)[:, None], x, 0.05, taps)
    torch.testing.assert_close(out[:, 0], x @ LINEAR)
    torch.testing.assert_close(gradient, LINEAR.expand(len(x), 3))
    torch.testing.assert_close(laplacian, torch.zeros(len(x)).double(), atol=1e-9, rtol=0)


@pytest.mark.parametrize("taps", [4, 6])
@pytest.mark.parametrize("eps", [0.01, 0.5])
def test_no_place_lies_outside_the_box(taps: int, eps: float):
    places = STENCILS[taps](points_and_walls(), eps).points
    assert float(places.abs().max()) <= 1


def test_six_taps_are_exact_for_quadratics_up_to_the_walls_of_the_box():
    x = points_and_walls()
    _, gradient, laplacian = by_differences(quadratic, x, 0.05, 6)
    torch.testing.assert_close(gradient, quadratic_gradient(x))
    torch.testing.assert_close(laplacian, torch.full_like(laplacian, 6))


def test_four_taps_have_the_laplacian_of_quadratics_away_from_the_walls():
    x = 0.9 * points_and_walls()
    for eps in (0.02, 0.01):
        _, gradient, laplacian = by_differences(quadratic, x, eps, 4)
        torch.testing.assert_close(laplacian, torch.full_like(laplacian, 6))
        error = (gradient - quadratic_gradient(x)).norm(dim=1)
        torch.testing.assert_close(error, torch.full_like(error, eps))  # of the mixed term, in z


@pytest.mark.parametrize("taps", [4, 6])
def test_the_laplacian_of_a_sphere_is_two_over_its_radius(taps: int):
    directions = torch.nn.functional.normalize(points_and_walls(), dim=1)
    for radius in (0.3, 0.8):
        x = radius * directions
        _, gradient, laplacian = by_differences(
            lambda p: p.norm(dim=1, keepdim=True) - 0.5, x, 1e-3, taps
        )
        torch.testing.assert_close(gradient, directions, atol=2e-3, rtol=0)
        expected = torch.full_like(laplacian, 2 / radius)
        torch.testing.assert_close(laplacian, expected, rtol=4e-3, atol=0)


def field(gradient: GradientConfig) -> SdfField:
    generator = torch.Generator().manual_seed(0)
    made = SdfField(GRID, SdfConfig(width=16, features=3, gradient=gradient), generator)
    with torch.no_grad():
        made.table.copy_(0.1 * torch.randn(made.table.shape, generator=generator))
    return made


def test_differences_of_a_field_approach_its_analytic_gradient():
    x = 0.9 * points_and_walls()
    analytic = field(GradientConfig()).double()
    narrow = field(GradientConfig("differences", 6, 1e-6)).double()
    expected = analytic.with_gradient(x, reference, 4)
    found = narrow.with_gradient(x, reference, 4)
    torch.testing.assert_close(found[0], expected[0])
    smooth = (found[1] - expected[1]).abs().max(dim=1).values < 1e-3
    assert smooth.float().mean() > 0.95  # the others lie on a face of some cell
    assert analytic.with_laplacian(x, reference, 4)[2] is None


@pytest.mark.parametrize("taps", [4, 6])
def test_differences_are_differentiable_and_equal_on_the_cpu_and_the_reference(taps: int):
    """Gradients of gradient and Laplacian with respect to all parameters, by the chain rule."""
    x = 0.9 * points_and_walls()
    results = []
    for backend, real in ((cpu, torch.float32), (reference, torch.float64)):
        made = field(GradientConfig("differences", taps, 0.0)).to(real)
        out, gradient, laplacian = made.with_laplacian(x.to(real), backend, 2)
        assert laplacian is not None
        scalar = (out.sum() + (gradient**2).sum()) + 0.01 * laplacian.abs().sum()
        bars = torch.autograd.grad(scalar, list(made.parameters()))
        results.append([t.detach().double() for t in (out, gradient, laplacian, *bars)])
    for found, expected in zip(*results, strict=True):
        assert float((found - expected).norm() / expected.norm().clamp(min=1e-9)) < 2e-3


def test_eps_follows_the_finest_active_level():
    made = field(GradientConfig("differences"))
    cells = [made.difference_eps(levels) for levels in (1, 2, 3, 4)]
    assert cells == sorted(cells, reverse=True)
    assert cells[-1] == pytest.approx(2 / 31)
    assert field(GradientConfig("differences", 6, 0.01)).difference_eps(1) == 0.01
