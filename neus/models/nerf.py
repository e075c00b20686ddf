"""NeRF: a density field rendered as a volume (Mildenhall et al., ECCV 2020)."""

from __future__ import annotations

import math
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import ModelConfig
from neus.fields import DensityField, VolumeRadiance
from neus.models.outside import OutsideField
from neus.models.rendering import Rendering
from neus.models.schedule import Stage
from neus.ops.types import Samples
from neus.rendering import DensityGrid

if TYPE_CHECKING:
    from jaxtyping import Float


class NeRF(nn.Module):
    """Density and radiance in the unit ball, and the grid that says where to sample them."""

    def __init__(self, config: ModelConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.surface_density = config.density.surface_density
        self.field = DensityField(config.hash_grid, config.density, generator)
        self.radiance = VolumeRadiance(config.radiance, config.density.features, generator)
        self.occupancy = DensityGrid.of_ball(
            config.marching.occupancy_resolution, config.density.least_depth
        )
        learned = config.background == "learned"
        self.outside = OutsideField(config.outside, generator) if learned else None

    def render(
        self,
        points: Float[Tensor, "m 3"],
        samples: Samples,
        directions: Float[Tensor, "r 3"],
        stage: Stage,
        backend: ModuleType,
    ) -> Rendering:
        """Composite the samples of rays; the places that pad them may hold any points."""
        alpha, colours = self._shaded(points, samples, directions, stage, backend)
        alpha = stage.cut(alpha, samples)
        weights, transmittance, rgb = backend.composite(alpha, colours, samples.offsets)
        return Rendering(rgb, transmittance, weights)

    def update_occupancy(
        self,
        stage: Stage,
        backend: ModuleType,
        generator: torch.Generator,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """See :meth:`DensityGrid.update`."""
        self.occupancy.update(
            lambda x: self.field.density(x, backend, stage.active_levels),
            stage.step_length,
            generator,
            part,
        )

    @torch.no_grad()
    def thinness(
        self, points: Float[Tensor, "n 3"], stage: Stage, backend: ModuleType
    ) -> Float[Tensor, "n"]:
        """By what power of e the density falls short of ``surface_density``.

        Negative within what a mesh of the field encloses, as a signed distance is. Cells of the
        occupancy grid that rays skip count as empty.
        """
        n = self.occupancy.resolution
        cell = ((points * 0.5 + 0.5) * n).long().clamp_(0, n - 1)
        sampled = self.occupancy.state[cell[:, 0], cell[:, 1], cell[:, 2]] != 0
        values = torch.full_like(points[:, 0], math.log(self.surface_density) + 10)
        out = self.field(points[sampled], backend, stage.active_levels)
        values[sampled] = math.log(self.surface_density) - out[:, 0]
        return values

    @torch.no_grad()
    def colours(
        self,
        points: Float[Tensor, "n 3"],
        directions: Float[Tensor, "n 3"],
        stage: Stage,
        backend: ModuleType,
    ) -> Float[Tensor, "n 3"]:
        """Colours of points seen along unit ``directions``."""
        each = torch.arange(len(points), device=points.device)
        samples = Samples(each, points[:, 0], each, torch.ones_like(each, dtype=torch.bool))
        return self._shaded(points, samples, directions, stage, backend)[1]

    def _shaded(self, points, samples, directions, stage, backend):
        return self.radiance.shade(
            backend,
            self.field(points, backend, stage.active_levels),
            torch.zeros_like(points[:, 0]) + stage.step_length,
            samples,
            directions,
            stage.direction_bands,
        )
