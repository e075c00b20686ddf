"""Networks of a method's choice: weight normalisation, what x is seen as, and plain torch."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from neus.config import GradientConfig, HashGridConfig, RadianceConfig, SdfConfig, load_method
from neus.errors import InputError
from neus.fields.mlp import Layers, NormalisedLayers
from neus.fields.radiance import RadianceField
from neus.fields.sdf import SdfField
from neus.fields.unfused import UnfusedSdfField
from neus.models.operators import operators_for, unfused_notice
from neus.ops import cpu, reference
from neus.ops.types import Samples

GRID = HashGridConfig(levels=4, log2_entries=8, base_resolution=4, finest_resolution=32)
CPU = torch.device("cpu")


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def points(count: int = 50) -> Tensor:
    return 1.2 * torch.rand(count, 3, generator=generator()) - 0.6


def test_weight_normalisation_is_that_of_torch():
    layers = Layers([5, 7], generator())
    expected = torch.nn.Linear(5, 7)
    with torch.no_grad():
        expected.weight.copy_(layers.weights[0])
        expected.bias.copy_(layers.biases[0])
    torch.nn.utils.parametrizations.weight_norm(expected)
    normalised = NormalisedLayers(layers)
    ((weight, bias),) = normalised
    torch.testing.assert_close(weight, expected.weight)
    bar = torch.randn(7, 5, generator=generator())
    ours = torch.autograd.grad(
        (weight * bar).sum(), [normalised.lengths[0], normalised.directions[0]]
    )
    lengths, directions = expected.parametrizations.weight.parameters()  # pyright: ignore
    theirs = torch.autograd.grad((expected.weight * bar).sum(), [lengths, directions])
    torch.testing.assert_close(ours[0], theirs[0][:, 0])
    torch.testing.assert_close(ours[1], theirs[1])
    assert len(bias) == 7


CHOICES = {
    "weight norm": {"weight_norm": True},
    "identity": {"identity_scale": 2.0, "identity_offset": -0.3},
    "deep and wide": {"hidden_layers": 4, "width": 32, "weight_norm": True},
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize("kind", ["analytic", "differences"])
def test_fused_and_plain_torch_agree(choice: dict, kind: str):
    """Values, gradients of the distance, and gradients of all parameters through both."""
    config = SdfConfig(**({"width": 16, "features": 3, "gradient": GradientConfig(kind)} | choice))
    results = []
    for cls, backend, real in (
        (SdfField, cpu, torch.float32),
        (UnfusedSdfField, reference, torch.float64),
    ):
        field = cls(GRID, config, generator())
        with torch.no_grad():
            field.table.copy_(0.1 * torch.randn(field.table.shape, generator=generator()))
        field = field.to(real)
        x = points().to(real)
        out, gradient = field.with_gradient(x, backend, 3)
        bars = torch.autograd.grad((out**2).sum() + (gradient**2).sum(), list(field.parameters()))
        distance = field.distance(x, backend, 3)
        torch.testing.assert_close(distance, out[:, 0].detach(), rtol=1e-3, atol=1e-4)
        results.append([t.detach().double() for t in (out, gradient, *bars)])
    for found, expected in zip(*results, strict=True):
        assert float((found - expected).norm() / expected.norm().clamp(min=1e-9)) < 1e-3


@pytest.mark.parametrize(
    "choice",
    [
        {"encoding": "frequency"},
        {"encoding": "frequency", "weight_norm": True, "hidden_layers": 3},
        {"activation": "relu"},
        {"identity_scale": 0.5, "identity_offset": 0.2},
        {"inside_out": True},
    ],
    ids=str,
)
def test_every_field_begins_as_a_sphere(choice: dict):
    field = UnfusedSdfField(GRID, SdfConfig(initial_radius=0.4, **choice), generator())
    directions = torch.nn.functional.normalize(points(300), dim=1)
    for radius in (0.2, 0.4, 0.8):
        out, gradient = field.with_gradient(radius * directions, reference, 2)
        sign = -1 if choice.get("inside_out") else 1
        assert float((sign * out[:, 0] - (radius - 0.4)).abs().mean().detach()) < 0.03
        assert float((sign * gradient.detach() * directions).sum(dim=1).mean()) == pytest.approx(
            1, abs=0.1
        )


def test_bands_are_shown_one_by_one():
    config = SdfConfig(encoding="frequency", bands=3)
    field = UnfusedSdfField(GRID, config, generator())
    with torch.no_grad():
        for parameter in field.layers.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator()))
    values = [field.distance(points(), reference, bands) for bands in (0, 1, 2, 3)]
    assert all((a - b).abs().max() > 1e-3 for a, b in pairwise(values))
    assert field.difference_eps(3) == 1.5 / 4


def test_a_tables_gradient_goes_to_the_optimizer():
    field = UnfusedSdfField(GRID, SdfConfig(activation="relu"), generator())
    field.table_gradient = reference.TableGradient(field.table.detach(), field.grid)
    out, _ = field.with_gradient(points(), reference, 4)
    (expected,) = torch.autograd.grad((out**2).sum(), field.table, retain_graph=True)
    (out**2).sum().backward()
    assert field.table.grad is None
    torch.testing.assert_close(field.table_gradient.dense, expected)


RADIANCES = {
    "softplus": {"activation": "softplus100"},
    "output": {"output": "lin2srgb"},
    "no normals": {"normals": False},
    "no positions": {"positions": False},
}


def shaded(config: RadianceConfig, backend, directions: Tensor) -> tuple[Tensor, ...]:
    field = RadianceField(config, 4, generator())
    x = points(6)
    samples = Samples(
        torch.tensor([0, 0, 1, 1, 0]), torch.rand(5), torch.tensor([0, 2, 4]), torch.ones(2) > 0
    )
    out = torch.randn(6, 4, generator=generator()).requires_grad_()
    gradient = torch.randn(6, 3, generator=generator())
    inv_s = torch.tensor(30.0)
    alpha, colours, norms = field.shade(
        backend, out, gradient, x, samples, directions, 2.5, 0.02, inv_s, 0.5
    )
    (bar,) = torch.autograd.grad((colours[:4] ** 2).sum() + alpha[:4].sum(), out)
    return alpha[:4].detach(), colours[:4].detach(), norms, bar


@pytest.mark.parametrize(
    "config",
    [
        RadianceConfig(weight_norm=True),
        RadianceConfig(direction_degree=8, hidden_layers=3, width=32),
        RadianceConfig(direction_degree=1),
        RadianceConfig(direction_encoding="frequency"),
    ],
    ids=["weight norm", "degree 8", "no direction", "frequency"],
)
def test_fused_shading_of_any_directions_agrees_with_the_reference(config: RadianceConfig):
    directions = torch.nn.functional.normalize(points(2), dim=1)
    assert RadianceField(config, 4, generator()).fused
    for found, expected in zip(
        shaded(config, cpu, directions), shaded(config, reference, directions), strict=True
    ):
        torch.testing.assert_close(found, expected, rtol=2e-3, atol=2e-4)


@pytest.mark.parametrize("choice", RADIANCES.values(), ids=RADIANCES)
def test_other_shading_runs_in_plain_torch_beside_any_backend(choice: dict):
    directions = torch.nn.functional.normalize(points(2), dim=1)
    config = RadianceConfig(**choice)
    assert not RadianceField(config, 4, generator()).fused
    results = zip(
        shaded(config, cpu, directions), shaded(config, reference, directions), strict=True
    )
    assert all(torch.equal(one, other) for one, other in results)
    usual = shaded(RadianceConfig(), reference, directions)
    assert not torch.equal(usual[1], shaded(config, reference, directions)[1])
    torch.testing.assert_close(usual[0], shaded(config, reference, directions)[0])


def test_plain_torch_is_chosen_where_it_must_and_said():
    fused = load_method(None, {"model": {"sdf": {"gradient": {"kind": "differences"}}}})
    assert operators_for(fused, CPU) is cpu
    assert unfused_notice(fused) is None
    plain = load_method(None, {"model": {"sdf": {"activation": "relu"}}})
    assert operators_for(plain, CPU) is reference
    assert "model.sdf.activation: relu" in str(unfused_notice(plain))
    colour = load_method(None, {"model": {"radiance": {"output": "lin2srgb"}}})
    assert operators_for(colour, CPU) is cpu
    assert "model.radiance.output" in str(unfused_notice(colour))
    with pytest.raises(InputError, match=r"tcnn cannot do model\.hash_grid\.features: 4"):
        operators_for(
            replace(load_method(None, {"model": {"hash_grid": {"features": 4}}}), backend="tcnn"),
            CPU,
        )
