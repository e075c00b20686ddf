"""The occupancy grid: which cells of [-1, 1]^3 may hold the surface."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.types import EMPTY, INSIDE, SURFACE

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

_BATCH = 1 << 16
_BLOCK = 4
"""Cells along a block's edge."""
_STEEPEST = 1.25
"""Slope that the distance field is trusted to stay under; its mean is held at 1 by training."""
_FLOOD_RESOLUTION = 128
"""Cells per axis, at most, in which hidden cavities are looked for."""


class OccupancyGrid:
    """Cell states from the signed distance at cell centres.

    A cell may hold the surface while |sdf| is at most half its diagonal, however it lies in the
    cell, plus the band ``margin / inv_s`` in which opacity is noticeable. Beyond the band a cell is
    EMPTY outside and INSIDE, where rays end, within the solid. Cells wholly outside the unit sphere
    stay EMPTY.

    Updates go from coarse to fine: a block of cells whose centre lies too far from the surface for
    any of them to be near it needs no look at the cells.
    """

    def __init__(self, resolution: int, margin: float, device: torch.device) -> None:
        self.margin = margin
        self.half_diagonal = math.sqrt(3) / resolution
        self._resolution = resolution
        self._blocks_per_axis = resolution // _BLOCK
        axis = self._centres_of(torch.arange(resolution, device=device), resolution)
        squares = axis**2
        distance = squares[:, None, None] + squares[:, None] + squares
        self.in_sphere: Bool[Tensor, "g g g"] = distance < (1 + self.half_diagonal) ** 2
        blocks = self._by_block(self.in_sphere).any(dim=5).any(dim=3).any(dim=1)
        self._blocks: Int[Tensor, "b"] = blocks.flatten().nonzero()[:, 0]
        self.state: UInt8[Tensor, "g g g"] = torch.where(self.in_sphere, SURFACE, EMPTY).byte()
        self.outside: Bool[Tensor, "g g g"] = torch.ones_like(self.in_sphere)
        self.cavities: Int[Tensor, "h"] = self._blocks[:0]

    def update(
        self,
        distance: Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n"]],
        inv_s: float,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """Recompute every ``count``-th block from the ``index``-th on: part = (index, count).

        Strided parts spread over the whole sphere, so that every part tells something of all of it.
        """
        index, count = part
        band = self.half_diagonal + self.margin / inv_s
        reach = (_BLOCK - 1) * self.half_diagonal
        for blocks in self._blocks[index::count].split(_BATCH):
            place = self._coordinates(blocks, self._blocks_per_axis)
            sdf = distance(self._centres_of(place, self._blocks_per_axis))
            self._set_blocks(place, sdf)
            near = place[sdf.abs() <= band + _STEEPEST * reach]
            for part_near in near.split(_BATCH // _BLOCK**3):
                self._set_cells(self._cells_of(part_near), distance, band)

    def _set_blocks(self, place: Int[Tensor, "b 3"], sdf: Float[Tensor, "b"]) -> None:
        """Give all cells of blocks the state of a place far from the surface."""
        x, y, z = place.unbind(dim=1)
        wide = (slice(None), None, None, None)
        within = self._by_block(self.in_sphere)[x, :, y, :, z, :]
        state = torch.where(sdf < 0, INSIDE, EMPTY).byte()[wide]
        self._by_block(self.state)[x, :, y, :, z, :] = torch.where(within, state, EMPTY).byte()
        self._by_block(self.outside)[x, :, y, :, z, :] = ~within | (sdf > 0)[wide]

    def _set_cells(
        self,
        place: Int[Tensor, "c 3"],
        distance: Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n"]],
        band: float,
    ) -> None:
        sdf = distance(self._centres_of(place, self._resolution))
        state = torch.where(sdf < 0, INSIDE, EMPTY)
        state[sdf.abs() <= band] = SURFACE
        x, y, z = place.unbind(dim=1)
        self.state[x, y, z] = state.byte()
        self.outside[x, y, z] = sdf > 0

    def find_cavities(self) -> None:
        """List the cells outside the solid that no way leads to from outside the sphere.

        No ray sees such cells, so nothing but the eikonal term shapes the field there, and that is
        content with any zigzag of slope one: the solid would fill with bubbles, and tunnels between
        them would join their walls to the surface. Steps lead through the six faces of a cell.
        """
        stride = max(1, self._resolution // _FLOOD_RESOLUTION)
        every = (slice(None, None, stride),) * 3
        resolution = len(self.outside[every])
        hidden = self.outside[every].flatten()
        frontier = (~self.in_sphere[every]).flatten().nonzero()[:, 0]
        hidden[frontier] = False
        steps = torch.tensor([1, -1, resolution, -resolution, resolution**2, -(resolution**2)])
        steps = steps.to(frontier)
        while len(frontier):
            beside = (frontier[:, None] + steps).flatten().clamp(0, resolution**3 - 1)
            frontier = beside[hidden[beside]].unique()
            hidden[frontier] = False
        x, y, z = (self._coordinates(hidden.nonzero()[:, 0], resolution) * stride).unbind(dim=1)
        self.cavities = (x * self._resolution + y) * self._resolution + z

    def points_in_cavities(
        self, count: int, generator: torch.Generator
    ) -> Float[Tensor, "count 3"]:
        """Random points in the cells of :meth:`find_cavities`; none if there are no cavities."""
        cells, device = self.cavities, self.cavities.device
        if not len(cells):
            return torch.empty(0, 3, device=device)
        choice = torch.randint(len(cells), (count,), generator=generator, device=device)
        jitter = torch.rand(count, 3, generator=generator, device=device) * 2 - 1
        place = self._coordinates(cells[choice], self._resolution)
        return self._centres_of(place, self._resolution) + jitter / self._resolution

    def state_dict(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in ("state", "outside", "cavities")}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.state.copy_(state["state"])
        self.outside.copy_(state["outside"])
        self.cavities = state["cavities"].to(self.cavities)

    @property
    def surface_fraction(self) -> float:
        """Share of the cells in the sphere that are sampled."""
        return float((self.state[self.in_sphere] == SURFACE).float().mean())

    def _cells_of(self, place: Int[Tensor, "b 3"]) -> Int[Tensor, "c 3"]:
        """Coordinates of the blocks' cells inside the sphere."""
        steps = torch.arange(_BLOCK, device=place.device)
        cell = torch.stack(torch.meshgrid(steps, steps, steps, indexing="ij"), dim=-1)
        cells = (place[:, None] * _BLOCK + cell.view(1, -1, 3)).view(-1, 3)
        return cells[self.in_sphere[cells.unbind(dim=1)]]

    def _by_block(self, cells: Tensor) -> Tensor:
        """A view of a grid by block and by cell within the block, axis by axis."""
        return cells.view((self._blocks_per_axis, _BLOCK) * 3)

    @staticmethod
    def _coordinates(flat: Int[Tensor, "c"], resolution: int) -> Int[Tensor, "c 3"]:
        x, rest = flat // resolution**2, flat % resolution**2
        return torch.stack([x, rest // resolution, rest % resolution], dim=1)

    @staticmethod
    def _centres_of(place: Tensor, resolution: int) -> Tensor:
        """Coordinates of cells to scene coordinates of their centres."""
        return (place + 0.5) * (2 / resolution) - 1
