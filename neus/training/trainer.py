"""One training run's state, and what a single step does to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from neus.config import OF_STEREO, MethodConfig, scheduled
from neus.models import (
    AffineColours,
    NeRF,
    NeuS,
    OutsideField,
    Stage,
    new_model,
    operators_for,
    stage_at,
)
from neus.rendering import OccupancyGrid
from neus.training.batch import BatchRenderer
from neus.training.distributed import ALONE, Processes
from neus.training.evidence import SurfacePoints
from neus.training.objective import loss_terms, loss_weights, weighted_sum
from neus.training.optimizer import Optimizer
from neus.training.patches import PatchViews
from neus.training.rays import PixelPool
from neus.training.schedules import learning_rate_factor
from neus.training.settings import StepSettings, lasting

LIGHT_RAYS = 1 << 15
"""As many tell which cells light crosses, each for those beside it."""
OCCUPANCY_EVERY = 16
"""Steps between partial updates of the occupancy grid."""
OCCUPANCY_PARTS = 32
"""Partial updates that make one sweep."""
DENSITY_PARTS = 16
"""The same for the grids of densities, which change in more places at a time."""
FULL_SWEEPS = (0, 64, 256)
"""Early steps, when the surface moves fast, at which the whole grid is updated."""
RAYS_DIGITS = 6
"""Binary digits that the number of rays has on CUDA; it may fall short of the wish by 3 %."""
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

    Attributes:
        step: steps that were taken.
        loads: how often a state was loaded; each time some tensors change their places.
    """

    def __init__(
        self,
        method: MethodConfig,
        pool: PixelPool,
        device: torch.device,
        seed: int,
        processes: Processes = ALONE,
        backend: ModuleType | None = None,
        evidence: SurfacePoints | None = None,
        views: PatchViews | None = None,
    ) -> None:
        """``backend`` takes the place of the method's on this device; ``evidence`` is what stereo
        knows of the surface, ``views`` are the training photos that patches are compared in.
        """
        self.method, self.pool, self.device = method, pool, device
        self.processes = processes
        self.backend = backend or operators_for(method, device)
        self.model = new_model(method.model, torch.Generator().manual_seed(seed)).to(device)
        self.generator = torch.Generator(device).manual_seed(seed + SEEDS_APART * processes.rank)
        self.affine_colours = (
            AffineColours(pool.images).to(device) if method.training.affine_colours else None
        )
        self.optimizer = Optimizer(
            self.model, method.training.learning_rates, self.backend, self.affine_colours
        )
        self.step, self.loads = 0, 0
        marching = method.model.marching
        if isinstance(self.model, NeuS):
            self.occupancy = OccupancyGrid(marching.occupancy_resolution, marching.margin, device)
        else:
            self.occupancy = self.model.occupancy
        self._renderer = BatchRenderer(
            method, self.model, self.occupancy, pool, self.affine_colours, self.backend, device,
            evidence, views,
        )  # fmt: skip
        self._compares = views is not None and isinstance(self.model, NeuS)
        self._knows = evidence is not None and len(evidence) > 0
        if evidence is not None and isinstance(self.occupancy, OccupancyGrid):
            self.occupancy.keep_open(evidence.places_before(1 / marching.occupancy_resolution))
            self.occupancy.leave_unwatched(evidence.watched)
        self.rays = self._renderer.capacity // 20
        self.seen = torch.zeros(2, 2, dtype=torch.int64, device=device)

    @property
    def stage(self) -> Stage:
        model = self.method.model
        stage = stage_at(model, self.step, self.method.training.steps)
        on_cuda = self.device.type == "cuda"
        return lasting(stage, model.outside.last_ratio) if on_cuda else stage

    def train_step(
        self, device_step: Callable[[StepSettings], StepReport] | None = None
    ) -> StepReport:
        """Draw rays, render, and move all parameters once.

        ``device_step`` takes the place of :meth:`device_step`, and has to do the same.
        """
        self._prepare()
        report = (device_step or self.device_step)(self._settings())
        self.step += 1
        return report

    def device_step(self, settings: StepSettings) -> StepReport:
        """The part of a step that a CUDA graph can replay.

        What it reads and changes, apart from ``settings``, are tensors that stay where they are.
        """
        config = self.method.training
        outcome, taken = self._renderer.render(settings, self.generator)
        terms = loss_terms(config.losses, outcome)
        if self.affine_colours is not None:
            terms["affine_colours"] = self.affine_colours.anchor()
        loss = weighted_sum(settings.loss_weights, terms)
        (loss * self.processes.share).backward()
        learnt = (self.model, self.affine_colours)
        self.processes.add_up_gradients(*(part for part in learnt if part is not None))
        self.optimizer.step(settings.rate_factor)
        with torch.no_grad():
            squared = ((outcome.colours - outcome.target) ** 2).mean(dim=1)
            squared_error = (squared * outcome.counted).sum() / outcome.counted.sum()
            for seen, part in zip(self.seen, taken, strict=False):
                seen += torch.stack([part.offsets[-1], part.taken.sum()])
        detached = {name: term.detach() for name, term in terms.items()}
        count = self.processes.count
        return StepReport(
            loss.detach(), detached, squared_error, count * settings.rays, count * config.samples
        )

    def _prepare(self) -> None:
        """What the host does before a step."""
        if isinstance(self.model, NeuS):
            self.model.lead(self.stage)
        if self.step % OCCUPANCY_EVERY == 0:
            self._update_scene_state()

    def _settings(self) -> StepSettings:
        config, grid = self.method.training, self.occupancy
        weights = loss_weights(config.losses, self.step / config.steps)
        asked = self._knows and any(weights[term] > 0 for term in OF_STEREO)
        compared = self._compares and weights["patch"] > 0
        return StepSettings(
            rays=self.rays,
            stage=self.stage,
            rate_factor=learning_rate_factor(config.learning_rates, self.step, config.steps),
            loss_weights=weights,
            hidden_cells=grid.hidden_cells if isinstance(grid, OccupancyGrid) else 0,
            sightings=config.stereo_points if asked else 0,
            patches=min(config.patches, self.rays) if compared else 0,
            patch_reach=scheduled(config.patch_reach, self.step / config.steps),
        )

    def _update_scene_state(self) -> None:
        """What changes slowly: the occupancy grids, and how many rays fill the capacities."""
        turn, whole = self.step // OCCUPANCY_EVERY, self.step in FULL_SWEEPS
        self.update_occupancy(None if whole else turn)
        cavities = self.method.training.losses.uses("cavity")
        if cavities and turn % OCCUPANCY_PARTS == 0 and isinstance(self.occupancy, OccupancyGrid):
            if self._knows:
                light = self.pool.draw(LIGHT_RAYS, 0.0, self.generator)
                self.occupancy.find_unlit(light.origins, light.directions)
            else:
                self.occupancy.find_cavities()
            if self.model.outside is not None or self._knows:
                self.occupancy.forget_what_was_seen()
        self.processes.add_up([self.seen])
        capacities = self._renderer.capacity, self.method.training.outside_samples
        wanted = [
            min(capacity, int(1.05 * capacity * rays / max(samples, 1)) + 8)
            for capacity, (samples, rays) in zip(capacities, self.seen.tolist(), strict=True)
            if rays
        ]
        self.seen.zero_()
        if wanted and abs(min(wanted) / self.rays - 1) > RAYS_TOLERANCE:
            self.rays = self._rounded(min(wanted))

    def _rounded(self, rays: int) -> int:
        """On CUDA few of the numbers of rays that scenes ask for, so that a graph serves again."""
        if self.device.type != "cuda":
            return rays
        return rays >> (spare := max(0, rays.bit_length() - RAYS_DIGITS)) << spare

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
        self.loads += 1
        self.step = state["step"]
        self.rays = state["rays"]
        self.seen.copy_(state["seen"])
        self.model.load_state_dict(state["model"])
        if self.affine_colours is not None:
            self.affine_colours.load_state_dict(state["affine_colours"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.occupancy.load_state_dict(state["occupancy"])
        self.generator.set_state(state["generators"][self.processes.rank].cpu())
