"""One training run's state, and what a single step does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neus.config import BACKGROUNDS, MethodConfig
from neus.models.appearance import AffineColours
from neus.models.kinds import new_model
from neus.models.nerf import NeRF
from neus.models.neus import NeuS
from neus.models.operators import operators_for
from neus.models.outside import LEAST_LIGHT, OutsideField
from neus.models.rendering import Rendering
from neus.models.schedule import Stage, stage_at
from neus.ops.types import Samples
from neus.rendering.occupancy import OccupancyGrid
from neus.training.distributed import ALONE, Processes
from neus.training.objective import Outcome, loss_terms, weighted_sum
from neus.training.optimizer import Optimizer
from neus.training.points import field_points
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
SEEDS_APART = 1_000_003
"""Between the random numbers of one process and the next."""


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

    Each of several ``processes`` has a trainer and rays of its own; their models are equal.
    """

    def __init__(
        self,
        method: MethodConfig,
        pool: PixelPool,
        device: torch.device,
        seed: int,
        processes: Processes = ALONE,
    ) -> None:
        self.method, self.pool, self.device = method, pool, device
        self.processes = processes
        self.backend = operators_for(method, device)
        self.model = new_model(method.model, torch.Generator().manual_seed(seed)).to(device)
        self.generator = torch.Generator(device).manual_seed(seed + SEEDS_APART * processes.rank)
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
        outcome, taken = self._rendered(stage)
        terms = loss_terms(config.losses, outcome)
        if self.affine_colours is not None:
            terms["affine_colours"] = self.affine_colours.anchor()
        loss = weighted_sum(config.losses, terms, self.step / config.steps)
        (loss * self.processes.share).backward()
        learnt = (self.model, self.affine_colours)
        self.processes.add_up_gradients(*(part for part in learnt if part is not None))
        factor = learning_rate_factor(config.learning_rates, self.step, config.steps)
        self.optimizer.step(factor)
        self.step += 1
        with torch.no_grad():
            squared = ((outcome.colours - outcome.target) ** 2).mean(dim=1)
            squared_error = (squared * outcome.counted).sum() / outcome.counted.sum()
            for seen, part in zip(self.seen, taken, strict=False):
                seen += torch.stack([part.offsets[-1], part.taken.sum()])
        detached = {name: term.detach() for name, term in terms.items()}
        count = self.processes.count
        return StepReport(
            loss.detach(), detached, squared_error, count * self.rays, count * config.samples
        )

    def _rendered(self, stage: Stage) -> tuple[Outcome, list[Samples]]:
        """A batch as the model sees it, and the samples within the sphere and outside of it."""
        config = self.method.training
        batch = self.pool.draw(
            self.rays, config.masked_rays, self.generator, one_image=config.one_image_batches
        )
        jitter = torch.rand(self.rays, generator=self.generator, device=self.device)
        samples = self.backend.march_rays(
            batch.origins, batch.directions, self.occupancy.state,
            stage.step_length, jitter, self.capacity,
        )  # fmt: skip
        points = field_points(
            batch, samples, self.occupancy, config.uniform_samples, self.generator
        )
        rendering = self.model.render(points.places, samples, batch.directions, stage, self.backend)
        counted, taken = samples.taken.float(), [samples]
        if self.model.outside is None:
            background = self._background(batch)
        else:
            background, behind = self._surroundings(self.model.outside, batch, rendering)
            counted, taken = counted * behind.taken, [samples, behind]
        colours = rendering.rgb + rendering.transmittance[:, None] * background
        colours = self._as_photographed(colours, batch, rendering.transmittance, background)
        target = self._target(batch, background)
        outcome = Outcome(
            rendering, batch, samples, points, colours, target, counted, stage.step_length
        )
        return outcome, taken

    def _surroundings(
        self, outside: OutsideField, batch: RayBatch, rendering: Rendering
    ) -> tuple[Tensor, Samples]:
        """What the rays that still have light see outside the sphere, and the samples of it."""
        jitter = torch.rand(self.rays, generator=self.generator, device=self.device)
        lit = rendering.transmittance.detach() > LEAST_LIGHT
        surroundings = outside.render(
            batch.origins, batch.directions, lit, jitter,
            self.stage, self.backend, self.method.training.outside_samples,
        )  # fmt: skip
        return surroundings.rgb, surroundings.samples

    def _update_scene_state(self) -> None:
        """What changes slowly: the occupancy grids, and how many rays fill the capacities."""
        turn, whole = self.step // OCCUPANCY_EVERY, self.step in FULL_SWEEPS
        self.update_occupancy(None if whole else turn)
        cavities = self.method.training.losses.uses("cavity")
        if cavities and turn % OCCUPANCY_PARTS == 0 and isinstance(self.occupancy, OccupancyGrid):
            self.occupancy.find_cavities()
        self.processes.add_up([self.seen])
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
        stage, model = self.stage, self.model
        if isinstance(model, NeuS):
            assert isinstance(self.occupancy, OccupancyGrid)
            self.occupancy.update(
                lambda x: model.sdf.distance(x, self.backend, stage.active_levels),
                float(model.bounded_inv_s(stage).detach()),
                (0, 1) if turn is None else (turn % OCCUPANCY_PARTS, OCCUPANCY_PARTS),
            )
        part = (0, 1) if turn is None else (turn % DENSITY_PARTS, DENSITY_PARTS)
        for density in (model, model.outside):
            if isinstance(density, (NeRF, OutsideField)):
                # It remembers what was met at random points, so only one process may look.
                if self.processes.first:
                    density.update_occupancy(stage, self.backend, self.generator, part)
                grid = density.occupancy
                self.processes.follow_first([grid.density, grid.state])

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "rays": self.rays,
            "seen": self.seen,
            "model": self.model.state_dict(),
            "affine_colours": self.affine_colours and self.affine_colours.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "occupancy": self.occupancy.state_dict(),
            "generators": self.processes.gathered(self.generator.get_state()),
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
        self.generator.set_state(state["generators"][self.processes.rank].cpu())

    @property
    def _cut_out(self) -> bool:
        """Whether masks replace what the photos show behind the object."""
        return self.method.training.losses.uses("mask") and self.model.outside is None

    def _background(self, batch: RayBatch) -> Tensor:
        """A random colour per ray where a mask tells what to compare it with, else the method's."""
        grey = BACKGROUNDS[self.method.model.background]
        if not (self.method.training.random_background and self._cut_out):
            return torch.full((1, 3), grey, device=self.device)
        colours = torch.rand(self.rays, 3, generator=self.generator, device=self.device)
        return torch.where(batch.masked[:, None], colours, grey)

    def _as_photographed(
        self, rendered: Tensor, batch: RayBatch, transmittance: Tensor, background: Tensor
    ) -> Tensor:
        """Rays in the colours of their images; a background that a mask put there keeps its own."""
        if self.affine_colours is None:
            return rendered
        clear = (transmittance * (batch.masked & self._cut_out))[:, None]
        return self.affine_colours(rendered, batch.image, clear, background)

    def _target(self, batch: RayBatch, background: Tensor) -> Tensor:
        """The photo, with masks cut out and put before the same background as the rendering."""
        if not self._cut_out:
            return batch.colours
        coverage = batch.coverage[:, None]
        return batch.colours * coverage + background * (1 - coverage)
