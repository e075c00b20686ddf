"""NeuS: a signed distance field rendered as a volume (Wang et al., NeurIPS 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import ModelConfig
from neus.fields.fusion import unfused_field
from neus.fields.radiance import RadianceField
from neus.fields.sdf import SdfField
from neus.fields.unfused import UnfusedSdfField
from neus.models.schedule import Stage
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Rendering:
    """What rays see, before any background, and the field at all points.

    Attributes:
        rgb: ``[r, 3]`` premultiplied colour.
        transmittance: ``[r]`` light left for the background; opacity is one minus it.
        weights: ``[m]`` of the samples.
        sdf: ``[n]`` signed distances.
        gradient, gradient_norms: ``[n, 3]``, ``[n]`` of the distance, in the scene frame.
        laplacian: ``[n]`` of the distance, where its gradient is from differences.
    """

    rgb: Float[Tensor, "r 3"]
    transmittance: Float[Tensor, "r"]
    weights: Float[Tensor, "m"]
    sdf: Float[Tensor, "n"]
    gradient: Float[Tensor, "n 3"]
    gradient_norms: Float[Tensor, "n"]
    laplacian: Float[Tensor, "n"] | None = None


class NeuS(nn.Module):
    """Distance field, radiance field and the learned sharpness of the surface."""

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        sdf_field = UnfusedSdfField if unfused_field(config) else SdfField
        self.sdf = sdf_field(config.hash_grid, config.sdf, generator)
        self.radiance = RadianceField(config.radiance, 1 + config.sdf.features, generator)
        self.variance = nn.Parameter(torch.tensor(math.log(config.sdf.initial_inv_s) / 10))

    @property
    def inv_s(self) -> Float[Tensor, ""]:
        """Sharpness of the logistic density, the inverse of NeuS's standard deviation s.

        Learned as exp(10 v), so that one rate suits all its magnitudes (NeuS's implementation).
        """
        return torch.exp(10 * self.variance)

    def bounded_inv_s(self, stage: Stage) -> Float[Tensor, ""]:
        """:attr:`inv_s`, or the stage's bound where it is beyond; it then gets no gradient."""
        return self.inv_s if math.isinf(stage.max_inv_s) else self.inv_s.clamp(max=stage.max_inv_s)

    def render(
        self,
        points: Float[Tensor, "n 3"],
        samples: Samples,
        directions: Float[Tensor, "r 3"],
        stage: Stage,
        backend: ModuleType,
    ) -> Rendering:
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
        weights, transmittance, rgb = backend.composite(alpha, colours, samples.offsets)
        return Rendering(rgb, transmittance, weights, out[:, 0], gradient, norms, laplacian)

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
