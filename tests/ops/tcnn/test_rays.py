"""Marching and compositing by nerfacc, and a whole rendering, against the reference."""

from __future__ import annotations

from types import ModuleType

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from neus.config import load_method
from neus.models.neus import NeuS
from neus.models.schedule import stage_at
from neus.ops import reference, tcnn
from neus.ops.types import EMPTY, INSIDE, SURFACE, Samples
from tests.helpers.tcnn_cases import (
    DEVICE,
    assert_close,
    imitated,
    normal,
    place,
    some_rays,
    sphere_occupancy,
    tcnn_packages,  # noqa: F401
    uniform,
)

pytestmark = pytest.mark.usefixtures("tcnn_packages")

MODEL = load_method(
    None,
    {
        "model": {
            "hash_grid": {"levels": 6, "log2_entries": 10, "finest_resolution": 1024},
            "sdf": {"width": 24},
            "radiance": {"width": 31},
        }
    },
).model


def march(backend: ModuleType, *arguments, capacity: int | None, device=None) -> Samples:
    origins, directions, state, step, jitter = (
        a.to(device) if isinstance(a, Tensor) else a for a in arguments
    )
    return backend.march_rays(origins, directions, state, step, jitter, capacity)


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 1000),
    count=st.integers(0, 100),
    capacity=st.one_of(st.none(), st.integers(0, 2000)),
)
def test_marching_equals_reference(seed: int, count: int, capacity: int | None):
    origins, directions, jitter = some_rays(count, seed)
    arguments = (origins, directions, sphere_occupancy(), 0.02, jitter)
    found = march(tcnn, *arguments, capacity=capacity, device=DEVICE)
    expected = march(reference, *arguments, capacity=capacity)
    # Rounding may put a sample that lies on a cell's border into either cell.
    both = (taken := found.taken.cpu()) & expected.taken
    assert (taken != expected.taken).sum() <= 1
    counts = found.offsets.cpu().diff()
    assert (counts - expected.offsets.diff())[both].abs().sum() <= 2
    assert_well_formed(found, capacity)
    if torch.equal(found.offsets.cpu(), expected.offsets):
        assert torch.equal(found.ray_index.cpu(), expected.ray_index)
        torch.testing.assert_close(found.t.cpu(), expected.t, atol=1e-4, rtol=0)


def assert_well_formed(samples: Samples, capacity: int | None) -> None:
    count, counts = int(samples.offsets[-1]), samples.offsets.diff()
    assert samples.offsets[0] == 0
    assert len(samples.t) == len(samples.ray_index) == (count if capacity is None else capacity)
    found = torch.bincount(samples.ray_index[:count], minlength=len(counts))
    assert torch.equal(found, counts)
    assert not samples.t[count:].any()
    assert not samples.ray_index[count:].any()
    assert not counts[~samples.taken].any()


