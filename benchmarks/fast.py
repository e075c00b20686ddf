"""This project's training step on a work unit: rendering, losses, backward pass and optimizer."""

from __future__ import annotations

from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmarks.work_unit import WorkUnit, stage
from neus.config import LearningRateConfig, MethodConfig
from neus.models import NeuS
from neus.ops import backend_for, threads_of_steps
from neus.training import Optimizer

if TYPE_CHECKING:
    from jaxtyping import Float

SLOWNESS = 1e-3
"""Factor of the learning rates: the parameters hardly move, so that all steps do the same work."""


class FastStep:
    """A model at its start and a step that moves it."""

    def __init__(
        self, method: MethodConfig, unit: WorkUnit, backend: ModuleType | None = None
    ) -> None:
        """``backend`` is the device's own where none is given."""
        self.unit, device = unit, unit.points.device
        self.backend = backend or backend_for(device)
        self.stage = stage(method.model.hash_grid.levels)
        self.model = NeuS(method.model, torch.Generator().manual_seed(0)).to(device)
        self.optimizer = Optimizer(self.model, LearningRateConfig(), self.backend)

    def step(self) -> None:
        with threads_of_steps(self.backend):
            self.loss().backward()
            self.optimizer.step(SLOWNESS)

    def loss(self) -> Float[Tensor, ""]:
        unit = self.unit
        rendering = self.model.render(
            unit.points, unit.samples, unit.directions, self.stage, self.backend
        )
        return unit.loss(rendering.rgb, rendering.transmittance, rendering.gradient_norms)
