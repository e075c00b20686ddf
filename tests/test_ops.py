"""Every operator of the CPU backend against the float64 reference, and that against autograd."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neus.ops import cpu, reference
from neus.ops.grid import GridLayout
from neus.ops.types import EMPTY, INSIDE, SURFACE, Samples

GRID = GridLayout(levels=6, features=2, log2_entries=10, base_resolution=4, finest_resolution=64)
BACKENDS = [reference, cpu]


def points(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def corners_and_faces() -> Tensor:
    """Corners and face centres of the unit cube, and points on cell borders of every level."""
    corners = torch.tensor([[i & 1, i >> 1 & 1, i >> 2] for i in range(8)]).float()
    faces = torch.full((6, 3), 0.5)
    for i in range(6):
        faces[i, i // 2] = float(i % 2)
    borders = [(k - 0.5) / float(s) for s in GRID.scale for k in (1, 2)]
    return torch.cat([corners, faces, torch.tensor(borders)[:, None].expand(-1, 3)])


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


@pytest.mark.parametrize("active", [1, 3, 6])
@pytest.mark.parametrize(
    "x", [points(1), points(7), points(130), points(1000), corners_and_faces()]
)
def test_cpu_grid_equals_reference(x: Tensor, active: int):
    table, n, width = normal(GRID.rows, 2), len(x), 2 * active
    dy, gy, v = normal(n, width), normal(n, width, seed=2), normal(n, 3)
    fast, slow = (
        backend.linearize(x.to(kind), table.to(kind), GRID, active)
        for backend, kind in ((cpu, torch.float32), (reference, torch.float64))
    )
    assert relative_error(fast.features, slow.features) < 2e-5
    assert relative_error(fast.jvp(v), slow.jvp(v.double())) < 2e-5
    assert relative_error(fast.vjp(gy), slow.vjp(gy.double())) < 2e-5
    scattered = cpu.encode_scatter(x, dy, gy, v, GRID, active)
    expected = reference.encode_scatter(
        x.double(), dy.double(), gy.double(), v.double(), GRID, active
    )
    assert relative_error(scattered, expected) < 2e-5


def test_cpu_scatter_is_the_same_in_every_run():
    first, second = (
        cpu.encode_scatter(
            points(5000), normal(5000, 12), normal(5000, 12, seed=2), normal(5000, 3), GRID, 6
        )
        for _ in range(2)
    )
    assert torch.equal(first, second)


@pytest.mark.parametrize("sharpness", [1.0, 100.0])
def test_cpu_softplus_equals_reference(sharpness: float):
    z = torch.cat([normal(4, 333) * 0.3, torch.tensor([0.0, -1e-9, 5.0, -5.0, 60.0, -60.0])[
        None].expand(4, -1)], dim=1)  # fmt: skip
    value, slope = cpu.softplus_with_slope(z, sharpness)
    expected, expected_slope = reference.softplus_with_slope(z.double(), sharpness)
    torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(slope.double(), expected_slope, rtol=1e-5, atol=1e-7)
    a_bar, sensitivity, q_bar = (
        normal(*z.shape),
        normal(4, 1).expand_as(z),
        normal(*z.shape, seed=3),
    )
    fast = cpu.softplus_backward(slope, a_bar, sensitivity, q_bar, sharpness)
    slow = reference.softplus_backward(
        expected_slope, a_bar.double(), sensitivity.double(), q_bar.double(), sharpness
    )
    for one, other in zip(fast, slow, strict=True):
        assert relative_error(one, other) < 1e-5


def test_softplus_backward_is_that_of_autograd():
    z = normal(3, 5).double().requires_grad_()
    sensitivity = normal(3, 5, seed=2).double().requires_grad_()
    value_bar, sloped_bar = normal(3, 5, seed=3).double(), normal(3, 5, seed=4).double()
    value, slope = reference.softplus_with_slope(z, 10.0)
    torch.testing.assert_close(value, torch.nn.functional.softplus(z, beta=10))
    scalar = (value * value_bar).sum() + (sensitivity * slope * sloped_bar).sum()
    expected = torch.autograd.grad(scalar, [z, sensitivity])
    found = reference.softplus_backward(
        slope.detach(), value_bar, sensitivity.detach(), sloped_bar, 10.0
    )
    torch.testing.assert_close(found, expected)


def relative_error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm().clamp(min=1e-30))


def sphere_occupancy(resolution: int = 32, radius: float = 0.5) -> Tensor:
    axis = (torch.arange(resolution) + 0.5) / resolution * 2 - 1
    distance = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).norm(dim=0) - radius
    band = 3**0.5 / resolution
    state = torch.where(distance < 0, INSIDE, EMPTY)
    return torch.where(distance.abs() <= band, SURFACE, state).to(torch.uint8)


def rays(count: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    origins = 2 * torch.nn.functional.normalize(normal(count, 3, seed=seed), dim=1)
    targets = 0.5 * normal(count, 3, seed=seed + 1)
    directions = torch.nn.functional.normalize(targets - origins, dim=1)
    return origins, directions, points(count, seed=seed)[:, 0]


@pytest.mark.parametrize("backend", BACKENDS)
def test_marching_meets_the_near_side_of_a_sphere(backend: ModuleType):
    origins = torch.tensor([[0.0, 0.0, -2.0], [0.0, 0.9, -2.0], [0.0, 3.0, -2.0], [0.0, 0.0, 0.3]])
    directions = torch.tensor([[0.0, 0.0, 1.0]]).expand(4, 3)
    samples = backend.march_rays(
        origins, directions, sphere_occupancy(), 0.01, torch.full((4,), 0.5), None
    )
    counts = samples.offsets.diff()
    assert counts[1] == 0  # passes the ball of samples
    assert counts[2] == 0  # misses the unit sphere
    assert counts[3] == 0  # begins in the solid
    first = samples.t[: counts[0]]
    assert (first < 1.5 + 0.06).all()  # ends in the solid
    assert ((first > 1.5 - 0.09) & (first < 1.5 + 0.09)).all()
    torch.testing.assert_close(first.diff(), torch.full_like(first[1:], 0.01), atol=1e-6, rtol=0)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 1000), capacity=st.one_of(st.none(), st.integers(0, 2000)))
def test_marching_agrees_between_backends(seed: int, capacity: int | None):
    origins, directions, jitter = rays(100, seed)
    fast, slow = (
        backend.march_rays(origins, directions, sphere_occupancy(), 0.02, jitter, capacity)
        for backend in (cpu, reference)
    )
    assert abs(fast.rays - slow.rays) <= 1
    common = min(fast.rays, slow.rays)
    # Rounding may put a sample that lies on a cell's border into either cell.
    difference = (fast.offsets.diff()[:common] - slow.offsets.diff()[:common]).abs()
    assert difference.sum() <= 2
    if capacity is not None:
        assert max(len(fast.t), len(slow.t)) <= capacity
    for samples in (fast, slow):
        assert_well_formed(samples)


def assert_well_formed(samples: Samples) -> None:
    assert samples.offsets[0] == 0
    assert samples.offsets[-1] == len(samples.t) == len(samples.ray_index)
    counts = torch.bincount(samples.ray_index, minlength=samples.rays)
    assert torch.equal(counts, samples.offsets.diff())
    steps = samples.t.diff()[samples.ray_index.diff() == 0]
    assert (steps > 0).all()


ALPHAS = torch.tensor([0.5, 0.0, 0.2, 1.0, 0.3, 0.4, 1.0, 0.9, 0.1])
OFFSETS = torch.tensor([0, 3, 3, 6, 8, 9])


@pytest.mark.parametrize("backend", BACKENDS)
def test_compositing_equals_hand_computed_weights(backend: ModuleType):
    values = torch.arange(18.0).view(9, 2)
    weights, left, sums = backend.composite(ALPHAS, values, OFFSETS)
    by_hand = torch.tensor([0.5, 0, 0.1, 1, 0, 0, 1, 0, 0.1])
    torch.testing.assert_close(weights, by_hand)
    torch.testing.assert_close(left, torch.tensor([0.4, 1, 0, 0, 0.9]))
    torch.testing.assert_close(sums[0], 0.5 * values[0] + 0.1 * values[2])
    torch.testing.assert_close(sums[1], torch.zeros(2))


def composite_gradients(backend: ModuleType, kind: torch.dtype) -> list[Tensor]:
    alpha = ALPHAS.to(kind).requires_grad_()
    values = normal(9, 3).to(kind).requires_grad_()
    outputs = backend.composite(alpha, values, OFFSETS)
    scalar = sum((o * normal(*o.shape, seed=7).to(kind)).sum() for o in outputs)
    return list(torch.autograd.grad(scalar, [alpha, values]))  # pyright: ignore


def test_compositing_gradients_are_exact_at_alpha_zero_and_one():
    fast, slow = composite_gradients(cpu, torch.float32), composite_gradients(
        reference, torch.float64
    )  # fmt: skip
    for one, other in zip(fast, slow, strict=True):
        assert torch.isfinite(one).all()
        assert relative_error(one, other) < 1e-6


def test_compositing_of_the_reference_passes_gradcheck():
    alpha = (0.05 + 0.9 * points(9)[:, 0].double()).requires_grad_()
    values = normal(9, 2).double().requires_grad_()
    assert torch.autograd.gradcheck(
        lambda a, v: reference.composite(a, v, OFFSETS), (alpha, values)
    )
