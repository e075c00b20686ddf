"""What the schedules, and what went before, ask of a step."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from neus.models import Stage

RATIO_DIGITS = 5
"""Binary digits that the growth of sections outside the sphere has on CUDA: 3 to 6 % apart."""
NUMBERS = ("step_length", "cos_anneal", "direction_bands", "max_inv_s", "outside_bands")
"""Of a stage, those that change no shape."""


@dataclass(frozen=True)
class StepSettings:
    """All that the device's part of a step is told.

    Attributes:
        rays: to draw.
        stage: of the model.
        rate_factor: by which the peak learning rates are multiplied.
        loss_weights: by the names of the terms.
        hidden_cells: of the occupancy grid that lie in cavities; the number 0 if there are none.
        sightings: how many points that stereo knows are drawn.
        patches: of how many rays the surface points are compared with other photos.
        patch_reach: half of a patch's side, in scene units.
    """

    rays: int
    stage: Stage
    rate_factor: float | Tensor
    loss_weights: Mapping[str, float | Tensor]
    hidden_cells: int | Tensor
    sightings: int = 0
    patches: int = 0
    patch_reach: float | Tensor = 0.0

    @property
    def shape(self) -> tuple[float, ...]:
        """What decides which kernels a step launches, and on how many items.

        Of steps of one shape the others differ in numbers alone, which a kernel can read. How fast
        sections outside the sphere grow decides how many there are.
        """
        stage = self.stage
        return (
            self.rays,
            stage.active_levels,
            stage.bounded,
            stage.outside_levels,
            stage.outside_ratio,
            bool(self.hidden_cells),
            self.sightings,
            self.patches,
        )


def lasting(stage: Stage, last_ratio: float) -> Stage:
    """The stage with one of few growths of sections, so that a shape of steps lasts.

    The growth shrinks from step to step; the next larger one with few digits makes the sections a
    little longer, and none more than there is room for. The last is as asked.
    """
    ratio = stage.outside_ratio
    if ratio <= last_ratio * (1 + 1e-9):  # what shrinks to it geometrically is off by a rounding
        return stage
    mantissa, exponent = math.frexp(ratio)
    few = math.ldexp(math.ceil(math.ldexp(mantissa, RATIO_DIGITS)), exponent - RATIO_DIGITS)
    return replace(stage, outside_ratio=few)


class HeldSettings:
    """Settings whose numbers lie in fixed places on a device, as 0-dim float32 tensors."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._places: dict[str, tuple[Tensor, float]] = {}

    def hold(self, settings: StepSettings) -> StepSettings:
        """The same settings, held; those that were held before say the same from now on."""
        stage, hidden = settings.stage, settings.hidden_cells
        numbers = {name: getattr(stage, name) for name in NUMBERS}
        held = {
            name: self._held(name, number)
            for name, number in numbers.items()
            if name != "max_inv_s" or stage.bounded
        }
        weights = {
            name: self._held(f"weight of {name}", weight)
            for name, weight in settings.loss_weights.items()
        }
        return StepSettings(
            settings.rays,
            replace(stage, **held),
            self._held("rate_factor", settings.rate_factor),
            weights,
            self._held("hidden_cells", hidden) if hidden else 0,
            settings.sightings,
            settings.patches,
            self._held("patch_reach", settings.patch_reach) if settings.patches else 0.0,
        )

    def _held(self, name: str, number: float | Tensor) -> Tensor:
        """Filled in by a kernel, which the host need not wait for, and only where it changes."""
        number = float(number)
        if name not in self._places:
            place = torch.full((), number, dtype=torch.float32, device=self._device)
        else:
            place, before = self._places[name]
            if number != before:
                place.fill_(number)
        self._places[name] = place, number
        return place
