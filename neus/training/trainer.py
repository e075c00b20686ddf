"""One training run's state, and what a single step does to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from neus.config import BACKGROUNDS, MethodConfig
from neus.models.neus import NeuS
from neus.models.schedule import Stage, stage_at
from neus.ops import backend_for
from neus.rendering.occupancy import OccupancyGrid
from neus.training.losses import cavity_loss, colour_loss, eikonal_loss, mask_loss
from neus.training.rays import PixelPool, RayBatch
from neus.training.schedules import learning_rate_factor

OCCUPANCY_EVERY = 16
"""Steps between partial updates of the occupancy grid."""
OCCUPANCY_PARTS = 32
"""Partial updates that make one sweep."""
FULL_SWEEPS = (0, 64, 256)
"""Early steps, when the surface moves fast, at which the whole grid is updated."""
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
        self.backend = backend_for(device)
        self.model = NeuS(method.model, torch.Generator().manual_seed(seed)).to(device)
        self.generator = torch.Generator(device).manual_seed(seed)
        self.optimizer = _optimizer(self.model, method)
        marching = method.model.marching
        self.occupancy = OccupancyGrid(marching.occupancy_resolution, marching.margin, device)
        self.step = 0
        self.samples_per_ray = 20.0

    @property
    def stage(self) -> Stage:
        return stage_at(self.method.model, self.step, self.method.training.steps)

    def train_step(self) -> StepReport:
        """Draw rays, render, and move all parameters once."""
        config, stage = self.method.training, self.stage
        if self.step % OCCUPANCY_EVERY == 0:
            part = self.step // OCCUPANCY_EVERY % OCCUPANCY_PARTS
            whole = self.step in FULL_SWEEPS
            self.update_occupancy((0, 1) if whole else (part, OCCUPANCY_PARTS))
            if part == 0 and config.losses.cavity > 0:
                self.occupancy.find_cavities()
        capacity = config.samples - config.uniform_samples
        rays = min(capacity, int(1.05 * capacity / self.samples_per_ray) + 8)
        batch = self.pool.draw(rays, config.masked_rays, self.generator)
        jitter = torch.rand(rays, generator=self.generator, device=self.device)
        samples = self.backend.march_rays(
            batch.origins,
            batch.directions,
            self.occupancy.state,
            stage.step_length,
            jitter,
            capacity,
        )
        batch = batch.first(samples.rays)
        count = len(samples.t)
        self.samples_per_ray += 0.1 * (max(count / samples.rays, 1.0) - self.samples_per_ray)
        hidden = self.occupancy.points_in_cavities(
            int(CAVITY_SHARE * config.uniform_samples), self.generator
        )
        uniform = _uniform_in_ball(
            config.samples - count - len(hidden), self.generator, self.device
        )
        rendering = self.model.render(
            batch.origins,
            batch.directions,
            samples,
            stage,
            self.backend,
            torch.cat([uniform, hidden]),
        )

        background = self._background(samples.rays)
        rendered = rendering.rgb + rendering.transmittance[:, None] * background
        target = self._target(batch, background)
        terms = {"colour": colour_loss(rendered, target)}
        terms["eikonal"] = eikonal_loss(rendering.gradient_norms)
        hidden_sdf = rendering.extra_sdf[len(uniform) :]
        terms["cavity"] = cavity_loss(hidden_sdf, self.occupancy.half_diagonal)
        if config.losses.mask > 0:
            terms["mask"] = mask_loss(rendering.transmittance, batch.coverage)
        weights = {"colour": 1.0} | vars(config.losses)
        loss = torch.stack([weights[name] * term for name, term in terms.items()]).sum()
        loss.backward()
        self._apply_gradients()
        with torch.no_grad():
            squared_error = ((rendered - target) ** 2).mean()
        detached = {name: term.detach() for name, term in terms.items()}
        return StepReport(loss.detach(), detached, squared_error, samples.rays, config.samples)

    def update_occupancy(self, part: tuple[int, int] = (0, 1)) -> None:
        stage = self.stage
        self.occupancy.update(
            lambda x: self.model.sdf.distance(x, self.backend, stage.active_levels),
            float(self.model.inv_s.detach()),
            part,
        )

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self.step,
            "samples_per_ray": self.samples_per_ray,
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "occupancy": self.occupancy.state_dict(),
            "generator": self.generator.get_state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.step = state["step"]
        self.samples_per_ray = state["samples_per_ray"]
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.occupancy.load_state_dict(state["occupancy"])
        self.generator.set_state(state["generator"].cpu())

    def _apply_gradients(self) -> None:
        training = self.method.training
        factor = learning_rate_factor(training.learning_rates, self.step, training.steps)
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak_rate"] * factor
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.step += 1

    def _background(self, rays: int) -> Tensor:
        """A random colour per ray when masks tell what to compare it with, else the method's."""
        training = self.method.training
        if training.random_background and training.losses.mask > 0:
            return torch.rand(rays, 3, generator=self.generator, device=self.device)
        grey = BACKGROUNDS[self.method.model.background]
        return torch.full((1, 3), grey, device=self.device)

    def _target(self, batch: RayBatch, background: Tensor) -> Tensor:
        """The photo, with masks cut out and put before the same background as the rendering."""
        if self.method.training.losses.mask == 0:
            return batch.colours
        coverage = batch.coverage[:, None]
        return batch.colours * coverage + background * (1 - coverage)


def _optimizer(model: NeuS, method: MethodConfig) -> torch.optim.AdamW:
    """AdamW with the moments of Mueller et al. 2022, section 4, for sparse gradients."""
    rates = method.training.learning_rates
    networks = [*model.sdf.layers.parameters(), *model.radiance.parameters()]
    groups = [
        {"params": [model.sdf.table], "peak_rate": rates.table},
        {"params": networks, "peak_rate": rates.networks},
        {"params": [model.variance], "peak_rate": rates.inv_s},
    ]
    return torch.optim.AdamW(groups, betas=(0.9, 0.99), eps=1e-15, weight_decay=0.0, fused=True)


def _uniform_in_ball(points: int, generator: torch.Generator, device: torch.device) -> Tensor:
    direction = torch.randn(points, 3, generator=generator, device=device)
    radius = torch.rand(points, 1, generator=generator, device=device) ** (1 / 3)
    return torch.nn.functional.normalize(direction, dim=1) * radius
