"""What lies outside the unit sphere: a density field on contracted space.

NeRF++ (Zhang et al. 2020) and NeuS put such a field behind the object where there are no masks.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.config import OutsideConfig
from neus.fields import DensityField, VolumeRadiance
from neus.models.schedule import Stage
from neus.ops.contraction import contract, radius_of_contracted
from neus.ops.types import Samples
from neus.rendering import DensityGrid

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

LEAST_LIGHT = 1e-3
"""Transmittance below which nobody looks for what is behind."""


@dataclass(frozen=True)
class Surroundings:
    """What is behind the sphere along rays.

    Attributes:
        rgb: ``[r, 3]`` premultiplied colour.
        transmittance: ``[r]`` light that is left even so: all of it or none.
        samples: that it was composited from.
        lengths: ``[m]`` of their sections, in scene units.
        weights: ``[m]`` of the samples.
    """

    rgb: Float[Tensor, "r 3"]
    transmittance: Float[Tensor, "r"]
    samples: Samples
    lengths: Float[Tensor, "m"]
    weights: Float[Tensor, "m"]


class OutsideField(nn.Module):
    """Density and colour outside the unit sphere, and the grid that says where to sample them."""

    def __init__(self, config: OutsideConfig, generator: torch.Generator) -> None:
        super().__init__()
        self.far = config.far
        self.field = DensityField(config.hash_grid, config.density, generator)
        self.radiance = VolumeRadiance(config.radiance, config.density.features, generator)
        self.occupancy = DensityGrid.of_shell(
            config.occupancy_resolution, config.density.least_depth
        )

    def render(
        self,
        origins: Float[Tensor, "r 3"],
        directions: Float[Tensor, "r 3"],
        lit: Bool[Tensor, "r"],
        jitter: Float[Tensor, "r"],
        stage: Stage,
        backend: ModuleType,
        capacity: int | None,
    ) -> Surroundings:
        """Composite what the rays that are ``lit`` see; the others see black.

        Args:
            jitter: place of the samples in their sections, within [0, 1).
            capacity: places for samples, see ``march_outside``.
        """
        samples, lengths = backend.march_outside(
            origins, directions, self.occupancy.state, self.occupancy.density,
            stage.outside_ratio, self.far, lit, jitter, capacity,
        )  # fmt: skip
        ray = samples.ray_index
        points = torch.addcmul(origins[ray], samples.t[:, None], directions[ray])
        out = self.field(contract(points), backend, stage.outside_levels)
        alpha, colours = self.radiance.shade(
            backend, out, lengths, samples, directions, stage.outside_bands
        )
        weights, transmittance, rgb = backend.composite(alpha, colours, samples.offsets)
        first, end = samples.offsets[:-1], samples.offsets[1:]
        # Nothing is behind all: the last section has no end (NeRF's implementation), so that a ray
        # which slips between two samples of a thin wall does not see black.
        left = transmittance * (end > first)
        rgb = rgb + left[:, None] * colours[(end - 1).clamp(min=0)]
        return Surroundings(rgb, transmittance - left, samples, lengths, weights)

    def update_occupancy(
        self,
        stage: Stage,
        backend: ModuleType,
        generator: torch.Generator,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """See :meth:`DensityGrid.update`."""
        self.occupancy.update(
            lambda y: self.field.density(y, backend, stage.outside_levels),
            lambda y: stage.outside_ratio * radius_of_contracted(y).clamp(1, self.far),
            generator,
            part,
        )
