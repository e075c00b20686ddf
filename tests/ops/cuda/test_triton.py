"""The Triton kernels of grid, activation and optimizer against the float64 reference."""

from __future__ import annotations

import importlib
import sys
from types import ModuleType

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

from neus.errors import InputError
from neus.ops import cuda, reference
from neus.ops.cuda import activation, grid
from tests.helpers.triton_cases import (
    DEVICE,
    GRID,
    assert_close,
    borders,
    error,
    large_blocks,
    normal,
    positions,
)


def grid_products(
    backend: ModuleType, kind: torch.dtype, device: torch.device, x: Tensor, active: int
):
    """Features, J v, J^T gy and the scattered gradient, of the same inputs for every backend."""
    n, width = len(x), 2 * active
    table, v = normal(GRID.rows, 2), normal(n, 3, seed=1)
    dy, gy = normal(n, width, seed=2), normal(width, n, seed=3).T  # row-major and channel-major
    table, x, v, dy, gy = (tensor.to(device, kind) for tensor in (table, x, v, dy, gy))
    linear = backend.linearize(x, table, GRID, active)
    scattered = backend.encode_scatter(x, dy, gy, v, GRID, active)
    encoded = backend.encode(x, table, GRID, active)
    return [linear.features, linear.jvp(v), linear.vjp(gy), scattered, encoded]


def assert_grid_equals_reference(x: Tensor, active: int) -> None:
    found = grid_products(grid, torch.float32, DEVICE, x, active)
    expected = grid_products(reference, torch.float64, torch.device("cpu"), x, active)
    assert_close(found, expected, 1e-4)


def test_grid_in_its_own_blocks_equals_reference():
    """More than one block of the size that a GPU gets, and a part of one."""
    assert_grid_equals_reference(positions(130), 2)


@pytest.mark.parametrize("active", [1, 3, 6])
def test_grid_equals_reference_on_cell_borders_and_box_faces(active: int):
    with large_blocks():
        assert_grid_equals_reference(borders(), active)


@settings(max_examples=6, deadline=None)
@given(n=st.integers(0, 1100), active=st.integers(1, 6), seed=st.integers(0, 1000))
def test_grid_equals_reference(n: int, active: int, seed: int):
    with large_blocks():
        assert_grid_equals_reference(positions(n, seed), active)


def test_grid_reads_positions_of_any_strides():
    x = positions(40).to(DEVICE)
    channel_major, strided = x.T.contiguous().T, torch.cat([x, x], dim=1)[:, :3]
    table = normal(GRID.rows, 2).to(DEVICE)
    with large_blocks():
        for other in (channel_major, strided):
            assert torch.equal(grid.encode(x, table, GRID, 3), grid.encode(other, table, GRID, 3))


def test_scatter_adds_into_a_given_gradient():
    inputs = (positions(50), normal(50, 4), normal(50, 4, seed=1), normal(50, 3))
    x, dy, gy, v = (tensor.to(DEVICE) for tensor in inputs)
    gradient = torch.ones(GRID.rows, GRID.features, device=DEVICE)
    with large_blocks():
        fresh = grid.encode_scatter(x, dy, gy, v, GRID, 2)
        returned = grid.encode_scatter(x, dy, gy, v, GRID, 2, gradient=gradient)
    assert returned is gradient
    assert error(gradient, 1 + fresh) < 1e-6
    assert fresh.count_nonzero() > 0


@pytest.mark.parametrize("first_order", [True, False])
def test_scatter_of_either_term_alone_equals_reference(first_order: bool):
    """Points that carry nothing are skipped; those that carry one of the terms must not be."""
    x, dy, gy, v = positions(30), normal(30, 4), normal(30, 4, seed=1), normal(30, 3)
    (v if first_order else dy).zero_()
    with large_blocks():
        found = grid.encode_scatter(*(t.to(DEVICE) for t in (x, dy, gy, v)), GRID, 2)  # pyright: ignore
    expected = reference.encode_scatter(x.double(), dy.double(), gy.double(), v.double(), GRID, 2)
    assert_close([found], [expected])


