"""One training run's state, and what a single step does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neus.config import BACKGROUNDS, MethodConfig, scheduled
from neus.models.neus import NeuS, Rendering
from neus.models.operators import operators_for
from neus.models.schedule import Stage, stage_at
from neus.ops.types import Samples
from neus.rendering.occupancy import OccupancyGrid
from neus.training.distributed import ALONE, Processes
from neus.training.losses import (
    cavity_loss,
    colour_loss,
    curvature_loss,
    distortion_loss,
    eikonal_loss,
    mask_loss,
    opaque_loss,
    sparsity_loss,
    squared_colour_loss,
)
from neus.training.optimizer import Optimizer
from neus.training.rays import PixelPool, RayBatch
from neus.training.schedules import learning_rate_factor

OCCUPANCY_EVERY = 16
"""Steps between partial updates of the occupancy grid."""
OCCUPANCY_PARTS = 32
"""Partial updates that make one sweep."""
FULL_SWEEPS = (0, 64, 256)
"""Early steps, when the surface moves fast, at which the whole grid is updated."""
RAYS_TOLERANCE = 0.03
"""By how much the number of rays may be off before it changes."""
CAVITY_SHARE = 0.25
"""Part of the uniform points that go to hidden cavities, where there are any."""


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
        self.model = NeuS(method.model, torch.Generator().manual_seed(seed)).to(device)
        self.generator = torch.Generator(device).manual_seed(seed + SEEDS_APART * processes.rank)
        self.optimizer = Optimizer(self.model, method.training.learning_rates, self.backend)
        marching = method.model.marching
        self.occupancy = OccupancyGrid(marching.occupancy_resolution, marching.margin, device)
        self.step = 0
        self.capacity = method.training.samples - method.training.uniform_samples
        self.rays = self.capacity // 20
        self.seen = torch.zeros(2, dtype=torch.int64, device=device)

    @property
    def stage(self) -> Stage:
        return stage_at(self.method.model, self.step, self.method.training.steps)

    def train_step(self) -> StepReport:
        """Draw rays, render, and move all parameters once."""
        config, stage = self.method.training, self.stage
        if self.step % OCCUPANCY_EVERY == 0:
            self._update_scene_state()
        batch = self.pool.draw(
            self.rays, config.masked_rays, self.generator, one_image=config.one_image_batches
        )
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

        background = self._background(batch)
        rendered = rendering.rgb + rendering.transmittance[:, None] * background
        target = self._target(batch, background)
        counted = samples.taken.float()
        terms = {"colour": colour_loss(rendered, target, counted)}
        terms["eikonal"] = eikonal_loss(rendering.gradient_norms)
        depth = self.occupancy.half_diagonal
        terms["cavity"] = cavity_loss(rendering.sdf[len(points) - hidden :], depth)
        if config.losses.uses("mask"):
            terms["mask"] = mask_loss(
                rendering.transmittance, batch.coverage, counted * batch.masked
            )
        if config.losses.uses("colour_squared"):
            terms["colour_squared"] = squared_colour_loss(rendered, target, counted)
        terms |= self._regularizers(rendering, samples, slice(self.capacity, len(points) - hidden))
        weights, progress = config.losses.weights, self.step / config.steps
        loss = torch.stack(
            [scheduled(weights[name], progress) * term for name, term in terms.items()]
        ).sum()
        (loss * self.processes.share).backward()
        self.processes.add_up_gradients(self.model)
        factor = learning_rate_factor(config.learning_rates, self.step, config.steps)
        self.optimizer.step(factor)
        self.step += 1
        with torch.no_grad():
            squared = ((rendered - target) ** 2).mean(dim=1)
            squared_error = (squared * counted).sum() / counted.sum()
            self.seen += torch.stack([samples.offsets[-1], samples.taken.sum()])
        detached = {name: term.detach() for name, term in terms.items()}
        count = self.processes.count
        return StepReport(
            loss.detach(), detached, squared_error, count * self.rays, count * config.samples
        )

    def _regularizers(
        self, rendering: Rendering, samples: Samples, uniform: slice
    ) -> dict[str, Tensor]:
        """Terms that the method may ask for; ``uniform`` says which points are spread evenly."""
        losses, terms = self.method.training.losses, {}
        if losses.uses("opaque"):
            terms["opaque"] = opaque_loss(rendering.transmittance, samples.taken.float())
        if losses.uses("sparsity"):
            terms["sparsity"] = sparsity_loss(rendering.sdf[uniform], losses.sparsity_scale)
        if losses.uses("curvature"):
            assert rendering.laplacian is not None
            terms["curvature"] = curvature_loss(rendering.laplacian)
        if losses.uses("distortion"):
            terms["distortion"] = distortion_loss(
                rendering.weights, samples, self.stage.step_length
            )
        return terms

    def _points(self, batch: RayBatch, samples: Samples) -> tuple[Tensor, int]:
        """The samples' places, the padding among them filled from the uniform points that follow.

        The last points, whose number is returned, lie in hidden cavities, where there are any.
        """
        config = self.method.training
        hidden = self.occupancy.points_in_cavities(
            int(CAVITY_SHARE * config.uniform_samples), self.generator
        )
        uniform = _uniform_in_ball(
            config.uniform_samples - len(hidden), self.generator, self.device
        )
        ray = samples.ray_index
        marched = torch.addcmul(batch.origins[ray], samples.t[:, None], batch.directions[ray])
        place = torch.arange(self.capacity, device=self.device)
        filler = uniform[place % len(uniform)]
        places = torch.where((place < samples.offsets[-1])[:, None], marched, filler)
        return torch.cat([places, uniform, hidden]), len(hidden)

    def _update_scene_state(self) -> None:
        """What changes slowly: the occupancy grid, and how many rays fill the capacity."""
        part = self.step // OCCUPANCY_EVERY % OCCUPANCY_PARTS
        whole = self.step in FULL_SWEEPS
        self.update_occupancy((0, 1) if whole else (part, OCCUPANCY_PARTS))
        if part == 0 and self.method.training.losses.uses("cavity"):
            self.occupancy.find_cavities()
        self.processes.add_up([self.seen])
        samples, rays = self.seen.tolist()
        self.seen.zero_()
        if rays:
            wanted = min(self.capacity, int(1.05 * self.capacity * rays / max(samples, 1)) + 8)
            if abs(wanted / self.rays - 1) > RAYS_TOLERANCE:
                self.rays = wanted

    def update_occupancy(self, part: tuple[int, int] = (0, 1)) -> None:
        stage = self.stage
        self.occupancy.update(
            lambda x: self.model.sdf.distance(x, self.backend, stage.active_levels),
            float(self.model.bounded_inv_s(stage).detach()),
            stage.step_length,
            part,
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "rays": self.rays,
            "seen": self.seen,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "occupancy": self.occupancy.state_dict(),
            "generators": self.processes.gathered(self.generator.get_state()),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.rays = state["rays"]
        self.seen.copy_(state["seen"])
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.occupancy.load_state_dict(state["occupancy"])
        self.generator.set_state(state["generators"][self.processes.rank].cpu())

    def _background(self, batch: RayBatch) -> Tensor:
        """A random colour per ray where a mask tells what to compare it with, else the method's."""
        training = self.method.training
        grey = BACKGROUNDS[self.method.model.background]
        if not (training.random_background and training.losses.uses("mask")):
            return torch.full((1, 3), grey, device=self.device)
        colours = torch.rand(self.rays, 3, generator=self.generator, device=self.device)
        return torch.where(batch.masked[:, None], colours, grey)

    def _target(self, batch: RayBatch, background: Tensor) -> Tensor:
        """The photo, with masks cut out and put before the same background as the rendering."""
        if not self.method.training.losses.uses("mask"):
            return batch.colours
        coverage = batch.coverage[:, None]
        return batch.colours * coverage + background * (1 - coverage)


def _uniform_in_ball(points: int, generator: torch.Generator, device: torch.device) -> Tensor:
    direction = torch.randn(points, 3, generator=generator, device=device)
    radius = torch.rand(points, 1, generator=generator, device=device) ** (1 / 3)
    return torch.nn.functional.normalize(direction, dim=1) * radius
