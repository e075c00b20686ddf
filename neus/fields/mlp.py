"""Weights of fully connected networks."""

from __future__ import annotations

import math
from itertools import pairwise

import torch
from torch import nn


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

    def __iter__(self):
        """Pairs of weight and bias, first layer first."""
        return zip(self.weights, self.biases, strict=True)
