"""Products of layers on Triton kernels, and by torch where a network is too wide for a tile."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from neus.ops import reference
from neus.ops.cuda import product_kernels, products
from tests.helpers.triton_cases import DEVICE, assert_close, normal

SIZES = [(64, 35), (13, 64), (3, 64), (16, 16), (70, 35)]
"""Outputs and inputs of a layer; the last is wider than a tile."""
COUNTS = [1, 32, 77, 1000]


def operands(rows: int, inner: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    weight, bias, x = normal(rows, inner), normal(rows, seed=1), normal(inner, count, seed=2)
    return weight.to(DEVICE), bias.to(DEVICE), x.to(DEVICE)


@pytest.mark.parametrize(("rows", "inner"), SIZES)
@pytest.mark.parametrize("count", COUNTS)
def test_layers_equal_torch(rows: int, inner: int, count: int):
    weight, bias, x = operands(rows, inner, count)
    exact = weight.double() @ x.double()
    biased = exact + bias.double()[:, None]
    found = [products.layer(weight, bias, x), products.layer(weight, None, x)]
    found += products.softplus_layer(weight, bias, x, 100.0)
    expected = [biased, exact, *reference.softplus_with_slope(biased, 100.0)]
    assert_close(found, expected, 1e-5)


def test_weights_may_be_transposed_or_a_part_of_others():
    weight, bias, x = operands(40, 64, 77)
    part = normal(64, 80).to(DEVICE)[:40, :64]
    found = [products.layer(part, bias, x), products.layer(weight.T, None, x[:40])]
    expected = [
        part.double() @ x.double() + bias.double()[:, None],
        weight.double().T @ x[:40].double(),
    ]
    assert_close(found, expected, 1e-5)


@pytest.mark.parametrize(("rows", "columns"), SIZES)
@pytest.mark.parametrize("count", COUNTS)
def test_sums_over_points_equal_torch(rows: int, columns: int, count: int, monkeypatch):
    """Shared among a few programs, the last of which has fewer points or none."""
    monkeypatch.setattr(products, "SHARES", 4)
    a, b = normal(rows, count).to(DEVICE), normal(columns, count, seed=1).to(DEVICE)
    expected = [a.double() @ b.double().T, a.double().sum(dim=1)]
    assert_close(list(products.outer(a, b)), expected, 1e-5)


@pytest.mark.parametrize("widths", [(35, 64, 64, 3), (35, 70, 64, 3), (20, 5)])
def test_networks_with_relu_equal_autograd(widths: tuple[int, ...]):
    sizes = list(zip(widths[1:], widths[:-1], strict=True))
    weights = [0.3 * normal(*size, seed=i).to(DEVICE) for i, size in enumerate(sizes)]
    biases = [0.1 * normal(rows, seed=9 + i).to(DEVICE) for i, (rows, _) in enumerate(sizes)]
    x, bar = normal(widths[0], 77).to(DEVICE), normal(widths[-1], 77, seed=3).to(DEVICE)
    values = products.relu_layers(weights, biases, x)
    x_bar, weight_bars, bias_bars = products.relu_layers_backward(weights, values[:-1], bar)

    leaves = [t.double().requires_grad_() for t in (x, *weights, *biases)]
    out, *rest = leaves
    exact_weights, exact_biases = rest[: len(sizes)], rest[len(sizes) :]
    for i, (weight, bias) in enumerate(zip(exact_weights, exact_biases, strict=True)):
        out = weight @ (torch.relu(out) if i else out) + bias[:, None]
    expected = torch.autograd.grad(out, leaves, bar.double())
    assert_close([values[-1], x_bar, *weight_bars, *bias_bars], [out, *expected], 1e-5)


def test_networks_that_fit_a_tile_take_the_kernels(monkeypatch: pytest.MonkeyPatch):
    taken = []

    class Noted:
        def __getitem__(self, programs: tuple[int, ...]):
            return lambda *arguments, **options: taken.append(programs)

    monkeypatch.setattr(product_kernels, "product_kernel", Noted())
    for rows in (64, 65):
        products.layer(*operands(rows, 35, 96))
    assert taken == [(3,)]
