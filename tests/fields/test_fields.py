"""The distance field and its hand-derived backward; the radiance field's directions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import sph_harm_y
from torch import Tensor

from neus.config import HashGridConfig, SdfConfig
from neus.fields.directions import spherical_harmonics
from neus.fields.sdf import SHARPNESS, SdfField
from neus.ops import cpu, reference

GRID = HashGridConfig(levels=4, log2_entries=8, base_resolution=4, finest_resolution=32)


def field(hidden_layers: int, seed: int = 0) -> SdfField:
    """A field away from its initial sphere, with features of all levels in play."""
    generator = torch.Generator().manual_seed(seed)
    made = SdfField(GRID, SdfConfig(hidden_layers=hidden_layers, width=16, features=3), generator)
    with torch.no_grad():
        made.table.copy_(0.1 * torch.randn(made.table.shape, generator=generator))
        for bias in made.layers.biases:
            bias.add_(0.05 * torch.randn(bias.shape, generator=generator))
    return made


def random(*shape: int, seed: int = 3) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def by_autograd(made: SdfField, x: Tensor, levels: int) -> tuple[Tensor, Tensor]:
    """The oracle: the network in plain torch, its gradient by a first backward pass."""
    x = x.detach().requires_grad_()
    features = reference.encode(0.5 * x + 0.5, made.table, made.grid, levels)
    u = torch.cat([x, features], dim=1)
    *hidden, (weight, bias) = made.layers
    for hidden_weight, hidden_bias in hidden:
        z = u @ hidden_weight[:, : u.shape[1]].T + hidden_bias
        u = torch.nn.functional.softplus(z, beta=SHARPNESS, threshold=1e9)
    out = u @ weight.T + bias
    (gradient,) = torch.autograd.grad(out[:, 0].sum(), x, create_graph=True)
    return out, gradient


def parameter_gradients(made: SdfField, out: Tensor, gradient: Tensor) -> dict[str, Tensor]:
    scalar = (out * random(*out.shape, seed=5)).sum() + (gradient * random(*gradient.shape)).sum()
    names, parameters = zip(*made.named_parameters(), strict=True)
    return dict(zip(names, torch.autograd.grad(scalar, parameters), strict=True))


@pytest.mark.parametrize("hidden_layers", [1, 2, 3])
@pytest.mark.parametrize("levels", [1, 4])
def test_hand_derived_backward_equals_autograds_double_backward(hidden_layers: int, levels: int):
    made = field(hidden_layers).double()
    x = (0.6 * random(40, 3)).clamp(-1, 1).double()
    expected = by_autograd(made, x, levels)
    found = made.with_gradient(x, reference, levels)
    torch.testing.assert_close(found, expected)
    slow, fast = (parameter_gradients(made, *pair) for pair in (expected, found))
    for name in slow:
        torch.testing.assert_close(fast[name], slow[name], msg=name)


@pytest.mark.parametrize("hidden_layers", [1, 2])
def test_cpu_field_is_within_2e_4_of_float64(hidden_layers: int):
    made = field(hidden_layers)
    x = (0.6 * random(999, 3)).clamp(-1, 1)
    fast = made.with_gradient(x, cpu, 4)
    fast_bars = parameter_gradients(made, *fast)
    exact = field(hidden_layers).double()
    slow = by_autograd(exact, x.double(), 4)
    slow_bars = parameter_gradients(exact, *slow)
    for one, other in zip(fast, slow, strict=True):
        assert float(((one - other).norm() / other.norm()).detach()) < 2e-4
    for name, expected in slow_bars.items():
        assert float((fast_bars[name] - expected).norm() / expected.norm()) < 2e-4, name
    torch.testing.assert_close(made.distance(x, cpu, 4), fast[0][:, 0], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("hidden_layers", "roundness"), [(1, 0.02), (2, 0.03), (8, 0.06)])
def test_field_begins_as_a_sphere(hidden_layers: int, roundness: float):
    generator = torch.Generator().manual_seed(0)
    config = SdfConfig(hidden_layers=hidden_layers, initial_radius=0.5)
    made = SdfField(GRID, config, generator)
    x = torch.nn.functional.normalize(random(500, 3), dim=1)
    for radius in (0.3, 0.5, 0.9):
        distance = made.distance(radius * x, cpu, 1)
        assert float((distance - (radius - 0.5)).abs().mean()) < roundness
    _, gradient = made.with_gradient(0.5 * x, cpu, 1)
    slope = (gradient.detach() * x).sum(dim=1)
    assert float(slope.mean()) == pytest.approx(1, abs=0.05)


def test_spherical_harmonics_equal_those_of_scipy():
    d = torch.nn.functional.normalize(random(20, 3).double(), dim=1)
    polar = np.arccos(d[:, 2].numpy())
    azimuth = np.arctan2(d[:, 1].numpy(), d[:, 0].numpy())
    columns = []
    for degree in range(8):
        for order in range(-degree, degree + 1):
            harmonic = sph_harm_y(degree, abs(order), polar, azimuth)
            part = harmonic.real if order >= 0 else harmonic.imag
            columns.append(part * (np.sqrt(2) if order else 1))
    expected = torch.from_numpy(np.stack(columns, axis=1))
    found = spherical_harmonics(d, 8)
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)
    for degree in range(1, 8):
        torch.testing.assert_close(spherical_harmonics(d, degree), found[:, : degree**2])
