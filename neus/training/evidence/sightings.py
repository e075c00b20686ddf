"""What stereo knows of the surface: points on it, its normals, and the free space before them.

Colour alone lets a concavity be painted on a cap over it. A point that several views agree on says
where the surface is, and that nothing stands on the way from the cameras that saw it (Geo-NeuS, Fu
et al., NeurIPS 2022, equation 8, for the points of structure from motion; free space as in range
images, Curless and Levoy, SIGGRAPH 1996). What lies behind is left alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.scene import Cameras
from neus.stereo import StereoPoints, support_of_points

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

GAP = 1.5
"""Footprints before a point in which it may be off, so that nothing is said there."""
SLOPE = 0.5
"""Of the least distance to the surface, along the ray from its point: rays graze surfaces, too."""
MOST = 0.05
"""Scene units up to which free space asks for a distance."""
NEAR = 0.15
"""Scene units before a point in which half of the places in free space lie."""
CROSSED_RAYS = 1 << 17
"""As many rays are enough to tell which cells light crosses."""
WATCHED_BY = 1 / 3
"""Of the cameras: what fewer have in their picture is not known well enough to be called solid."""
_BATCH = 1 << 14


@dataclass(frozen=True)
class Sightings:
    """Points on the surface, each with a place on the way to a camera that saw it.

    Attributes:
        on: the points, in the scene frame.
        normal: of the surface there, unit, outwards.
        before: a place in free space for each.
        least: the signed distance that is the least to be expected there, in scene units.
        confidence: of the point, 0 to 1.
        supported: how far the points around bear out the normal, times the confidence.
    """

    on: Float[Tensor, "s 3"]
    normal: Float[Tensor, "s 3"]
    before: Float[Tensor, "s 3"]
    least: Float[Tensor, "s"]
    confidence: Float[Tensor, "s"]
    supported: Float[Tensor, "s"]


class SurfacePoints:
    """The points of stereo within the unit sphere, and the cameras that saw them, on a device.

    Attributes:
        position: ``[p, 3]`` in the scene frame.
        confidence: ``[p]`` between 0 and 1.
    """

    def __init__(self, points: StereoPoints, cameras: Cameras, device: torch.device) -> None:
        """``cameras``: of the training views, in the order that ``points.views`` counts."""

        def tensor(array: object, dtype: torch.dtype) -> Tensor:
            return torch.as_tensor(array, dtype=dtype).to(device)

        self.position = tensor(points.position, torch.float32)
        self.confidence = tensor(points.confidence, torch.float32)
        self._normal = tensor(points.normal, torch.float32)
        borne_out = support_of_points(points.position, points.normal, points.footprint)
        self._supported = tensor(points.confidence * borne_out, torch.float32)
        self._footprint = tensor(points.footprint, torch.float32)
        self._first = tensor(points.first, torch.int64)
        self._views = tensor(points.views, torch.int64)
        self._centres = tensor(cameras.centres, torch.float32)
        self._cameras = cameras

    def __len__(self) -> int:
        return len(self.position)

    def draw(self, count: int, generator: torch.Generator) -> Sightings:
        """Random points, each seen by a random one of its views.

        What few views see counts as much as what many do. There must be a point; no shape depends
        on what is drawn.
        """
        device = self.position.device
        point = torch.randint(len(self), (count,), generator=generator, device=device)
        chance = torch.rand(2, count, generator=generator, device=device)
        on, towards = self.position[point], self._towards(point, chance[0])
        gap = GAP * self._footprint[point]
        far = _way_out_of_the_sphere(on, towards)
        near = torch.arange(count, device=device) % 2 == 0
        reach = torch.where(near, far.clamp(max=NEAR), far)
        way = gap + chance[1] * (reach - gap).clamp(min=0)
        return Sightings(
            on,
            self._normal[point],
            on + way[:, None] * towards,
            (SLOPE * (way - gap)).clamp(max=MOST),
            self.confidence[point],
            self._supported[point],
        )

    def places_before(self, spacing: float) -> list[Tensor]:
        """Places ``[n, 3]`` every ``spacing`` along rays to points, as far as they are free.

        Of more than ``CROSSED_RAYS`` points every so many are taken, and one view of each.
        """
        device = self.position.device
        points = torch.arange(0, len(self), -(-len(self) // CROSSED_RAYS) or 1, device=device)
        steps = torch.arange(0, 2, spacing, device=device)
        found = []
        for some in points.split(_BATCH):
            on, towards = (
                self.position[some],
                self._towards(some, torch.zeros(len(some), device=device)),
            )
            way = GAP * self._footprint[some, None] + steps
            inside = way < _way_out_of_the_sphere(on, towards)[:, None]
            places = on[:, None] + way[:, :, None] * towards[:, None]
            found.append(places[inside])
        return found

    def watched(self, places: Float[Tensor, "n 3"]) -> Bool[Tensor, "n"]:
        """Which places in the scene frame at least a third of the cameras have in their picture."""
        cameras, where = self._cameras, places.double().cpu().numpy()
        watching = np.zeros(len(where), np.int64)
        for index in range(len(cameras)):
            watching += cameras.in_image(index, *cameras.project(index, where))
        return torch.from_numpy(watching >= WATCHED_BY * len(cameras)).to(places.device)

    def _towards(self, point: Tensor, chance: Tensor) -> Float[Tensor, "s 3"]:
        """Unit vectors from points to one of the cameras that saw each, by a number in [0, 1)."""
        first, last = self._first[point], self._first[point + 1]
        view = self._views[first + (chance * (last - first)).long()]
        way = self._centres[view] - self.position[point]
        return torch.nn.functional.normalize(way, dim=1)


def _way_out_of_the_sphere(
    inside: Float[Tensor, "s 3"], direction: Float[Tensor, "s 3"]
) -> Float[Tensor, "s"]:
    """Distance from points to the unit sphere along unit directions; 0 from outside of it."""
    middle = (inside * direction).sum(1)
    return ((middle**2 + 1 - (inside**2).sum(1)).clamp(min=0).sqrt() - middle).clamp(min=0)