def test_inactive_levels_get_no_gradient():
    inputs = (positions(50), normal(50, 4), normal(50, 4, seed=1), normal(50, 3))
    x, dy, gy, v = (tensor.to(DEVICE) for tensor in inputs)
    with large_blocks():
        gradient = grid.encode_scatter(x, dy, gy, v, GRID, 2)
    assert not gradient[GRID.offsets[2] :].any()
    assert gradient[: GRID.offsets[2]].any()


@pytest.mark.parametrize("sharpness", [1.0, 100.0])
def test_softplus_equals_reference(sharpness: float):
    extremes = torch.tensor([0.0, -1e-9, 5.0, -5.0, 60.0, -60.0, 2000.0, -2000.0])
    z = torch.cat([normal(3, 1030) * 0.3, extremes[None].expand(3, -1)], dim=1).to(DEVICE)
    value, slope = activation.softplus_with_slope(z, sharpness)
    expected, expected_slope = reference.softplus_with_slope(z.cpu().double(), sharpness)
    torch.testing.assert_close(value.cpu().double(), expected, rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(slope.cpu().double(), expected_slope, rtol=1e-5, atol=1e-7)


@settings(max_examples=8, deadline=None)
@given(channels=st.integers(1, 3), n=st.integers(2, 1500), seed=st.integers(0, 1000))
@example(channels=1, n=0, seed=0)
@example(channels=2, n=1, seed=0)
def test_softplus_backward_equals_reference(channels: int, n: int, seed: int):
    """With tensors of all the strides that the network's backward pass hands over."""
    slope = torch.sigmoid(normal(channels, n, seed=seed))
    value_bar, sloped_bar = normal(n, channels, seed=1).T, normal(channels, n, seed=2)
    sensitivity = normal(channels, 1, seed=3).expand(-1, n)
    inputs = (slope, value_bar, sensitivity, sloped_bar)
    found, sloped_sum = activation.softplus_backward_with_sum(
        *(tensor.to(DEVICE) for tensor in inputs),  # pyright: ignore
        sharpness=100.0,
    )
    slope, value_bar, sensitivity, sloped_bar = (tensor.double() for tensor in inputs)
    expected = reference.softplus_backward(slope, value_bar, sensitivity, sloped_bar, 100.0)
    chain_sum = (sloped_bar * slope).sum(dim=1)
    assert_close([found, sloped_sum], [expected, chain_sum])


@pytest.mark.parametrize(
    ("held", "constants"), [(False, ()), (True, ()), (True, ((0.8, 0.999), 1e-3))]
)
def test_adam_equals_reference(held: bool, constants: tuple):
    """Two steps; some entries get no gradient. ``held``: scalars lie on the device."""
    found, expected = (
        adam_states(backend, device, kind, held, *constants)
        for backend, device, kind in (
            (cuda, DEVICE, torch.float32),
            (reference, torch.device("cpu"), torch.float64),
        )
    )
    assert_close(found, expected, 1e-5)


def adam_states(
    backend: ModuleType, device: torch.device, kind: torch.dtype, held: bool, *constants
) -> list[Tensor]:
    table = normal(GRID.rows, 2).to(device, kind)
    gradient = backend.TableGradient(table, GRID)
    moments = torch.zeros_like(table), torch.zeros_like(table)
    states = []
    for step in (1, 2):
        slopes = normal(GRID.rows, 2, seed=step)
        slopes[positions(GRID.rows, seed=step)[:, 0] < 0.3] = 0
        gradient.dense += slopes.to(device, kind)
        rate = torch.tensor(0.01, device=device) if held else 0.01
        count = torch.tensor(step, device=device) if held else step
        backend.adam_step(table, gradient, moments, rate, count, *constants)
        assert not gradient.dense.any()
        states += [tensor.clone() for tensor in (table, *moments)]
    return states


def test_missing_triton_is_one_sentence_at_first_use(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("neus.ops.cuda")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "triton", None)
    monkeypatch.setattr("neus.ops.cuda", cuda)  # put back what the import below replaces
    without = importlib.import_module("neus.ops.cuda")
    assert without is not cuda
    with pytest.raises(InputError, match="pip install triton"):
        without.march_rays  # noqa: B018
