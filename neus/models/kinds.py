"""The models by the names that a method calls them."""

from __future__ import annotations

import torch

from neus.config import ModelConfig
from neus.models.nerf import NeRF
from neus.models.neus import NeuS

Model = NeuS | NeRF


def new_model(config: ModelConfig, generator: torch.Generator) -> Model:
    """A model as it is before its first step."""
    return {"neus": NeuS, "nerf": NeRF}[config.kind](config, generator)
