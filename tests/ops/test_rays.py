"""Marching and compositing: closed forms, and the CPU backend against the float64 reference."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neus.ops import cpu, reference
from neus.ops.types import EMPTY, INSIDE, SURFACE, Samples

BACKENDS = [reference, cpu]


def points(count: int, seed: int = 0) -> Tensor:
    return torch.rand(count, 3, generator=torch.Generator().manual_seed(seed))


def normal(*shape: int, seed: int = 1) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


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
    # Rounding may put a sample that lies on a cell's border into either cell.
    both = fast.taken & slow.taken
    assert (fast.taken != slow.taken).sum() <= 1
    difference = (fast.offsets.diff() - slow.offsets.diff())[both].abs()
    assert difference.sum() <= 2
    for samples in (fast, slow):
        assert_well_formed(samples, capacity)


def assert_well_formed(samples: Samples, capacity: int | None) -> None:
    count, counts = int(samples.offsets[-1]), samples.offsets.diff()
    assert samples.offsets[0] == 0
    assert len(samples.t) == len(samples.ray_index) == (count if capacity is None else capacity)
    found = torch.bincount(samples.ray_index[:count], minlength=len(counts))
    assert torch.equal(found, counts)
    steps = samples.t[:count].diff()[samples.ray_index[:count].diff() == 0]
    assert (steps > 0).all()
    assert not samples.t[count:].any()
    assert not samples.ray_index[count:].any()
    assert not counts[~samples.taken].any()
    assert (samples.taken.long().diff() <= 0).all()  # no ray is taken after a dropped one


@pytest.mark.parametrize("backend", BACKENDS)
def test_rays_are_taken_up_to_the_first_that_does_not_fit(backend: ModuleType):
    """Rays of 3, 4 and 3 samples (a cell is 0.25 wide) into 9 places, and into 2."""
    state = torch.full((8, 8, 8), SURFACE, dtype=torch.uint8)
    state[:, :, 3:] = EMPTY
    origins = torch.tensor([[0.1, 0.1, -2.0]]).expand(3, 3)
    directions = torch.tensor([[0.0, 0.0, 1.0]]).expand(3, 3)
    jitter = torch.tensor([0.9, 0.1, 0.9])
    arguments = (origins, directions, state, 0.21, jitter)
    counts = backend.march_rays(*arguments, None).offsets.diff().tolist()
    assert counts == [3, 4, 3]
    samples = backend.march_rays(*arguments, 9)
    assert samples.taken.tolist() == [True, True, False]
    assert samples.offsets.tolist() == [0, 3, 7, 7]
    assert backend.march_rays(*arguments, 2).offsets.tolist() == [0, 0, 0, 0]


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
