"""Radiance fields: colour of a point seen from a direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import RadianceConfig
from neus.fields.directions import spherical_harmonics
from neus.fields.mlp import Layers
from neus.ops.reference import colour_network

if TYPE_CHECKING:
    from jaxtyping import Float


class RadianceField(nn.Module):
    """[SDF output, normal, position, direction] -> RGB in (0, 1) (IDR; NeuS, section 3.1)."""

    def __init__(
        self, config: RadianceConfig, sdf_outputs: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.direction_degree = config.direction_degree
        inputs = sdf_outputs + 3 + config.direction_degree**2 + 3
        hidden = [config.width] * config.hidden_layers
        self.layers = Layers([inputs, *hidden, 3], generator)
        with torch.no_grad():
            self.layers.weights[-1].mul_(0.5)

    def encode_directions(self, directions: Float[Tensor, "r 3"]) -> Float[Tensor, "r c"]:
        """Once per ray; the samples of a ray share it."""
        return spherical_harmonics(directions, self.direction_degree)

    def forward(
        self,
        x: Float[Tensor, "n 3"],
        sdf_output: Float[Tensor, "n out"],
        normals: Float[Tensor, "n 3"],
        encoded_directions: Float[Tensor, "n c"],
    ) -> Float[Tensor, "n 3"]:
        inputs = torch.cat([sdf_output, normals, x, encoded_directions], dim=1)
        return colour_network(inputs, list(self.layers.weights), list(self.layers.biases))


class VolumeRadiance(nn.Module):
    """[features, direction] -> RGB in (0, 1), for points of a volume, which have no normal."""

    def __init__(self, config: RadianceConfig, features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.direction_degree = config.direction_degree
        hidden = [config.width] * config.hidden_layers
        self.layers = Layers([features + config.direction_degree**2, *hidden, 3], generator)

    def encode_directions(self, directions: Float[Tensor, "r 3"]) -> Float[Tensor, "r c"]:
        """Once per ray; the samples of a ray share it."""
        return spherical_harmonics(directions, self.direction_degree)
