"""A batch of rays as the model sees it, and what it is compared with."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.config import BACKGROUNDS, MethodConfig
from neus.models import (
    LEAST_LIGHT,
    AffineColours,
    Model,
    NeuS,
    OutsideField,
    Rendering,
    SurfaceRendering,
    Surroundings,
)
from neus.ops.types import Samples
from neus.rendering import DensityGrid, OccupancyGrid
from neus.training.evidence import Ignorance, SurfacePoints
from neus.training.objective import Outcome
from neus.training.patches import ComparedPatches, PatchViews, compare_patches
from neus.training.points import FieldPoints, field_points
from neus.training.rays import PixelPool, RayBatch
from neus.training.settings import StepSettings

if TYPE_CHECKING:
    from jaxtyping import Float

HALF = 0.5
"""Of a ray's light, that may be taken before a cell that counts as seen."""


class BatchRenderer:
    """Draws rays from a pool and renders them.

    On CUDA nothing here waits for the device, and shapes follow from the settings alone, so that a
    step can be captured in a graph; batches of one image are the exception.

    Attributes:
        capacity: places for samples within the unit sphere.
    """

    def __init__(
        self,
        method: MethodConfig,
        model: Model,
        occupancy: OccupancyGrid | DensityGrid,
        pool: PixelPool,
        affine_colours: AffineColours | None,
        backend: ModuleType,
        device: torch.device,
        evidence: SurfacePoints | None = None,
        views: PatchViews | None = None,
    ) -> None:
        self._method, self._model, self._occupancy = method, model, occupancy
        self._pool, self._affine_colours = pool, affine_colours
        self._backend, self._device = backend, device
        self._evidence, self._views = evidence, views
        smooth = isinstance(model, NeuS) and method.training.losses.uses("smoothness")
        self._ignorance = Ignorance(evidence, device) if smooth else None
        surface = isinstance(occupancy, OccupancyGrid)
        self._further = method.training.uniform_samples if surface else 0
        self.capacity = method.training.samples - self._further

    def render(
        self, settings: StepSettings, generator: torch.Generator
    ) -> tuple[Outcome, list[Samples]]:
        """The outcome, and the samples within the sphere and, where one looks, outside of it."""
        config, stage, rays = self._method.training, settings.stage, settings.rays
        batch = self._pool.draw(
            rays, config.masked_rays, generator, one_image=config.one_image_batches
        )
        if stage.near:
            batch = replace(batch, origins=batch.origins + stage.near * batch.directions)
        jitter = torch.rand(rays, generator=generator, device=self._device)
        samples = self._backend.march_rays(
            batch.origins, batch.directions, self._occupancy.state,
            stage.step_length, jitter, self.capacity,
        )  # fmt: skip
        sightings = None
        if self._evidence is not None and settings.sightings:
            sightings = self._evidence.draw(settings.sightings, generator)
        points = field_points(
            batch, samples, self._occupancy, self._further, settings.hidden_cells, generator,
            sightings, config.smooth_places if self._ignorance is not None else 0,
        )  # fmt: skip
        rendering = self._model.render(
            points.places, samples, batch.directions, stage, self._backend
        )
        counted, taken, behind = samples.taken.float(), [samples], None
        if self._model.outside is None:
            background = self.background(batch, generator)
        else:
            behind = self._surroundings(self._model.outside, batch, rendering, settings, generator)
            background, taken = behind.rgb, [samples, behind.samples]
            counted = counted * behind.samples.taken
        if self._model.outside is not None or self._evidence is not None:
            self._note_lit_cells(points.places, samples, rendering)
        colours = rendering.rgb + rendering.transmittance[:, None] * background
        colours = self._as_photographed(colours, batch, rendering.transmittance, background)
        target = self._target(batch, background)
        outcome = Outcome(
            rendering, batch, samples, points, colours, target, counted, stage.step_length,
            sightings, self._patches(batch, samples, rendering, settings), behind,
            stage.outside_ratio, self._unknown(points),
        )  # fmt: skip
        return outcome, taken

    def _unknown(self, points: FieldPoints) -> Float[Tensor, "a"] | None:
        """How little is known where smoothness is asked for, if it is."""
        if self._ignorance is None:
            return None
        return self._ignorance.at(points.places[points.aside])

    def _patches(
        self, batch: RayBatch, samples: Samples, rendering: Rendering, settings: StepSettings
    ) -> ComparedPatches | None:
        """Patches of the surface in other photos, in steps that ask for them."""
        if self._views is None or not settings.patches or not isinstance(self._model, NeuS):
            return None
        assert isinstance(rendering, SurfaceRendering)
        assert isinstance(self._occupancy, OccupancyGrid)
        return compare_patches(
            self._views, self._model.sdf, self._occupancy, batch, samples, rendering.sdf,
            settings, self._backend, self._method.training.patch_points == "plane",
        )  # fmt: skip

    def background(self, batch: RayBatch, generator: torch.Generator) -> Float[Tensor, "#r 3"]:
        """A random colour per ray where a mask tells what to compare it with, else the method's."""
        grey = BACKGROUNDS[self._method.model.background]
        if not (self._method.training.random_background and self._cut_out):
            return torch.full((1, 3), grey, device=self._device)
        rays = len(batch.origins)
        colours = torch.rand(rays, 3, generator=generator, device=self._device)
        return torch.where(batch.masked[:, None], colours, grey)

    def _surroundings(
        self,
        outside: OutsideField,
        batch: RayBatch,
        rendering: Rendering,
        settings: StepSettings,
        generator: torch.Generator,
    ) -> Surroundings:
        """What the rays that still have light see outside the sphere."""
        jitter = torch.rand(settings.rays, generator=generator, device=self._device)
        lit = rendering.transmittance.detach() > LEAST_LIGHT
        return outside.render(
            batch.origins, batch.directions, lit, jitter,
            settings.stage, self._backend, self._method.training.outside_samples,
        )  # fmt: skip

    @torch.no_grad()
    def _note_lit_cells(self, places: Tensor, samples: Samples, rendering: Rendering) -> None:
        """Where half of the light of a ray is left; masks make an object solid without that."""
        if not isinstance(self._occupancy, OccupancyGrid):
            return
        weights, count = rendering.weights, len(samples.t)
        taken = weights.cumsum(0) - weights  # by all samples before, of whatever ray
        by_ray = taken - taken[samples.offsets[:-1].clamp(max=count - 1)][samples.ray_index]
        filled = torch.arange(count, device=self._device) < samples.offsets[-1]
        self._occupancy.see(places[:count], filled & (by_ray < HALF))

    @property
    def _cut_out(self) -> bool:
        """Whether masks replace what the photos show behind the object."""
        return self._method.training.losses.uses("mask") and self._model.outside is None

    def _as_photographed(
        self, rendered: Tensor, batch: RayBatch, transmittance: Tensor, background: Tensor
    ) -> Tensor:
        """Rays in the colours of their images; a background that a mask put there keeps its own."""
        if self._affine_colours is None:
            return rendered
        clear = (transmittance * (batch.masked & self._cut_out))[:, None]
        return self._affine_colours(rendered, batch.image, clear, background)

    def _target(self, batch: RayBatch, background: Tensor) -> Tensor:
        """The photo, with masks cut out and put before the same background as the rendering."""
        if not self._cut_out:
            return batch.colours
        coverage = batch.coverage[:, None]
        return batch.colours * coverage + background * (1 - coverage)
