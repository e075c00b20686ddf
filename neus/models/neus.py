"""NeuS: a signed distance field rendered as a volume (Wang et al., NeurIPS 2021)."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import ModelConfig
from neus.fields import RadianceField, SdfField, UnfusedSdfField, unfused_field
from neus.models.outside import OutsideField
from neus.models.rendering import SurfaceRendering
from neus.models.schedule import Stage
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


class NeuS(nn.Module):
    """Distance field, radiance field and the learned sharpness of the surface.

    ``outside`` is the field of a learned background.
    """

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        sdf_field = UnfusedSdfField if unfused_field(config) else SdfField
        self.sdf = sdf_field(config.hash_grid, config.sdf, generator)
        self.radiance = RadianceField(config.radiance, 1 + config.sdf.features, generator)
        self.variance = nn.Parameter(torch.tensor(math.log(config.sdf.initial_inv_s) / 10))
        learned = config.background == "learned"
        self.outside = OutsideField(config.outside, generator) if learned else None

    @property
    def inv_s(self) -> Float[Tensor, ""]:
        """Sharpness of the logistic density, the inverse of NeuS's standard deviation s.

        Learned as exp(10 v), so that one rate suits all its magnitudes (NeuS's implementation).
        """
        return torch.exp(10 * self.variance)

    @torch.no_grad()
    def lead(self, stage: Stage) -> None:
        """Set the sharpness where the stage says which; what is learnt goes on from there."""
        if stage.led_inv_s is not None:
            self.variance.fill_(math.log(stage.led_inv_s) / 10)

    def bounded_inv_s(self, stage: Stage) -> Float[Tensor, ""]:
        """:attr:`inv_s`, or the stage's bound where it is beyond; it then gets no gradient."""
        return self.inv_s.clamp(max=stage.max_inv_s) if stage.bounded else self.inv_s

    def render(
        self,
        points: Float[Tensor, "n 3"],
        samples: Samples,
        directions: Float[Tensor, "r 3"],
        stage: Stage,
        backend: ModuleType,
    ) -> SurfaceRendering:
        """Composite the samples of rays, which are the first m points; the others only get a field.

        The places that pad the samples may hold any points.
        """
        out, gradient, laplacian = self.sdf.with_laplacian(points, backend, stage.active_levels)
        alpha, colours, norms = self.radiance.shade(
            backend,
            out,
            gradient,
            points,
            samples,
            directions,
            stage.direction_bands,
            stage.step_length,
            self.bounded_inv_s(stage),
            stage.cos_anneal,
        )
        alpha = stage.cut(alpha, samples)
        weights, transmittance, rgb = backend.composite(alpha, colours, samples.offsets)
        distance = out.T[0]  # channels come first in memory, and so will their gradients
        return SurfaceRendering(rgb, transmittance, weights, distance, gradient, norms, laplacian)

    @torch.no_grad()
    def geometry(
        self, points: Float[Tensor, "n 3"], stage: Stage, backend: ModuleType
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        """Output of the SDF network and unit normals, without a graph."""
        out, gradient = self.sdf.with_gradient(points, backend, stage.active_levels)
        return out, torch.nn.functional.normalize(gradient, dim=1)

    @torch.no_grad()
    def colours(
        self,
        points: Float[Tensor, "n 3"],
        directions: Float[Tensor, "n 3"],
        stage: Stage,
        backend: ModuleType,
    ) -> Float[Tensor, "n 3"]:
        """Colours of surface points seen along unit ``directions``."""
        out, normals = self.geometry(points, stage, backend)
        encoded = self.radiance.encode_directions(directions, stage.direction_bands)
        return self.radiance(points, out, normals, encoded)
