"""What moves the parameters."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import torch
from torch import Tensor

from neus.config import LearningRateConfig
from neus.fields import DensityField, Layers, RadianceField, SdfField, VolumeRadiance
from neus.models import AffineColours, Model, NeuS
from neus.training.adam import FusedAdam, Group


class Optimizer:
    """Adam for networks, sharpness and colours of images, ``adam_step`` for the hash tables.

    A table is most of what a step reads and writes: its gradient never passes through autograd,
    but goes from the backward pass to its field's ``table_gradient``, which a step clears as it
    reads it.

    On CUDA a step can be captured in a graph: whatever it counts lies on the device.
    """

    def __init__(
        self,
        model: Model,
        rates: LearningRateConfig,
        backend: ModuleType,
        affine_colours: AffineColours | None = None,
    ) -> None:
        fields = [part for part in model.modules() if isinstance(part, (SdfField, DensityField))]
        self._tables = [field.table.detach() for field in fields]
        self._rates = [_table_rate(model, field, rates) for field in fields]
        for field, table in zip(fields, self._tables, strict=True):
            field.table_gradient = field.operators(backend).TableGradient(table, field.grid)
        self._steps_of = [field.operators(backend).adam_step for field in fields]
        self._gradients = [field.table_gradient for field in fields]
        self._moments = [(torch.zeros_like(t), torch.zeros_like(t)) for t in self._tables]
        device = next(model.parameters()).device
        self._steps = torch.zeros((), dtype=torch.int64, device=device)
        self._weight_decay = rates.weight_decay
        first, second = rates.betas
        self._constants = (first, second), rates.eps
        self._networks = FusedAdam(_groups(model, rates, affine_colours), *self._constants)

    def step(self, factor: float | Tensor) -> None:
        """Move all parameters once, at ``factor`` times their peak rates, and clear gradients."""
        self._steps += 1
        for adam_step, table, gradient, moments, peak_rate in zip(
            self._steps_of, self._tables, self._gradients, self._moments, self._rates, strict=True
        ):
            rate = factor * peak_rate
            if self._weight_decay:
                table.mul_(1 - rate * self._weight_decay)
            step = self._steps, *self._constants
            adam_step(table, gradient, moments, rate, *step)
        self._networks.step(factor)
        self.forget_gradients()

    def forget_gradients(self) -> None:
        """Of all parameters but the tables, which a step clears itself."""
        self._networks.zero_grad()

    def state_dict(self) -> dict[str, Any]:
        return {
            "networks": self._networks.state_dict(),
            "moments": self._moments,
            "steps": int(self._steps),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._networks.load_state_dict(state["networks"])
        for moments, saved in zip(self._moments, state["moments"], strict=True):
            for moment, value in zip(moments, saved, strict=True):
                moment.copy_(value)
        self._steps.fill_(state["steps"])


def _table_rate(model: Model, field: SdfField | DensityField, rates: LearningRateConfig) -> float:
    beyond = model.outside is not None and field is model.outside.field
    return rates.outside_table if beyond and rates.outside_table is not None else rates.table


def _groups(
    model: Model, rates: LearningRateConfig, affine_colours: AffineColours | None
) -> list[Group]:
    """Parameters that share a rate: all networks, unless some have one of their own.

    The networks alone decay.
    """
    by_rate: dict[float, list[Tensor]] = {}
    for layers, rate in _networks(model, rates):
        by_rate.setdefault(rate, []).extend(layers.parameters())
    groups = [Group(parameters, rate, rates.weight_decay) for rate, parameters in by_rate.items()]
    if isinstance(model, NeuS):
        groups.append(Group([model.variance], rates.inv_s))
    if affine_colours is not None:
        groups.append(Group(list(affine_colours.parameters()), rates.affine_colours))
    return groups


def _networks(model: Model, rates: LearningRateConfig) -> list[tuple[Layers, float]]:
    """Networks and their peak rates: of distances and densities first, then of colours."""
    outside, found = model.outside, []
    roles = [
        ((SdfField, DensityField), rates.sdf, rates.outside_density),
        ((RadianceField, VolumeRadiance), rates.radiance, rates.outside_radiance),
    ]
    for kinds, within, beyond in roles:
        within = rates.networks if within is None else within
        for part in model.modules():
            if isinstance(part, kinds):
                is_outside = outside is not None and part in (outside.field, outside.radiance)
                found.append((part.layers, beyond if is_outside and beyond is not None else within))
    return found
