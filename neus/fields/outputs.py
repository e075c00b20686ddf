"""What becomes of a network's output before it counts as a distance, a density or features."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.config import DensityConfig, SdfConfig
from neus.errors import InputError
from neus.fields.activations import Activation, activation

if TYPE_CHECKING:
    from jaxtyping import Float

LEAST_DENSITY = 1e-10
"""Per scene unit: with nothing less, its logarithm is finite, and nobody sees the difference."""
WIDEST = 50.0
"""Output, of either sign, up to which the one that an activation takes to a density is looked for.
"""


class DistanceOutput:
    """Column 0 of an output, d, becomes f(d + bias), the features g(features).

    By the chain rule the gradient is multiplied by f'(d + bias), so that operators need not know.
    """

    def __init__(self, config: SdfConfig) -> None:
        self._names = config.output_activation, config.output_bias, config.feature_activation
        self.is_plain = self._names == ("none", 0.0, "none")
        self._bias, self._activation = config.output_bias, activation(config.output_activation)
        self._of_features = activation(config.feature_activation)

    def distance(self, raw: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
        return raw if self.is_plain else self._activation(raw + self._bias)

    def output(self, raw: Float[Tensor, "n out"]) -> Float[Tensor, "n out"]:
        if self.is_plain:
            return raw
        return torch.cat([self.distance(raw[:, :1]), self._of_features(raw[:, 1:])], dim=1)

    def with_gradient(
        self, raw: Float[Tensor, "n out"], gradient: Float[Tensor, "n 3"]
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        """The output and the gradient of its column 0, differentiable where both were."""
        if self._names[0] == "none":
            return self.output(raw), gradient
        wanted = torch.is_grad_enabled()
        with torch.enable_grad():
            d = raw[:, 0] if raw.requires_grad else raw[:, 0].detach().requires_grad_()
            value = self.distance(d)
            (slope,) = torch.autograd.grad(value.sum(), d, create_graph=wanted)
        return self.output(raw), slope[:, None] * gradient


class DensityOutput:
    """Column 0 of an output, r, becomes log(f(r)), the features g(features).

    All operators take the exponential of column 0 for a density, which then is f(r).
    """

    def __init__(self, config: DensityConfig) -> None:
        self.is_plain = (config.activation, config.feature_activation) == ("exp", "none")
        self._is_exp, self._activation = config.activation == "exp", activation(config.activation)
        self._of_features = activation(config.feature_activation)

    def output(self, raw: Float[Tensor, "n out"]) -> Float[Tensor, "n out"]:
        if self.is_plain:
            return raw
        first = raw[:, :1]
        if not self._is_exp:
            first = torch.log(self._activation(first).clamp(min=LEAST_DENSITY))
        return torch.cat([first, self._of_features(raw[:, 1:])], dim=1)

    def bias(self, density: float) -> float:
        """The output at which the density is the given one.

        Raises:
            InputError: the activation takes no output to it.
        """
        if self._is_exp:
            return math.log(density)
        low, high = -WIDEST, WIDEST
        if not self._value(self._activation, low) <= density <= self._value(self._activation, high):
            raise InputError(
                f"model.density: initial_density {density:g} is no value of its activation, which "
                "must rise and be positive: take exp, softplus or relu, or another initial_density"
            )
        for _ in range(64):
            middle = (low + high) / 2
            is_below = self._value(self._activation, middle) < density
            low, high = (middle, high) if is_below else (low, middle)
        return high

    @staticmethod
    def _value(function: Activation, output: float) -> float:
        return float(function(torch.tensor([output], dtype=torch.float64)))
