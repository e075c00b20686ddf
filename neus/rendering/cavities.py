"""Space outside the solid that no light crosses: bubbles within it, which nothing else shapes.

Cells are those of a cube of [-1, 1]^3, as :class:`neus.rendering.occupancy.OccupancyGrid` has them,
and are counted by flat indices.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

_BATCH = 1 << 12
"""Rays at a time."""


def reached(
    space: Bool[Tensor, "g g g"],
    passable: Bool[Tensor, "g g g"],
    cells: Int[Tensor, "c"],
) -> Bool[Tensor, "g g g"]:
    """Which cells of ``space`` a flood gets to from beyond ``cells``, those of the sphere.

    Steps lead through the six faces of a cell, and only into what is ``passable``.
    """
    resolution = len(space)
    dry = space.clone().view(-1)
    passable = passable.view(-1)
    frontier = torch.ones_like(dry)
    frontier[cells] = False
    frontier = frontier.nonzero()[:, 0]
    dry[frontier] = False
    steps = torch.tensor([1, -1, resolution, -resolution, resolution**2, -(resolution**2)])
    steps = steps.to(frontier)
    while len(frontier):
        beside = (frontier[:, None] + steps).flatten().clamp(0, resolution**3 - 1)
        frontier = beside[dry[beside] & passable[beside]].unique()
        dry[frontier] = False
    return space & ~dry.view_as(space)


def crossed_by_light(
    opaque: Bool[Tensor, "g g g"],
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
) -> tuple[Bool[Tensor, "g g g"], Bool[Tensor, "g g g"]]:
    """Cells that rays from cameras come through before they meet an opaque one, and those behind.

    A cell that some rays reach and others do not is among both.
    """
    resolution = len(opaque)
    lit, shaded = torch.zeros_like(opaque), torch.zeros_like(opaque)
    steps = torch.arange(0, 2 * resolution, device=opaque.device) / resolution
    for some, ways in zip(origins.split(_BATCH), directions.split(_BATCH), strict=True):
        middle = -(some * ways).sum(1)
        half = (middle**2 + 1 - (some**2).sum(1)).clamp(min=0).sqrt()
        t = (middle - half).clamp(min=0)[:, None] + steps
        places = some[:, None] + t[:, :, None] * ways[:, None]
        x, y, z = ((places * 0.5 + 0.5) * resolution).long().clamp(0, resolution - 1).unbind(2)
        cell = (x * resolution + y) * resolution + z
        inside = t < (middle + half)[:, None]
        clear = opaque.view(-1)[cell].logical_not().cummin(1).values
        lit.view(-1)[cell[inside & clear]] = True
        shaded.view(-1)[cell[inside & ~clear]] = True
    return lit, shaded


def with_neighbours(cells: Bool[Tensor, "g g g"]) -> Bool[Tensor, "g g g"]:
    """The cells and the 26 around each."""
    grown = torch.nn.functional.max_pool3d(cells[None, None].float(), 3, stride=1, padding=1)
    return grown[0, 0] > 0
