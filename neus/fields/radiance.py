"""Radiance fields: colour of a point seen from a direction."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import RadianceConfig
from neus.fields.activations import activation
from neus.fields.directions import spherical_harmonics
from neus.fields.encodings import frequencies
from neus.fields.fusion import unfused_shading
from neus.fields.mlp import Layers, NormalisedLayers
from neus.ops import reference
from neus.ops.alpha import density_alpha
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


class RadianceField(nn.Module):
    """[SDF output, normal, position, direction] -> RGB in (0, 1) (IDR; NeuS, section 3.1).

    Normal and position may be left out, and the activations be others; :attr:`fused` says whether
    the operators' ``shade`` can do what is left.
    """

    def __init__(
        self, config: RadianceConfig, sdf_outputs: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.config, self.fused = config, not unfused_shading(config)
        self.activation, self.output = activation(config.activation), activation(config.output)
        directions = _encoded(config, torch.zeros(1, 3), 0.0).shape[1]
        inputs = sdf_outputs + 3 * config.normals + directions + 3 * config.positions
        hidden = [config.width] * config.hidden_layers
        layers = Layers([inputs, *hidden, 3], generator)
        with torch.no_grad():
            layers.weights[-1].mul_(0.5)
        self.layers = NormalisedLayers(layers) if config.weight_norm else layers

    def encode_directions(
        self, directions: Float[Tensor, "r 3"], bands: float | Tensor
    ) -> Float[Tensor, "r c"]:
        """Once per ray; the samples of a ray share it. ``bands`` of sines are shown, if any are."""
        return _encoded(self.config, directions, bands)

    def forward(
        self,
        x: Float[Tensor, "n 3"],
        sdf_output: Float[Tensor, "n out"],
        normals: Float[Tensor, "n 3"],
        encoded_directions: Float[Tensor, "n c"],
    ) -> Float[Tensor, "n 3"]:
        seen = [sdf_output]
        seen += [normals] if self.config.normals else []
        seen += [x] if self.config.positions else []
        values = torch.cat([*seen, encoded_directions], dim=1)
        *hidden, (last_weight, last_bias) = self.layers
        for weight, bias in hidden:
            values = self.activation(torch.addmm(bias, values, weight.T))
        return self.output(torch.addmm(last_bias, values, last_weight.T))

    def shade(
        self,
        backend: ModuleType,
        out: Float[Tensor, "n o"],
        gradient: Float[Tensor, "n 3"],
        x: Float[Tensor, "n 3"],
        samples: Samples,
        directions: Float[Tensor, "r 3"],
        bands: float | Tensor,
        step: float | Tensor,
        inv_s: Float[Tensor, ""],
        cos_anneal: float | Tensor,
    ) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"], Float[Tensor, "n"]]:
        """Opacity and colour of the samples and the gradient's norms: see ``backend.shade``."""
        encoded = self.encode_directions(directions, bands)
        section = (step, inv_s, cos_anneal)
        if self.fused:
            network = list(self.layers.weights), list(self.layers.biases)
            return backend.shade(out, gradient, x, samples, directions, encoded, *network, *section)
        places, ray = len(samples.t), samples.ray_index
        alpha, normals, norms = reference.section(
            out[:places, 0], gradient[:places], directions, ray, *section
        )
        beyond = torch.sqrt((gradient[places:] ** 2).sum(dim=1) + 1e-12)
        colours = self(x[:places], out[:places], normals, encoded[ray])
        return alpha, colours, torch.cat([norms, beyond])


class VolumeRadiance(nn.Module):
    """[features, direction] -> RGB in (0, 1), for points of a volume, which have no normal.

    As of a :class:`RadianceField`, the activations may be others.
    """

    def __init__(self, config: RadianceConfig, features: int, generator: torch.Generator) -> None:
        super().__init__()
        self.config = config
        self.fused = (config.activation, config.output) == ("relu", "sigmoid")
        self.activation, self.output = activation(config.activation), activation(config.output)
        directions = _encoded(config, torch.zeros(1, 3), 0.0).shape[1]
        hidden = [config.width] * config.hidden_layers
        layers = Layers([features + directions, *hidden, 3], generator)
        self.layers = NormalisedLayers(layers) if config.weight_norm else layers

    def encode_directions(
        self, directions: Float[Tensor, "r 3"], bands: float | Tensor
    ) -> Float[Tensor, "r c"]:
        """As of a :class:`RadianceField`."""
        return _encoded(self.config, directions, bands)

    def shade(
        self,
        backend: ModuleType,
        out: Float[Tensor, "m o"],
        lengths: Float[Tensor, "m"],
        samples: Samples,
        directions: Float[Tensor, "r 3"],
        bands: float | Tensor,
    ) -> tuple[Float[Tensor, "m"], Float[Tensor, "m 3"]]:
        """Opacity and colour of the samples: see ``backend.shade_density``."""
        encoded = self.encode_directions(directions, bands)
        if self.fused:
            network = list(self.layers.weights), list(self.layers.biases)
            return backend.shade_density(out, lengths, samples, encoded, *network)
        values = torch.cat([out[:, 1:], encoded[samples.ray_index]], dim=1)
        *hidden, (last_weight, last_bias) = self.layers
        for weight, bias in hidden:
            values = self.activation(torch.addmm(bias, values, weight.T))
        colours = self.output(torch.addmm(last_bias, values, last_weight.T))
        return density_alpha(out[:, 0], lengths), colours


def _encoded(
    config: RadianceConfig, directions: Float[Tensor, "r 3"], bands: float | Tensor
) -> Float[Tensor, "r c"]:
    if config.direction_encoding == "spherical_harmonics":
        return spherical_harmonics(directions, config.direction_degree)
    waves = frequencies(directions, config.direction_bands, bands)
    return torch.cat([directions, waves], dim=1)
