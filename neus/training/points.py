"""The points of a step at which a field is asked."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.types import Samples
from neus.rendering import DensityGrid, OccupancyGrid
from neus.training.evidence import Sightings, places_aside
from neus.training.rays import RayBatch

if TYPE_CHECKING:
    from jaxtyping import Float, Int

CAVITY_SHARE = 0.25
"""Part of the uniform points that go to hidden cavities, where there are any."""


@dataclass(frozen=True)
class FieldPoints:
    """The samples' places and, for a signed distance, further points behind them.

    Attributes:
        places: all of them.
        spread: which of them are spread evenly over the unit ball.
        hidden: which lie in cavities that no ray sees.
        depth: how deep within the solid those shall lie.
        on: which are known to be on the surface.
        before: which are known to be in free space.
        aside: which lie beside some of the samples.
        beside: the samples that these lie beside.
    """

    places: Float[Tensor, "n 3"]
    spread: slice
    hidden: slice
    depth: float
    on: slice
    before: slice
    aside: slice
    beside: Int[Tensor, "a"] | None


def field_points(
    batch: RayBatch,
    samples: Samples,
    occupancy: OccupancyGrid | DensityGrid,
    further: int,
    hidden_cells: int | Float[Tensor, ""],
    generator: torch.Generator,
    sightings: Sightings | None = None,
    smooth_places: int = 0,
) -> FieldPoints:
    """The places of samples and ``further`` points; these also fill the padding of the samples.

    A part of these lies in the ``hidden_cells`` cells of cavities, unless that is the number 0.
    What is known of the surface comes on top of them, and ``smooth_places`` beside samples.
    """
    ray = samples.ray_index
    marched = torch.addcmul(batch.origins[ray], samples.t[:, None], batch.directions[ray])
    if not isinstance(occupancy, OccupancyGrid):
        none = slice(0)
        return FieldPoints(marched, none, none, 0.0, none, none, none, None)
    if isinstance(hidden_cells, int) and hidden_cells == 0:
        hidden = marched[:0]
    else:
        share = int(CAVITY_SHARE * further)
        hidden = occupancy.points_in_cavities(share, hidden_cells, generator)
    uniform = _uniform_in_ball(further - len(hidden), generator, marched.device)
    place = torch.arange(len(marched), device=marched.device)
    filler = uniform[place % len(uniform)]
    filled = torch.where((place < samples.offsets[-1])[:, None], marched, filler)
    nothing = marched[:0]
    on, before = (nothing, nothing) if sightings is None else (sightings.on, sightings.before)
    beside, aside = None, nothing
    if smooth_places:
        beside, aside = places_aside(filled, samples, smooth_places, generator)
    parts = [filled, uniform, hidden, on, before, aside]
    ends = [*accumulate(len(part) for part in parts)]
    spread, cavities, known, free, neighbours = map(slice, ends[:-1], ends[1:])
    return FieldPoints(
        torch.cat(parts),
        spread=spread,
        hidden=cavities,
        depth=occupancy.half_diagonal,
        on=known,
        before=free,
        aside=neighbours,
        beside=beside,
    )


def _uniform_in_ball(points: int, generator: torch.Generator, device: torch.device) -> Tensor:
    direction = torch.randn(points, 3, generator=generator, device=device)
    radius = torch.rand(points, 1, generator=generator, device=device) ** (1 / 3)
    return torch.nn.functional.normalize(direction, dim=1) * radius
