"""The occupancy grid: which cells of [-1, 1]^3 may hold the surface."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.types import EMPTY, INSIDE, SURFACE

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

_BATCH = 1 << 16


class OccupancyGrid:
    """Cell states from the signed distance at cell centres.

    A cell may hold the surface while |sdf| is at most half its diagonal, however it lies in the
    cell, plus the band ``margin / inv_s`` in which opacity is noticeable. Beyond the band a cell is
    EMPTY outside and INSIDE, where rays end, within the solid. Cells wholly outside the unit sphere
    stay EMPTY.
    """

    def __init__(self, resolution: int, margin: float, device: torch.device) -> None:
        self.margin = margin
        self.half_diagonal = math.sqrt(3) / resolution
        axis = (torch.arange(resolution, dtype=torch.float32) + 0.5) / resolution * 2 - 1
        centres = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
        inside_sphere = centres.norm(dim=-1) < 1 + self.half_diagonal
        self.cells: Int[Tensor, "c"] = inside_sphere.flatten().nonzero()[:, 0].to(device)
        self._axis = axis.to(device)
        self.state: UInt8[Tensor, "g g g"] = torch.full(
            (resolution,) * 3, EMPTY, dtype=torch.uint8, device=device
        )
        self.state.view(-1)[self.cells] = SURFACE

    def update(
        self,
        distance: Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n"]],
        inv_s: float,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """Recompute every ``count``-th cell, starting with the ``index``-th: part = (index, count).

        Strided parts spread over the whole sphere, so that every part tells something of all of it.
        """
        index, count = part
        band = self.half_diagonal + self.margin / inv_s
        flat = self.state.view(-1)
        for cells in self.cells[index::count].split(_BATCH):
            sdf = distance(self._centres(cells))
            state = torch.where(sdf < 0, INSIDE, EMPTY)
            state[sdf.abs() <= band] = SURFACE
            flat[cells] = state.to(torch.uint8)

    @property
    def surface_fraction(self) -> float:
        """Share of the cells in the sphere that are sampled."""
        return float((self.state.view(-1)[self.cells] == SURFACE).float().mean())

    def _centres(self, cells: Tensor) -> Tensor:
        resolution = len(self._axis)
        x, rest = cells // resolution**2, cells % resolution**2
        return torch.stack([self._axis[i] for i in (x, rest // resolution, rest % resolution)], 1)
