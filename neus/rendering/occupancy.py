"""The occupancy grid: which cells of [-1, 1]^3 may hold the surface."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.types import EMPTY, INSIDE, SURFACE
from neus.rendering.cavities import crossed_by_light, reached, with_neighbours

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

BLOCK = 4
"""Cells: what cameras have in their pictures needs no finer look."""
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
        self.outside: Bool[Tensor, "g g g"] = torch.ones_like(self.state, dtype=torch.bool)
        # Always in the same place, which a CUDA graph reads; there is room for every cell.
        self._hidden = torch.empty_like(self.cells)
        self._seen: UInt8[Tensor, "g g g"] = torch.ones_like(self.state)
        self._open: Bool[Tensor, "g g g"] = torch.zeros_like(self.outside)
        self._watched: Bool[Tensor, "g g g"] = torch.ones_like(self.outside)
        self.hidden_cells = 0

    @property
    def cavities(self) -> Int[Tensor, "h"]:
        """The ``hidden_cells`` cells that :meth:`find_cavities` found, as flat indices."""
        return self._hidden[: self.hidden_cells]

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
            self.outside.view(-1)[cells] = sdf > 0

    def find_cavities(self) -> None:
        """List the cells outside the solid that no way leads to from outside the sphere.

        No ray sees such cells, so nothing but the eikonal term shapes the field there, and that is
        content with any zigzag of slope one: the solid would fill with bubbles, and tunnels between
        them would join their walls to the surface. Steps lead through the six faces of a cell, and
        beside the surface only through cells in which :meth:`see` was told of light since the last
        search, so that no tunnel leads to a bubble; without it, through all.
        """
        open_cells = (self.state != SURFACE) | (self._seen > 0)
        hidden = self.outside & ~reached(self.outside, open_cells, self.cells)
        self._note_cavities(hidden.view(-1).nonzero()[:, 0])

    def find_unlit(self, origins: Float[Tensor, "r 3"], directions: Float[Tensor, "r 3"]) -> None:
        """List the cells outside the solid that light is kept from, as cavities.

        Light comes along rays from cameras as far as :meth:`see` was told since the last search,
        and where :meth:`keep_open` says. What lies a cell farther is left alone. So are places that
        no camera looks towards, or too few do by :meth:`leave_unwatched`, and those from which a
        way through the dark leads out of the sphere, below an object for instance: nobody knows of
        them.
        """
        opaque = (self.state == INSIDE) | ((self.state == SURFACE) & (self._seen == 0))
        lit, shaded = crossed_by_light(opaque, origins, directions)
        dark = self.outside & self._watched & with_neighbours(shaded)
        dark &= ~with_neighbours(lit | self._open)
        below = reached(dark, self.state != SURFACE, self.cells)
        hidden = dark & ~with_neighbours(below)
        self._note_cavities(hidden.view(-1).nonzero()[:, 0])

    def keep_open(self, places: Iterable[Float[Tensor, "n 3"]]) -> None:
        """Light is known to cross the cells of these places, see :meth:`find_unlit`."""
        for some in places:
            self._open.view(-1)[self._cells_of(some)] = True

    def leave_unwatched(self, watched: Callable[[Float[Tensor, "n 3"]], Bool[Tensor, "n"]]) -> None:
        """Blocks of ``BLOCK`` cells a side count as dark only where their centres are watched."""
        blocks = max(1, len(self._axis) // BLOCK)
        axis = (torch.arange(blocks, device=self._axis.device) + 0.5) / blocks * 2 - 1
        centres = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
        found = watched(centres.view(-1, 3)).view(1, 1, blocks, blocks, blocks)
        size = tuple(self.state.shape)
        self._watched = torch.nn.functional.interpolate(found.float(), size=size)[0, 0] > 0

    def forget_what_was_seen(self) -> None:
        """Begin to note anew, see :meth:`see`."""
        self._seen.zero_()

    def see(self, points: Float[Tensor, "n 3"], lit: Bool[Tensor, "n"]) -> None:
        """Note the cells of the points that some light reaches."""
        # The first cell is a corner, which no point lies in.
        self._seen.view(-1).index_fill_(0, self._cells_of(points) * lit, 1)

    def points_in_cavities(
        self, count: int, hidden_cells: int | Float[Tensor, ""], generator: torch.Generator
    ) -> Float[Tensor, "count 3"]:
        """Random points in :attr:`cavities`.

        Args:
            hidden_cells: how many of them there are, 1 or more; a number, or float32 on the
                device, which a CUDA graph reads anew each time.
        """
        device = self._hidden.device
        if isinstance(hidden_cells, Tensor):
            # randint takes no bound from the device. The greatest number below 1 times the bound
            # rounds to below the bound, as long as that has no more digits than float32.
            place = torch.rand(count, generator=generator, device=device) * hidden_cells
            cells = self._hidden[place.long()]
        else:
            choice = torch.randint(hidden_cells, (count,), generator=generator, device=device)
            cells = self._hidden[choice]
        jitter = torch.rand(count, 3, generator=generator, device=device) * 2 - 1
        return self._centres(cells) + jitter / len(self._axis)

    def state_dict(self) -> dict[str, Tensor]:
        return {
            "state": self.state,
            "outside": self.outside,
            "seen": self._seen,
            "cavities": self.cavities.clone(),  # without the room for more
        }

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        self.state.copy_(state["state"])
        self.outside.copy_(state["outside"])
        self._seen.copy_(state["seen"])
        self._note_cavities(state["cavities"])

    @property
    def surface_fraction(self) -> float:
        """Share of the cells in the sphere that are sampled."""
        return float((self.state.view(-1)[self.cells] == SURFACE).float().mean())

    def _note_cavities(self, cells: Tensor) -> None:
        self.hidden_cells = len(cells)
        self._hidden[: len(cells)] = cells.to(self._hidden)

    def _cells_of(self, points: Float[Tensor, "n 3"]) -> Int[Tensor, "n"]:
        resolution = len(self._axis)
        x, y, z = ((points * 0.5 + 0.5) * resolution).long().clamp(0, resolution - 1).unbind(1)
        return (x * resolution + y) * resolution + z

    def _centres(self, cells: Tensor) -> Tensor:
        resolution = len(self._axis)
        x, rest = cells // resolution**2, cells % resolution**2
        return torch.stack([self._axis[i] for i in (x, rest // resolution, rest % resolution)], 1)
