"""Weights of fully connected networks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn


class Layers(nn.Module):
    """Weights ``[out, in]`` and biases ``[out]`` of a chain of linear layers."""

    def __init__(self, sizes: list[int], generator: torch.Generator) -> None:
        """He initialisation (He et al. 2015): variance 2 / in, zero biases."""
        super().__init__()
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs in pairwise(sizes):
            weight = torch.randn(outputs, inputs, generator=generator) * math.sqrt(2 / inputs)
            self.weights.append(nn.Parameter(weight))
            self.biases.append(nn.Parameter(torch.zeros(outputs)))

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Pairs of weight and bias, first layer first."""
        return zip(self.weights, self.biases, strict=True)


class NormalisedLayers(Layers):
    """Layers whose rows have a direction and a length of their own: w = g v / |v|.

    (Salimans and Kingma, NeurIPS 2016, eq. 2.) ``weights`` are made anew on each access, so that
    whoever reads them need not know.
    """

    def __init__(self, layers: Layers) -> None:
        """Begins with the weights of ``layers``."""
        nn.Module.__init__(self)
        self.directions, self.biases = layers.weights, layers.biases
        self.lengths = nn.ParameterList(
            nn.Parameter(weight.detach().norm(dim=1)) for weight in layers.weights
        )

    @property
    def weights(self) -> list[Tensor]:  # pyright: ignore[reportIncompatibleVariableOverride]
        pairs = zip(self.lengths, self.directions, strict=True)
        return [
            length[:, None] * torch.nn.functional.normalize(direction, dim=1)
            for length, direction in pairs
        ]
