"""One training run's state, and what a single step does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neus.config import BACKGROUNDS, MethodConfig
from neus.models.appearance import AffineColours
from neus.models.kinds import new_model
from neus.models.neus import NeuS
from neus.models.outside import LEAST_LIGHT, OutsideField
from neus.models.rendering import Rendering, SurfaceRendering
from neus.models.schedule import Stage, stage_at
from neus.ops import backend_for
from neus.ops.types import Samples
from neus.rendering.occupancy import OccupancyGrid
from neus.training.losses import cavity_loss, colour_loss, eikonal_loss, mask_loss
from neus.training.optimizer import Optimizer
from neus.training.rays import PixelPool, RayBatch
from neus.training.schedules import learning_rate_factor

OCCUPANCY_EVERY = 16
"""Steps between partial updates of the occupancy grid."""
OCCUPANCY_PARTS = 32
"""Partial updates that make one sweep."""
DENSITY_PARTS = 16
"""The same for the grids of densities, which change in more places at a time."""
FULL_SWEEPS = (0, 64, 256)
"""Early steps, when the surface moves fast, at which the whole grid is updated."""
RAYS_TOLERANCE = 0.03
"""By how much the number of rays may be off before it changes."""
CAVITY_SHARE = 0.25
"""Part of the uniform points that go to hidden cavities, where there are any."""


@dataclass(frozen=True)
class StepReport:
    """What one step saw; tensors stay on their device until somebody reads them."""

    loss: Tensor
    terms: dict[str, Tensor]
    squared_error: Tensor
    rays: int
    samples: int


class Trainer:
    """Model, optimizer, occupancy, ray pool and random state of one run.

    ``state_dict`` holds everything that a step reads and writes, so that a run continued from it
    equals one that was never interrupted, bit for bit on the CPU.
    """

    def __init__(
        self, method: MethodConfig, pool: PixelPool, device: torch.device, seed: int
    ) -> None:
        self.method, self.pool, self.device = method, pool, device
        self.backend = backend_for(device, method.backend)
        self.model = new_model(method.model, torch.Generator().manual_seed(seed)).to(device)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.affine_colours = (
            AffineColours(pool.images).to(device) if method.training.affine_colours else None
        )
        self.optimizer = Optimizer(
            self.model, method.training.learning_rates, self.backend, self.affine_colours
        )
        self.step = 0
        self.capacity = method.training.samples
        marching = method.model.marching
        if isinstance(self.model, NeuS):
            self.occupancy = OccupancyGrid(marching.occupancy_resolution, marching.margin, device)
            self.capacity -= method.training.uniform_samples
        else:
            self.occupancy = self.model.occupancy
        self.rays = self.capacity // 20
        self.seen = torch.zeros(2, 2, dtype=torch.int64, device=device)

    @property
    def stage(self) -> Stage:
        return stage_at(self.method.model, self.step, self.method.training.steps)

    def train_step(self) -> StepReport:
        """Draw rays, render, and move all parameters once."""
        config, stage = self.method.training, self.stage
        if isinstance(self.model, NeuS):
            self.model.lead(stage)
        if self.step % OCCUPANCY_EVERY == 0:
            self._update_scene_state()
        batch = self.pool.draw(self.rays, config.masked_rays, self.generator)
        jitter = torch.rand(self.rays, generator=self.generator, device=self.device)
        samples = self.backend.march_rays(
            batch.origins,
            batch.directions,
            self.occupancy.state,
            stage.step_length,
            jitter,
            self.capacity,
        )
        points, hidden = self._points(batch, samples)
        rendering = self.model.render(points, samples, batch.directions, stage, self.backend)

        counted, taken = samples.taken.float(), [samples]
        if self.model.outside is None:
            background = self._background(batch)
        else:
            background, behind = self._surroundings(self.model.outside, batch, rendering)
            counted, taken = counted * behind.taken, [samples, behind]
        rendered = rendering.rgb + rendering.transmittance[:, None] * background
        rendered = self._as_photographed(rendered, batch, rendering.transmittance, background)
        target = self._target(batch, background)
        terms = {"colour": colour_loss(rendered, target, counted)}
        if isinstance(rendering, SurfaceRendering):
            terms |= self._surface_terms(rendering, hidden)
        if config.losses.mask > 0:
            terms["mask"] = mask_loss(
                rendering.transmittance, batch.coverage, counted * batch.masked
            )
        if self.affine_colours is not None:
            terms["affine_colours"] = self.affine_colours.anchor()
        weights = {"colour": 1.0} | vars(config.losses)
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        loss.backward()
        factor = learning_rate_factor(config.learning_rates, self.step, config.steps)
        self.optimizer.step(factor)
        self.step += 1
        with torch.no_grad():
            squared = ((rendered - target) ** 2).mean(dim=1)
            squared_error = (squared * counted).sum() / counted.sum()
            for seen, part in zip(self.seen, taken, strict=False):
                seen += torch.stack([part.offsets[-1], part.taken.sum()])
        detached = {name: term.detach() for name, term in terms.items()}
        return StepReport(loss.detach(), detached, squared_error, self.rays, config.samples)

    def _surroundings(
        self, outside: OutsideField, batch: RayBatch, rendering: Rendering
    ) -> tuple[Tensor, Samples]:
        """What the rays that still have light see outside the sphere, and the samples of it."""
        jitter = torch.rand(self.rays, generator=self.generator, device=self.device)
        surroundings = outside.render(
            batch.origins,
            batch.directions,
            rendering.transmittance.detach() > LEAST_LIGHT,
            jitter,
            self.stage,
            self.backend,
            self.method.training.outside_samples,
        )
        return surroundings.rgb, surroundings.samples

    def _surface_terms(self, rendering: SurfaceRendering, hidden: int) -> dict[str, Tensor]:
        """Losses of a signed distance, whose last ``hidden`` points lie in cavities."""
        in_cavities = rendering.sdf[len(rendering.sdf) - hidden :]
        assert isinstance(self.occupancy, OccupancyGrid)
        return {
            "eikonal": eikonal_loss(rendering.gradient_norms),
            "cavity": cavity_loss(in_cavities, self.occupancy.half_diagonal),
        }

    def _points(self, batch: RayBatch, samples: Samples) -> tuple[Tensor, int]:
        """The samples' places and, for a signed distance, uniform points behind them.

        Padding among the samples is then filled from the uniform points. The last points, whose
        number is returned, lie in hidden cavities, where there are any.
        """
        config, ray = self.method.training, samples.ray_index
        marched = torch.addcmul(batch.origins[ray], samples.t[:, None], batch.directions[ray])
        if not isinstance(self.occupancy, OccupancyGrid):
            return marched, 0
        hidden = self.occupancy.points_in_cavities(
            int(CAVITY_SHARE * config.uniform_samples), self.generator
        )
        uniform = _uniform_in_ball(
            config.uniform_samples - len(hidden), self.generator, self.device
        )
        place = torch.arange(self.capacity, device=self.device)
        filler = uniform[place % len(uniform)]
        places = torch.where((place < samples.offsets[-1])[:, None], marched, filler)
        return torch.cat([places, uniform, hidden]), len(hidden)

    def _update_scene_state(self) -> None:
        """What changes slowly: the occupancy grids, and how many rays fill the capacities."""
        turn, whole = self.step // OCCUPANCY_EVERY, self.step in FULL_SWEEPS
        self.update_occupancy(None if whole else turn)
        cavities = self.method.training.losses.cavity > 0
        if cavities and turn % OCCUPANCY_PARTS == 0 and isinstance(self.occupancy, OccupancyGrid):
            self.occupancy.find_cavities()
        capacities = self.capacity, self.method.training.outside_samples
        wanted = [
            min(capacity, int(1.05 * capacity * rays / max(samples, 1)) + 8)
            for capacity, (samples, rays) in zip(capacities, self.seen.tolist(), strict=True)
            if rays
        ]
        self.seen.zero_()
        if wanted and abs(min(wanted) / self.rays - 1) > RAYS_TOLERANCE:
            self.rays = min(wanted)

    def update_occupancy(self, turn: int | None = None) -> None:
        """Look at the part of the cells whose turn it is, or at all of them."""
        stage, generator, model = self.stage, self.generator, self.model
        whole = turn is None
        part = (0, 1) if whole else (turn % OCCUPANCY_PARTS, OCCUPANCY_PARTS)
        density_part = (0, 1) if whole else (turn % DENSITY_PARTS, DENSITY_PARTS)
        if isinstance(model, NeuS):
            assert isinstance(self.occupancy, OccupancyGrid)
            self.occupancy.update(
                lambda x: model.sdf.distance(x, self.backend, stage.active_levels),
                float(model.inv_s.detach()),
                stage.step_length,
                part,
            )
        else:
            model.update_occupancy(stage, self.backend, generator, density_part)
        if model.outside is not None:
            model.outside.update_occupancy(stage, self.backend, generator, density_part)

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "rays": self.rays,
            "seen": self.seen,
            "model": self.model.state_dict(),
            "affine_colours": self.affine_colours and self.affine_colours.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "occupancy": self.occupancy.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.rays = state["rays"]
        self.seen.copy_(state["seen"])
        self.model.load_state_dict(state["model"])
        if self.affine_colours is not None:
            self.affine_colours.load_state_dict(state["affine_colours"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.occupancy.load_state_dict(state["occupancy"])
        self.generator.set_state(state["generator"].cpu())

    def _background(self, batch: RayBatch) -> Tensor:
        """A random colour per ray where a mask tells what to compare it with, else the method's."""
        training = self.method.training
        grey = BACKGROUNDS[self.method.model.background]
        if not (training.random_background and training.losses.mask > 0):
            return torch.full((1, 3), grey, device=self.device)
        colours = torch.rand(self.rays, 3, generator=self.generator, device=self.device)
        return torch.where(batch.masked[:, None], colours, grey)

    def _as_photographed(
        self, rendered: Tensor, batch: RayBatch, transmittance: Tensor, background: Tensor
    ) -> Tensor:
        """Rays in the colours of their images; a background that a mask put there keeps its own."""
        if self.affine_colours is None:
            return rendered
        replaced = batch.masked & (self.method.training.losses.mask > 0)
        clear = (transmittance * replaced)[:, None]
        return self.affine_colours(rendered, batch.image, clear, background)

    def _target(self, batch: RayBatch, background: Tensor) -> Tensor:
        """The photo, with masks cut out and put before the same background as the rendering.

        Where the background is learned, the photo shows it.
        """
        if self.method.training.losses.mask == 0 or self.model.outside is not None:
            return batch.colours
        coverage = batch.coverage[:, None]
        return batch.colours * coverage + background * (1 - coverage)


def _uniform_in_ball(points: int, generator: torch.Generator, device: torch.device) -> Tensor:
    direction = torch.randn(points, 3, generator=generator, device=device)
    radius = torch.rand(points, 1, generator=generator, device=device) ** (1 / 3)
    return torch.nn.functional.normalize(direction, dim=1) * radius
