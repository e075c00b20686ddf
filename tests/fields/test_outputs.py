"""Activations of distances, densities, features and colours, against autograd and closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from neus.config import DensityConfig, GradientConfig, HashGridConfig, RadianceConfig, SdfConfig
from neus.errors import InputError
from neus.fields import DensityField, SdfField, VolumeRadiance
from neus.fields.activations import activation
from neus.ops import cpu, reference
from neus.ops.types import Samples

GRID = HashGridConfig(levels=4, log2_entries=9, base_resolution=8, finest_resolution=32)
LEVELS = 4


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def points(count: int = 60) -> Tensor:
    return 1.6 * torch.rand(count, 3, generator=generator(1)) - 0.8


def distance_field(kind: torch.dtype = torch.float64, **keys) -> SdfField:
    field = SdfField(GRID, SdfConfig(width=16, features=5, **keys), generator())
    with torch.no_grad():
        field.table.mul_(300)
    return field.to(kind)


OUTPUTS = [
    {"output_activation": "tanh", "output_bias": 0.2},
    {"output_bias": -0.3, "feature_activation": "silu"},
    {"output_activation": "softplus5", "output_bias": 0.1, "feature_activation": "tanh"},
]


@pytest.mark.parametrize("keys", OUTPUTS)
def test_a_distance_behind_an_activation_is_that_of_autograd(keys: dict):
    """Output, gradient, and the gradients of a loss of both with respect to all weights."""
    plain, field = distance_field(), distance_field(**keys)
    inner = activation(keys.get("output_activation", "none"))
    outer = activation(keys.get("feature_activation", "none"))
    x = points().double()
    raw, raw_gradient = plain.with_gradient(x, reference, LEVELS)
    shifted = (raw[:, 0] + keys["output_bias"]).detach().requires_grad_()
    (slope,) = torch.autograd.grad(inner(shifted).sum(), shifted)
    out, gradient = field.with_gradient(x, reference, LEVELS)
    torch.testing.assert_close(out[:, 0], inner(raw[:, 0] + keys["output_bias"]))
    torch.testing.assert_close(out[:, 1:], outer(raw[:, 1:]))
    torch.testing.assert_close(gradient, slope[:, None] * raw_gradient)
    torch.testing.assert_close(field.distance(x, reference, LEVELS), out[:, 0].detach())

    def loss_of(network: list[Tensor]) -> Tensor:
        count = len(network) // 2
        position = x.clone().requires_grad_()
        place = reference.encode(reference.to_grid(position), field.table, field.grid, LEVELS)
        u = torch.cat([position, place], dim=1)
        for weight, bias in list(zip(network[:count], network[count:], strict=True))[:-1]:
            u = torch.nn.functional.softplus(u @ weight.T + bias, beta=100.0)
        first = inner(u @ network[count - 1][0] + network[-1][0] + keys["output_bias"])
        (slopes,) = torch.autograd.grad(first.sum(), position, create_graph=True)
        return (slopes**3).sum() + (first**2).sum()

    parameters = [*field.layers.weights, *field.layers.biases]
    expected = torch.autograd.grad(loss_of(parameters), parameters)
    found = torch.autograd.grad((gradient**3).sum() + (out[:, 0] ** 2).sum(), parameters)
    torch.testing.assert_close(found, expected)


def test_without_a_graph_the_results_are_the_same():
    field = distance_field(torch.float32, **OUTPUTS[2])
    out, gradient = field.with_gradient(points(), cpu, LEVELS)
    with torch.no_grad():
        quiet = field.with_gradient(points(), cpu, LEVELS)
    assert not quiet[1].requires_grad
    torch.testing.assert_close(quiet, (out.detach(), gradient.detach()))


def test_differences_see_the_activation_too():
    differences = GradientConfig(kind="differences", eps=1e-4)
    analytic = distance_field(**OUTPUTS[0]).with_gradient(points().double(), reference, LEVELS)[1]
    field = distance_field(**OUTPUTS[0], gradient=differences)
    found = field.with_gradient(points().double(), reference, LEVELS)[1]
    off = (found - analytic).detach().norm(dim=1)
    assert float(off.median()) < 1e-3, "but where they reach into another cell"


@pytest.mark.parametrize("name", ["exp", "softplus", "softplus5", "relu"])
def test_a_density_is_its_activation_of_the_output(name: str):
    config = DensityConfig(width=16, features=3, activation=name, initial_density=0.7)
    field = DensityField(GRID, config, generator())
    field.layers.weights[-1].data[0] *= 5
    raw = field.operators(cpu).grid_network(
        points(), field.table, list(field.layers.weights), list(field.layers.biases), field.grid,
        LEVELS,
    )  # fmt: skip
    expected = activation(name)(raw[:, 0])
    found = torch.exp(field(points(), cpu, LEVELS)[:, 0])
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=2e-10)
    torch.testing.assert_close(field.density(points(), cpu, LEVELS), found.detach())
    last = field.layers.biases[-1]
    slopes = [
        torch.autograd.grad(value.sum(), last, retain_graph=True) for value in (found, expected)
    ]
    torch.testing.assert_close(*slopes, rtol=1e-4, atol=1e-4)
    field.layers.weights[-1].data[0] = 0
    torch.testing.assert_close(field.density(points(), cpu, LEVELS), torch.full((60,), 0.7))


def test_a_density_that_an_activation_never_has_is_refused():
    config = DensityConfig(activation="sigmoid", initial_density=2.0)
    with pytest.raises(InputError, match="initial_density 2 is no value of its activation"):
        DensityField(GRID, config, generator())


def test_a_density_of_other_features_runs_on_every_backend():
    grid = HashGridConfig(4, 4, 9, 8, 32)
    field = DensityField(grid, DensityConfig(width=16, feature_activation="tanh"), generator())
    operators = field.operators(cpu)
    field.table_gradient = operators.TableGradient(field.table.detach(), field.grid)
    out = field(points(), cpu, LEVELS)
    plain = field.to(torch.float64)(points().double(), reference, LEVELS)
    torch.testing.assert_close(out, plain.float(), rtol=1e-4, atol=1e-5)
    assert float(out[:, 1:].detach().abs().max()) <= 1
    assert field.operators(reference) is operators is reference


@pytest.mark.parametrize("norm", [False, True])
def test_colours_of_a_density_are_the_same_in_plain_torch(norm: bool):
    radiance = VolumeRadiance(RadianceConfig(weight_norm=norm), 3, generator())
    out = torch.randn(40, 4, generator=generator(2))
    lengths, rays = torch.rand(40, generator=generator(3)), torch.arange(40) % 5
    samples = Samples(rays.sort()[0], lengths, torch.arange(0, 41, 8), torch.ones(5).bool())
    directions = torch.nn.functional.normalize(torch.randn(5, 3, generator=generator(4)), dim=1)
    fused = radiance.shade(cpu, out, lengths, samples, directions, 0.0)
    assert radiance.fused
    radiance.fused = False
    torch.testing.assert_close(radiance.shade(cpu, out, lengths, samples, directions, 0.0), fused)
    bright = VolumeRadiance(RadianceConfig(output="exp"), 3, generator())
    assert not bright.fused
    expected = math.e ** torch.logit(
        VolumeRadiance(RadianceConfig(), 3, generator()).shade(
            cpu, out, lengths, samples, directions, 0.0
        )[1]
    )
    found = bright.shade(cpu, out, lengths, samples, directions, 0.0)[1]
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)