def test_rays_end_at_the_first_cell_inside():
    """A wall of surface, solid behind it, and surface again, which no ray may reach."""
    state = torch.full((8, 8, 8), EMPTY, dtype=torch.uint8)
    state[:, :, 2], state[:, :, 3], state[:, :, 4] = SURFACE, INSIDE, SURFACE
    origins = torch.tensor([[0.1, 0.1, -2.0], [0.1, 0.1, 2.0], [0.1, 0.1, 0.2], [0.1, 3.0, -2.0]])
    directions = torch.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, -1.0], [0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    arguments = (origins, directions, state, 0.05, torch.full((4,), 0.5))
    samples = march(tcnn, *arguments, capacity=None, device=DEVICE)
    expected = march(reference, *arguments, capacity=None)
    assert samples.offsets.tolist() == expected.offsets.tolist()
    assert (samples.t[: samples.offsets[1]] < 1.75).all()  # the wall ends at z = -0.25
    assert samples.offsets.diff()[0] == 5


def test_rays_are_taken_up_to_the_first_that_does_not_fit():
    """Rays of 3, 4 and 3 samples (a cell is 0.25 wide) into 9 places, and into 2."""
    state = torch.full((8, 8, 8), SURFACE, dtype=torch.uint8)
    state[:, :, 3:] = EMPTY
    origins = torch.tensor([[0.1, 0.1, -2.0]]).expand(3, 3)
    directions = torch.tensor([[0.0, 0.0, 1.0]]).expand(3, 3)
    arguments = (origins, directions, state, 0.21, torch.tensor([0.9, 0.1, 0.9]))
    samples = march(tcnn, *arguments, capacity=9, device=DEVICE)
    assert samples.taken.tolist() == [True, True, False]
    assert samples.offsets.tolist() == [0, 3, 7, 7]
    assert march(tcnn, *arguments, capacity=2, device=DEVICE).offsets.tolist() == [0, 0, 0, 0]


ALPHAS = torch.tensor([0.5, 0.0, 0.2, 0.99999, 0.3, 0.4, 0.7, 0.9, 0.1])
OFFSETS = torch.tensor([0, 3, 3, 6, 8, 9, 9])


def composited(backend: ModuleType, kind: torch.dtype, padding: int) -> list[Tensor]:
    """Weights, what is left, and sums, and their gradients; the padding is not set."""
    unset = torch.full((padding, 4), torch.nan)
    alpha = place(torch.cat([ALPHAS, unset[:, 0]]), kind).requires_grad_()
    values = place(torch.cat([normal(9, 3), unset[:, 1:]]), kind).requires_grad_()
    weights, left, sums = backend.composite(alpha, values, OFFSETS.to(alpha.device))
    bars = [place(normal(*t.shape, seed=7), kind) for t in (weights[:9], left, sums)]
    found = torch.autograd.grad([weights[:9], left, sums], [alpha, values], bars)
    return [weights, left, sums, *found]


@pytest.mark.parametrize("padding", [0, 5])
def test_compositing_equals_reference(padding: int):
    found = composited(tcnn, torch.float32, padding)
    expected = composited(reference, torch.float64, 0)
    for index in (0, 3, 4):  # weights, and gradients of alpha and values
        assert not found[index][9:].any()
        found[index] = found[index][:9]
    assert_close(found, expected, 1e-5)


def test_compositing_of_no_samples_leaves_all_light():
    alpha, values = torch.empty(0, device=DEVICE), torch.empty(0, 3, device=DEVICE)
    weights, left, sums = tcnn.composite(alpha, values, torch.zeros(3, dtype=torch.long))
    assert not len(weights)
    assert left.tolist() == [1, 1]
    assert not sums.any()


@imitated
def test_a_rendering_and_its_gradients_equal_the_references():
    found, expected = (rendered_gradients(backend) for backend in (tcnn, reference))
    assert_close(found, expected, 1e-2)


def rendered_gradients(backend: ModuleType) -> list[Tensor]:
    """A sphere as the model sees it at its start, and a loss's gradients by all parameters."""
    model, stage = NeuS(MODEL, torch.Generator().manual_seed(0)), stage_at(MODEL, 30, 60)
    origins, directions, jitter = some_rays(60, seed=3)
    samples = backend.march_rays(
        origins, directions, sphere_occupancy(), stage.step_length, jitter, None
    )
    marched = samples.t[:, None] * directions[samples.ray_index] + origins[samples.ray_index]
    points = torch.cat([marched, uniform(100, 3) - 0.5])
    model.sdf.table_gradient = backend.TableGradient(model.sdf.table.detach(), model.sdf.grid)
    rendering = model.render(points, samples, directions, stage, backend)
    loss = ((rendering.rgb - 0.3) ** 2).mean() + ((rendering.gradient_norms - 1) ** 2).mean()
    loss.backward()
    bars = {name: parameter.grad for name, parameter in model.named_parameters()}
    assert bars.pop("sdf.table") is None
    found = [bar for bar in bars.values() if bar is not None]
    assert len(found) == len(bars)
    return [rendering.rgb, rendering.transmittance, model.sdf.table_gradient.dense, *found]
