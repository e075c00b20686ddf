"""What moves the parameters."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch

from neus.config import LearningRateConfig
from neus.models.neus import NeuS


class Optimizer:
    """Adam for the networks and the sharpness, the backend's ``adam_step`` for the hash table.

    The table is most of what a step reads and writes: its gradient never passes through autograd,
    but goes from the backward pass to ``model.sdf.table_gradient``, which a step clears as it reads
    it.
    """

    def __init__(self, model: NeuS, rates: LearningRateConfig, backend: ModuleType) -> None:
        self._backend, self._table, self._table_rate = backend, model.sdf.table, rates.table
        table = self._table.detach()
        self._gradient = backend.TableGradient(table, model.sdf.grid)
        model.sdf.table_gradient = self._gradient
        self._moments = torch.zeros_like(table), torch.zeros_like(table)
        self._steps = 0
        self._weight_decay = rates.weight_decay
        kind = torch.optim.AdamW if rates.weight_decay else torch.optim.Adam
        self._networks = kind(
            _groups(model, rates), betas=(0.9, 0.99), eps=1e-15, weight_decay=0.0, fused=True
        )

    def step(self, factor: float) -> None:
        """Move all parameters once, at ``factor`` times their peak rates."""
        self._steps += 1
        if self._weight_decay:
            self._table.detach().mul_(1 - factor * self._table_rate * self._weight_decay)
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


def _groups(model: NeuS, rates: LearningRateConfig) -> list[dict[str, Any]]:
    """Parameters that share a rate: both networks, unless one has a rate of its own."""
    sdf, radiance = list(model.sdf.layers.parameters()), list(model.radiance.parameters())
    sdf_rate = rates.networks if rates.sdf is None else rates.sdf
    radiance_rate = rates.networks if rates.radiance is None else rates.radiance
    networks = [(sdf, sdf_rate), (radiance, radiance_rate)]
    if sdf_rate == radiance_rate:
        networks = [(sdf + radiance, sdf_rate)]
    groups: list[dict[str, Any]] = [
        {"params": parameters, "peak_rate": rate, "weight_decay": rates.weight_decay}
        for parameters, rate in networks
    ]
    return [*groups, {"params": [model.variance], "peak_rate": rates.inv_s}]
