"""What moves the parameters."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch

from neus.config import LearningRateConfig
from neus.models.appearance import AffineColours
from neus.models.neus import NeuS


class Optimizer:
    """Adam for the networks, the sharpness and the colours of images, ``adam_step`` for the table.

    The table is most of what a step reads and writes: its gradient never passes through autograd,
    but goes from the backward pass to ``model.sdf.table_gradient``, which a step clears as it reads
    it.
    """

    def __init__(
        self,
        model: NeuS,
        rates: LearningRateConfig,
        backend: ModuleType,
        affine_colours: AffineColours | None = None,
    ) -> None:
        self._backend, self._table, self._table_rate = backend, model.sdf.table, rates.table
        table = self._table.detach()
        self._gradient = backend.TableGradient(table, model.sdf.grid)
        model.sdf.table_gradient = self._gradient
        self._moments = torch.zeros_like(table), torch.zeros_like(table)
        self._steps = 0
        networks = [*model.sdf.layers.parameters(), *model.radiance.parameters()]
        groups = [
            {"params": networks, "peak_rate": rates.networks},
            {"params": [model.variance], "peak_rate": rates.inv_s},
        ]
        if affine_colours is not None:
            maps = list(affine_colours.parameters())
            groups.append({"params": maps, "peak_rate": rates.affine_colours})
        self._networks = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-15, fused=True)

    def step(self, factor: float) -> None:
        """Move all parameters once, at ``factor`` times their peak rates."""
        self._steps += 1
        self._backend.adam_step(
            self._table.detach(),
            self._gradient,
            self._moments,
            factor * self._table_rate,
            self._steps,
        )
        for group in self._networks.param_groups:
            group["lr"] = factor * group["peak_rate"]
        self._networks.step()
        self._networks.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        return {
            "networks": self._networks.state_dict(),
            "moments": self._moments,
            "steps": self._steps,
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._networks.load_state_dict(state["networks"])
        for moment, saved in zip(self._moments, state["moments"], strict=True):
            moment.copy_(saved)
        self._steps = state["steps"]
