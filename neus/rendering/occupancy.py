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


class OccupancyGrid:
    """Cell states from the signed distance at cell centres, at two resolutions.

    A cell may hold the surface while |sdf| is at most half its diagonal, however it lies in the
    cell, plus the band ``margin / inv_s`` in which opacity is noticeable, or half the section of a
    sample where that is longer. Beyond, a cell is EMPTY outside and INSIDE, where rays end, within
    the solid. Every coarse cell is looked at; its eight fine cells, which ``state`` holds and
    samples are placed by, only where the coarse one may hold the surface. Cells wholly outside the
    unit sphere stay EMPTY.
    """

    def __init__(self, resolution: int, margin: float, device: torch.device) -> None:
        """``resolution``, an even number, is that of the fine cells."""
        self.margin, coarse = margin, resolution // 2
        self.half_diagonal = math.sqrt(3) / coarse
        self._axis, self._fine_axis = (_centres_of_cells(n, device) for n in (coarse, resolution))
        centres = torch.stack(torch.meshgrid(*[self._axis] * 3, indexing="ij"), dim=-1)
        inside_sphere = centres.norm(dim=-1) < 1 + self.half_diagonal
        self.cells: Int[Tensor, "c"] = inside_sphere.flatten().nonzero()[:, 0]
        self.state: UInt8[Tensor, "g g g"] = torch.full(
            (resolution,) * 3, EMPTY, dtype=torch.uint8, device=device
        )
        self.state.view(-1)[self._fine_cells(self.cells)] = SURFACE
        self.outside: Bool[Tensor, "c c c"] = torch.ones_like(inside_sphere)
        self.cavities: Int[Tensor, "h"] = self.cells[:0]

    def update(
        self,
        distance: Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n"]],
        inv_s: float,
        step: float,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """Recompute every ``count``-th cell, starting with the ``index``-th: part = (index, count).

        ``step`` is the length of a sample's section. Strided parts spread over the whole sphere, so
        that every part tells something of all of it.
        """
        index, count = part
        band = max(self.margin / inv_s, step / 2)
        flat = self.state.view(-1)
        for cells in self.cells[index::count].split(_BATCH):
            sdf = distance(_points(cells, self._axis))
            self.outside.view(-1)[cells] = sdf > 0
            flat[self._fine_cells(cells)] = _states(sdf, self.half_diagonal + band)[:, None]
            near = cells[sdf.abs() <= self.half_diagonal + band]
            for fine in self._fine_cells(near).flatten().split(_BATCH):
                sdf = distance(_points(fine, self._fine_axis))
                flat[fine] = _states(sdf, self.half_diagonal / 2 + band)

    def find_cavities(self) -> None:
        """List the cells outside the solid that no way leads to from outside the sphere.

        No ray sees such cells, so nothing but the eikonal term shapes the field there, and that is
        content with any zigzag of slope one: the solid would fill with bubbles, and tunnels between
        them would join their walls to the surface. Steps lead through the six faces of a cell.
        """
        resolution = len(self._axis)
        hidden = self.outside.view(-1).clone()
        frontier = torch.ones_like(hidden)
        frontier[self.cells] = False
        frontier = frontier.nonzero()[:, 0]
        hidden[frontier] = False
        steps = torch.tensor([1, -1, resolution, -resolution, resolution**2, -(resolution**2)])
        steps = steps.to(frontier)
        while len(frontier):
            beside = (frontier[:, None] + steps).flatten().clamp(0, resolution**3 - 1)
            frontier = beside[hidden[beside]].unique()
            hidden[frontier] = False
        self.cavities = hidden.nonzero()[:, 0]

    def points_in_cavities(
        self, count: int, generator: torch.Generator
    ) -> Float[Tensor, "count 3"]:
        """Random points in the cells of :meth:`find_cavities`; none if there are no cavities."""
        cells, device = self.cavities, self.cavities.device
        if not len(cells):
            return torch.empty(0, 3, device=device)
        choice = torch.randint(len(cells), (count,), generator=generator, device=device)
        jitter = torch.rand(count, 3, generator=generator, device=device) * 2 - 1
        return _points(cells[choice], self._axis) + jitter / len(self._axis)

    def state_dict(self) -> dict[str, Tensor]:
        return {name: getattr(self, name) for name in ("state", "outside", "cavities")}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.state.copy_(state["state"])
        self.outside.copy_(state["outside"])
        self.cavities = state["cavities"].to(self.cavities)

    @property
    def surface_fraction(self) -> float:
        """Share of the cells in the sphere that are sampled."""
        flat = self.state.view(-1)[self._fine_cells(self.cells).flatten()]
        return float((flat == SURFACE).float().mean())

    def _fine_cells(self, cells: Int[Tensor, "n"]) -> Int[Tensor, "n 8"]:
        """Flat indices of the fine cells of coarse ones."""
        fine, corner = len(self._fine_axis), torch.arange(8, device=cells.device)
        i, j, k = _split(cells, len(self._axis))
        i, j, k = 2 * i[:, None] + corner // 4, 2 * j[:, None] + corner // 2 % 2, 2 * k[:, None]
        return (i * fine + j) * fine + k + corner % 2


def _centres_of_cells(resolution: int, device: torch.device) -> Float[Tensor, "g"]:
    axis = (torch.arange(resolution, dtype=torch.float32) + 0.5) / resolution * 2 - 1
    return axis.to(device)


def _split(cells: Int[Tensor, "n"], resolution: int) -> tuple[Tensor, Tensor, Tensor]:
    """Flat indices -> indices along the three axes."""
    return cells // resolution**2, cells // resolution % resolution, cells % resolution


def _points(cells: Int[Tensor, "n"], axis: Float[Tensor, "g"]) -> Float[Tensor, "n 3"]:
    """Centres of cells of the grid with centres ``axis`` along each side."""
    return torch.stack([axis[i] for i in _split(cells, len(axis))], dim=1)


def _states(sdf: Float[Tensor, "n"], band: float) -> UInt8[Tensor, "n"]:
    """SURFACE within the band, else EMPTY or INSIDE."""
    state = torch.where(sdf < 0, INSIDE, EMPTY)
    state[sdf.abs() <= band] = SURFACE
    return state.to(torch.uint8)
