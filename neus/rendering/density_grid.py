"""The occupancy grid of a density field."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from neus.ops.types import EMPTY, SURFACE

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

_BATCH = 1 << 16
DECAY = 0.7
"""Of a cell's remembered density from one look at it to the next."""


class DensityGrid(nn.Module):
    """Cells of [-1, 1]^3 that are worth a sample (Mueller et al. 2022, appendix C).

    A cell remembers the greatest density that was met at random points in it, and forgets it
    slowly, so that matter thinner than a cell is not lost. It is sampled while a step through it
    has ``least_depth`` of optical depth, or more than the mean of all cells, where that is less:
    a field that is thin everywhere has to be sampled to become dense somewhere. ``density`` and
    ``state`` belong to the model's state: no weights tell what was seen before.
    """

    cells: Int[Tensor, "c"]
    density: Float[Tensor, "g g g"]
    state: UInt8[Tensor, "g g g"]

    def __init__(
        self, resolution: int, least_depth: float, within: Callable[[Tensor], Bool[Tensor, "c"]]
    ) -> None:
        """``within`` says which cells, by the distance of their centres from the origin and half
        the diagonal of a cell, are used at all; the others stay EMPTY."""
        super().__init__()
        self.resolution, self.least_depth = resolution, least_depth
        axis = (torch.arange(resolution, dtype=torch.float32) + 0.5) / resolution * 2 - 1
        centres = torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)
        used = within(centres.norm(dim=-1)).flatten()
        self.register_buffer("cells", used.nonzero()[:, 0], persistent=False)
        self.register_buffer("density", torch.zeros(centres.shape[:3]))
        state = torch.where(used, SURFACE, EMPTY).to(torch.uint8)
        self.register_buffer("state", state.view(centres.shape[:3]))

    @classmethod
    def of_ball(cls, resolution: int, least_depth: float) -> DensityGrid:
        """Of the unit ball of the scene."""
        reach = math.sqrt(3) / resolution
        return cls(resolution, least_depth, lambda radius: radius < 1 + reach)

    @classmethod
    def of_shell(cls, resolution: int, least_depth: float) -> DensityGrid:
        """Of the shell that contraction makes of all that lies outside the unit ball."""
        reach = math.sqrt(3) / resolution
        return cls(resolution, least_depth, lambda radius: (radius - 0.75).abs() < 0.25 + reach)

    @torch.no_grad()
    def update(
        self,
        density: Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n"]],
        step: float | Tensor | Callable[[Float[Tensor, "n 3"]], Float[Tensor, "n"]],
        generator: torch.Generator,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        """Look again at every ``count``-th cell, starting with the ``index``-th.

        Args:
            density: per unit of length, at points of the grid's space.
            step: distance between samples there, or what gives it at points.
            generator: of the points in the cells.
            part: index and count.
        """
        index, count = part
        mine, remembered, depths = self.cells[index::count], self.density.view(-1), []
        for cells in mine.split(_BATCH):
            points = self._points(cells, generator)
            met = torch.maximum(DECAY * remembered[cells], density(points))
            remembered[cells] = met
            depths.append(met * (step(points) if callable(step) else step))
        depth = torch.cat(depths) if depths else remembered[:0]
        threshold = depth.mean().clamp(max=self.least_depth)
        state = torch.where(depth >= threshold, SURFACE, EMPTY)
        self.state.view(-1)[mine] = state.to(torch.uint8)

    @property
    def occupied_fraction(self) -> float:
        """Share of the used cells that are sampled."""
        return float((self.state.view(-1)[self.cells] != EMPTY).float().mean())

    def _points(self, cells: Tensor, generator: torch.Generator) -> Float[Tensor, "n 3"]:
        """A random point in each cell."""
        n = self.resolution
        corner = torch.stack([cells // n**2, cells // n % n, cells % n], dim=1)
        shift = torch.rand(len(cells), 3, generator=generator, device=cells.device)
        return (corner + shift) / n * 2 - 1
