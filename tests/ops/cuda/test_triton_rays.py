"""The Triton kernels along rays against the float64 reference, and in a CUDA graph."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from neus.ops import cuda, reference
from neus.ops.cuda import sections as cuda_sections
from neus.ops.types import EMPTY, INSIDE, SURFACE, Samples
from tests.helpers.triton_cases import DEVICE, assert_close, large_blocks, normal, positions


def sphere_occupancy(resolution: int = 32, radius: float = 0.5) -> Tensor:
    axis = (torch.arange(resolution) + 0.5) / resolution * 2 - 1
    distance = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij")).norm(dim=0) - radius
    state = torch.where(distance < 0, INSIDE, EMPTY)
    return torch.where(distance.abs() <= 3**0.5 / resolution, SURFACE, state).to(torch.uint8)


def rays(count: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """From outside the unit sphere; some miss the object, some the sphere."""
    origins = 2 * torch.nn.functional.normalize(normal(count, 3, seed=seed), dim=1)
    towards = 0.5 * normal(count, 3, seed=seed + 1) - origins
    return origins, torch.nn.functional.normalize(towards, dim=1), positions(count, seed)[:, 0]


def march(backend: ModuleType, bundle: tuple[Tensor, ...], step, capacity: int | None) -> Samples:
    device = DEVICE if backend is cuda else torch.device("cpu")
    origins, directions, jitter = (tensor.to(device) for tensor in bundle)
    return backend.march_rays(
        origins, directions, sphere_occupancy().to(device), step, jitter, capacity
    )


@settings(max_examples=3, deadline=None)
@given(count=st.integers(0, 40), seed=st.integers(0, 1000))
def test_marching_equals_reference(count: int, seed: int):
    fast, slow = (march(backend, rays(count, seed), 0.03, None) for backend in (cuda, reference))
    assert fast.taken.all()
    assert len(fast.taken) == count
    assert int(fast.offsets[0]) == 0
    assert int(fast.offsets[-1]) == len(fast.t) == len(fast.ray_index)
    # Rounding may put a sample that lies on a cell's border into either cell.
    difference = (fast.offsets.cpu().diff() - slow.offsets.diff()).abs()
    assert difference.sum() <= 1
    if not difference.any():
        assert torch.equal(fast.ray_index.cpu(), slow.ray_index)
        torch.testing.assert_close(fast.t.cpu(), slow.t, rtol=0, atol=2e-6)


def test_marching_rays_that_miss_end_or_begin_inside():
    origins = torch.tensor([[0.0, 0.0, -2.0], [0.0, 0.9, -2.0], [0.0, 3.0, -2.0], [0.0, 0.0, 0.3]])
    directions = torch.tensor([[0.0, 0.0, 1.0]]).expand(4, 3)
    samples = march(cuda, (origins, directions, torch.full((4,), 0.5)), 0.01, None)
    counts = samples.offsets.diff().tolist()
    assert counts[1:] == [0, 0, 0]  # past the ball of samples, past the sphere, from the solid
    assert counts[0] > 0
    assert (samples.t - 1.5).abs().max() < 0.09


def test_a_ray_ends_in_the_solid_where_the_next_steps_lie_behind_it():
    """A warp takes 32 steps at a time: here the solid begins in the first 32 and ends in them."""
    origins, directions = torch.tensor([[0.0, 0.0, -2.0]]), torch.tensor([[0.0, 0.0, 1.0]])
    samples = march(cuda, (origins, directions, torch.tensor([0.1])), 0.047, None)
    assert len(samples.t) > 0
    assert samples.t.max() < 1.7


@pytest.mark.parametrize("kept", [0, 1, 5, 12])
@pytest.mark.parametrize("slack", [0, 3, 100])
def test_padding_and_dropping_at_a_capacity(kept: int, slack: int):
    """A capacity that ``kept`` rays fill but for ``slack`` (of 12): in order, while all fit."""
    bundle = rays(12, seed=4)
    free = march(cuda, bundle, 0.05, None)
    ends = free.offsets[1:].tolist()
    capacity = (ends[kept - 1] if kept else 0) + slack
    fitting = sum(end <= capacity for end in ends)
    filled = ends[fitting - 1] if fitting else 0
    bounded = march(cuda, bundle, torch.tensor(0.05, device=DEVICE), capacity)
    assert len(bounded.t) == len(bounded.ray_index) == capacity
    assert bounded.taken.tolist() == [True] * fitting + [False] * (12 - fitting)
    assert bounded.offsets.tolist() == [0, *ends[:fitting], *[filled] * (12 - fitting)]
    assert torch.equal(bounded.t[:filled], free.t[:filled])
    assert torch.equal(bounded.ray_index[:filled], free.ray_index[:filled])
    assert not bounded.t[filled:].any()
    assert not bounded.ray_index[filled:].any()


def test_a_grid_without_surface_and_no_rays_give_no_samples():
    empty = torch.zeros(8, 8, 8, dtype=torch.uint8, device=DEVICE)
    for count in (0, 3):
        origins, directions, jitter = (tensor.to(DEVICE) for tensor in rays(count))
        for capacity in (None, 7):
            samples = cuda.march_rays(origins, directions, empty, 0.1, jitter, capacity)
            assert samples.offsets.tolist() == [0] * (count + 1)
            assert len(samples.t) == (capacity or 0)


def ray_offsets(counts: list[int]) -> Tensor:
    return torch.tensor([0, *counts]).cumsum(0)


def composited(backend: ModuleType, alpha: Tensor, values: Tensor, offsets: Tensor) -> list[Tensor]:
    """Outputs, and gradients of a random combination of them."""
    fast = backend is cuda
    device, kind = (DEVICE, torch.float32) if fast else (torch.device("cpu"), torch.float64)
    inputs = [tensor.to(device, kind).requires_grad_() for tensor in (alpha, values)]
    outputs = backend.composite(*inputs, offsets.to(device))
    combined = sum(
        ((out * normal(*out.shape, seed=7).to(device, kind)).sum() for out in outputs),
        start=torch.zeros((), device=device),
    )
    return [*outputs, *torch.autograd.grad(combined, inputs)]


@settings(max_examples=8, deadline=None)
@given(
    counts=st.lists(st.sampled_from([0, 1, 2, 31, 32, 33, 70]), max_size=6),
    channels=st.integers(1, 7),
    opaque=st.booleans(),
    seed=st.integers(0, 1000),
)
@example(counts=[70, 33], channels=3, opaque=False, seed=0)
def test_compositing_equals_reference(counts: list[int], channels: int, opaque: bool, seed: int):
    """Rays without a sample, with one, and around the length that a warp takes at a time; some
    opacities are exactly 0 and, where ``opaque``, 1. Otherwise light gets through long rays."""
    offsets, samples = ray_offsets(counts), sum(counts)
    alpha = (0.5 if opaque else 0.05) * positions(samples, seed)[:, 0]
    special = positions(samples, seed + 1)
    alpha[special[:, 0] < 0.125] = 0
    if opaque:
        alpha[special[:, 1] < 0.125] = 1
    values = normal(channels, samples, seed=seed).T
    assert_close(
        composited(cuda, alpha, values, offsets), composited(reference, alpha, values, offsets)
    )


def test_compositing_of_padded_samples_gives_them_nothing():
    offsets, size = ray_offsets([3, 0, 2, 0]), 9
    alpha, values = torch.full((size,), 0.5), normal(size, 3)
    weights, left, sums, alpha_bar, values_bar = composited(cuda, alpha, values, offsets)
    assert weights[:5].all()
    assert not weights[5:].any()
    assert not alpha_bar[5:].any()
    assert not values_bar[5:].any()
    cut = composited(reference, alpha[:5], values[:5], offsets)
    assert_close([left, sums], cut[1:3])
    assert_close([alpha_bar[:5], values_bar[:5]], cut[3:])


def section(
    backend: ModuleType, sdf: Tensor, gradient: Tensor, inv_s: float, cos_anneal: float, held: bool
) -> list[Tensor]:
    """Outputs and gradients; ``held``: scalars come as tensors on the device."""
    fast = backend is cuda_sections
    device, kind = (DEVICE, torch.float32) if fast else (torch.device("cpu"), torch.float64)
    directions = torch.nn.functional.normalize(normal(9, 3, seed=2), dim=1).to(device, kind)
    ray_index = torch.randint(9, sdf.shape, generator=torch.Generator().manual_seed(3)).to(device)
    step, anneal = (
        torch.tensor(scalar, device=device, dtype=kind) if held else scalar
        for scalar in (0.01, cos_anneal)
    )
    inputs = [
        tensor.to(device, kind).requires_grad_() for tensor in (sdf, gradient, torch.tensor(inv_s))
    ]
    outputs = backend.section(inputs[0], inputs[1], directions, ray_index, step, inputs[2], anneal)
    combined = sum(
        ((out * normal(*out.shape, seed=5).to(device, kind)).sum() for out in outputs),
        start=torch.zeros((), device=device),
    )
    return [*outputs, *torch.autograd.grad(combined, inputs)]


@settings(max_examples=10, deadline=None)
@given(
    n=st.integers(0, 1100),
    inv_s=st.sampled_from([3.0, 60.0, 900.0]),
    cos_anneal=st.sampled_from([0.0, 0.3, 1.0]),
    held=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_sections_equal_reference(n: int, inv_s: float, cos_anneal: float, held: bool, seed: int):
    """With distances as wide as the band in which opacity changes, and gradients of any length."""
    sdf, gradient = normal(n, seed=seed) / inv_s, normal(3, n, seed=seed + 1).T
    with large_blocks():
        found = section(cuda_sections, sdf, gradient, inv_s, cos_anneal, held)
    assert_close(found, section(reference, sdf, gradient, inv_s, cos_anneal, False))


def test_sections_far_from_the_surface_and_without_gradient_stay_finite():
    sdf = torch.tensor([-5.0, 5.0, 0.0, 0.0, 1e-4])
    gradient = normal(5, 3)
    gradient[2] = 0
    found = section(cuda_sections, sdf, gradient, 2000.0, 1.0, held=True)
    assert all(torch.isfinite(tensor).all() for tensor in found)
    assert found[0][1] == 0  # in empty space: no fog
    assert_close(found[1:3], section(reference, sdf, gradient, 2000.0, 1.0, False)[1:3])


@pytest.mark.skipif(DEVICE.type != "cuda", reason="CUDA graphs need a GPU")
def test_marching_to_compositing_replays_in_a_cuda_graph():
    """Replayed with other rays, another step and another inv_s, as without the graph."""
    capacity, occupancy = 1000, sphere_occupancy().to(DEVICE)
    inputs = [tensor.to(DEVICE) for tensor in rays(64)]
    step, inv_s = (torch.tensor(scalar, device=DEVICE) for scalar in (0.02, 100.0))
    inv_s.requires_grad_()

    def render() -> list[Tensor]:
        origins, directions, jitter = inputs
        samples = cuda.march_rays(origins, directions, occupancy, step, jitter, capacity)
        x = origins[samples.ray_index] + samples.t[:, None] * directions[samples.ray_index]
        alpha, normals, _ = cuda_sections.section(
            x.norm(dim=1) - 0.5, x, directions, samples.ray_index, step, inv_s, 0.5
        )
        _, left, sums = cuda.composite(alpha, normals, samples.offsets)
        (inv_s_bar,) = torch.autograd.grad(left.sum() + sums.square().sum(), inv_s)
        return [samples.t, samples.taken, left, sums, inv_s_bar]

    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        render()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph, stream=side):
        captured = render()
    for seed in (1, 2):
        for tensor, other in zip(inputs, rays(64, seed), strict=True):
            tensor.copy_(other)
        with torch.no_grad():
            step.fill_(0.01 * (1 + seed))
            inv_s.fill_(50.0 * seed)
        graph.replay()
        for one, other in zip(captured, render(), strict=True):
            torch.testing.assert_close(one, other)
