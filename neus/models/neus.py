"""NeuS: a signed distance field rendered as a volume (Wang et al., NeurIPS 2021)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import ModelConfig
from neus.fields.radiance import RadianceField
from neus.fields.sdf import SdfField
from neus.models.schedule import Stage
from neus.ops.types import Samples
from neus.rendering.alpha import section_alpha

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Rendering:
    """What rays see, before any background.

    Attributes:
        rgb: ``[r, 3]`` premultiplied colour.
        transmittance: ``[r]`` light left for the background; opacity is one minus it.
        gradient_norms: ``[n]`` of the distance field at all points, for the eikonal term.
        extra_sdf: ``[e]`` signed distances at the extra points.
        weights, normals: ``[m]``, ``[m, 3]`` of the samples; unit normals in the scene frame.
    """

    rgb: Float[Tensor, "r 3"]
    transmittance: Float[Tensor, "r"]
    gradient_norms: Float[Tensor, "n"]
    extra_sdf: Float[Tensor, "e"]
    weights: Float[Tensor, "m"]
    normals: Float[Tensor, "m 3"]


class NeuS(nn.Module):
    """Distance field, radiance field and the learned sharpness of the surface."""

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.sdf = SdfField(config.hash_grid, config.sdf, generator)
        self.radiance = RadianceField(config.radiance, 1 + config.sdf.features, generator)
        self.variance = nn.Parameter(torch.tensor(math.log(config.sdf.initial_inv_s) / 10))

    @property
    def inv_s(self) -> Float[Tensor, ""]:
        """Sharpness of the logistic density, the inverse of NeuS's standard deviation s.

        Learned as exp(10 v), so that one rate suits all its magnitudes (NeuS's implementation).
        """
        return torch.exp(10 * self.variance)

    def render(
        self,
        origins: Float[Tensor, "r 3"],
        directions: Float[Tensor, "r 3"],
        samples: Samples,
        stage: Stage,
        backend: ModuleType,
        extra_points: Float[Tensor, "e 3"] | None = None,
    ) -> Rendering:
        """Composite the samples of rays; of ``extra_points`` only the field is evaluated."""
        ray = samples.ray_index
        ray_directions = directions[ray]
        points = torch.addcmul(origins[ray], samples.t[:, None], ray_directions)
        count = len(points)
        everywhere = points if extra_points is None else torch.cat([points, extra_points])
        out, gradient = self.sdf.with_gradient(everywhere, backend, stage.active_levels)
        norms = _norm(gradient)
        extra_sdf = out[count:, 0]
        out, normals = out[:count], gradient[:count] / norms[:count, None]
        cosine = (normals * ray_directions).sum(dim=1)
        alpha = section_alpha(out[:, 0], cosine, stage.step_length, self.inv_s, stage.cos_anneal)
        encoded = self.radiance.encode_directions(directions)[ray]
        colours = self.radiance(points, out, normals, encoded)
        weights, transmittance, rgb = backend.composite(alpha, colours, samples.offsets)
        return Rendering(rgb, transmittance, norms, extra_sdf, weights, normals)

    @torch.no_grad()
    def geometry(
        self, points: Float[Tensor, "n 3"], stage: Stage, backend: ModuleType
    ) -> tuple[Float[Tensor, "n out"], Float[Tensor, "n 3"]]:
        """Output of the SDF network and unit normals, without a graph."""
        out, gradient = self.sdf.with_gradient(points, backend, stage.active_levels)
        return out, gradient / _norm(gradient)[:, None]

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
        return self.radiance(points, out, normals, self.radiance.encode_directions(directions))


def _norm(vectors: Tensor) -> Tensor:
    """Euclidean norm of rows; several times faster than ``Tensor.norm(dim=1)`` on the CPU."""
    x, y, z = vectors.unbind(dim=1)
    return torch.sqrt(x * x + y * y + z * z + 1e-12)
