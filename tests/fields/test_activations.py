"""Activations by name, and sines of rising frequency, against their formulas."""

from __future__ import annotations

import math

import pytest
import torch

from neus.config import ACTIVATIONS
from neus.errors import InputError
from neus.fields.activations import NAMED, activation
from neus.fields.encodings import frequencies

X = torch.tensor([-2.0, -0.5, 0.0, 0.001, 0.5, 3.0], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", X),
        ("relu", X.clamp(min=0)),
        ("sigmoid", 1 / (1 + torch.exp(-X))),
        ("tanh", torch.tanh(X)),
        ("exp", torch.exp(X)),
        ("trunc_exp", torch.exp(X)),
        ("softplus", torch.log1p(torch.exp(X))),
        ("softplus100", torch.logaddexp(100 * X, torch.zeros_like(X)) / 100),
        ("scale2.0", torch.tensor([0, 0, 0, 0.0005, 0.25, 1]).double()),
        ("clamp2", torch.tensor([0, 0, 0, 0.001, 0.5, 2]).double()),
        ("mul-3", -3 * X),
        ("+0.5", X + 0.5),
        ("-1", X - 1),
        (
            "lin2srgb",
            torch.tensor([0, 0, 0, 0.01292, 1.055 * 0.5 ** (1 / 2.4) - 0.055, 1]).double(),
        ),
    ],
)
def test_values(name: str, expected: torch.Tensor):
    torch.testing.assert_close(activation(name)(X), expected, atol=1e-7, rtol=1e-7)


@pytest.mark.parametrize("name", ["rellu", "scale", "scale0", "clamp-1", "softplus0", "2", ""])
def test_what_is_no_activation_is_refused(name: str):
    with pytest.raises(InputError, match="there is no activation"):
        activation(name)


def test_gradients_that_must_stay_finite():
    x = torch.tensor([20.0, 1.0], requires_grad=True)
    activation("trunc_exp")(x).sum().backward()
    torch.testing.assert_close(x.grad, torch.tensor([math.exp(15), math.e]))
    y = torch.tensor([-1.0, 0.0, 0.001, 0.5], requires_grad=True)
    activation("lin2srgb")(y).sum().backward()
    assert y.grad is not None
    assert torch.isfinite(y.grad).all()


def test_frequencies_are_sines_and_cosines_band_by_band():
    x = torch.tensor([[0.3, -0.2]], dtype=torch.float64)
    found = frequencies(x, 3, 3.0)
    expected = [f(2**k * v) for k in range(3) for f in (math.sin, math.cos) for v in (0.3, -0.2)]
    torch.testing.assert_close(found, torch.tensor([expected], dtype=torch.float64))


def test_frequencies_fade_in_one_after_the_other():
    x = torch.full((1, 1), 0.7)
    full = frequencies(x, 4, 4.0)
    for shown, weights in [(0.0, [0, 0, 0, 0]), (1.5, [1, 0.5, 0, 0]), (3.0, [1, 1, 1, 0])]:
        expected = full.view(4, 2) * torch.tensor(weights)[:, None]
        torch.testing.assert_close(frequencies(x, 4, shown).view(4, 2), expected)


def test_the_names_that_a_method_may_have_are_those_that_there_are():
    assert set(ACTIVATIONS) == set(NAMED)
