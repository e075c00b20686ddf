"""Where nothing is known of the surface, it is asked to be smooth.

On glaze, gloss and bare walls stereo is silent, and colour alone digs craters: what a mirror shows
lies behind it, and moves among the photos as if it were there. So the normals of two places side by
side are asked to be alike (the surface regularisation of UNISURF, Oechsle et al., ICCV 2021), the
less the more stereo knows of that place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.types import Samples
from neus.training.evidence.sightings import SurfacePoints

if TYPE_CHECKING:
    from jaxtyping import Float, Int

ASIDE = 0.01
"""Scene units between the two places."""
CELLS = 96
"""Along a side of the grid that says how much is known where."""
KNOWN = 10.0
"""Sum of the confidences of stereo's points in a cell and its neighbours at which a place counts a
quarter. Where stereo sees well, it is 90 and more, and a hundredth is left: a tenth would show."""


class Ignorance:
    """How little is known of each place in the unit sphere: 1 where stereo is silent, or absent."""

    def __init__(self, evidence: SurfacePoints | None, device: torch.device) -> None:
        sums = np.zeros((CELLS, CELLS, CELLS), np.float32)
        if evidence is not None:
            # By numpy, in the points' order: torch's threads add up in that in which they come.
            cells = tuple(index.cpu().numpy() for index in _cells(evidence.position))
            np.add.at(sums, cells, evidence.confidence.cpu().numpy())
        known = torch.from_numpy(sums).to(device)
        around = 27 * torch.nn.functional.avg_pool3d(known[None, None], 3, stride=1, padding=1)
        self._grid = (KNOWN / (KNOWN + around[0, 0])) ** 2

    def at(self, places: Float[Tensor, "n 3"]) -> Float[Tensor, "n"]:
        """Between 0 and 1 at places of the scene frame."""
        return self._grid[_cells(places)]


def places_aside(
    places: Float[Tensor, "n 3"], samples: Samples, count: int, generator: torch.Generator
) -> tuple[Int[Tensor, "count"], Float[Tensor, "count 3"]]:
    """``count`` random samples of rays among ``places``, and a place :data:`ASIDE` of each.

    Samples lie where a surface may be, so that nothing is asked of empty space.
    """
    chance = torch.rand(count, generator=generator, device=places.device)
    sample = (chance * samples.offsets[-1]).long()
    way = torch.randn(count, 3, generator=generator, device=places.device)
    return sample, places[sample] + ASIDE * torch.nn.functional.normalize(way, dim=1)


def _cells(places: Float[Tensor, "n 3"]) -> tuple[Tensor, ...]:
    return ((places * 0.5 + 0.5) * CELLS).long().clamp(0, CELLS - 1).unbind(dim=1)
