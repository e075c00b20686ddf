"""Dense stereo of a scene, from its training views to one cloud."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from neus.scene import Cameras, Scene
from neus.stereo.consistency import Agreement, agreements, neighbours_of
from neus.stereo.depth_maps import DepthMap, depth_map
from neus.stereo.fusion import StereoPoints, fuse
from neus.stereo.maps import Relief, maps_on, relief
from neus.stereo.pictures import Pictures
from neus.stereo.settings import StereoSettings
from neus.stereo.side_by_side import in_order
from neus.stereo.sources import choose_sources

if TYPE_CHECKING:
    from jaxtyping import Float

FEWEST_VIEWS = 3
EXPECTED = {"depth maps": 2.7, "cloud": 0.6}
"""Seconds of the parts for a million pixels, on two cores: what counts is how they compare."""


def expected(scene: Scene, settings: StereoSettings | None = None) -> dict[str, float]:
    """Seconds of the parts of :func:`reconstruct`, roughly."""
    settings = settings or StereoSettings()
    sizes = scene.cameras[list(scene.train)]
    each = np.minimum(sizes.widths * sizes.heights, settings.pixels)
    millions = min(int(each.sum()), settings.all_pixels) / 1e6
    return {part: seconds * millions for part, seconds in EXPECTED.items()}


@dataclass(frozen=True)
class Stereo:
    """What stereo finds in a scene.

    Attributes:
        views: indices of the scene's training frames.
        cameras: theirs, at the size of the maps.
        maps: a depth map each.
        agreement: what the other views say of each map.
        points: the fused cloud.
        seconds: spent on the depth maps, and on comparing and fusing them.
        settings: that it was done with.
        sentence: why there is no point, if there is none.
    """

    views: list[int]
    cameras: Cameras
    maps: list[DepthMap]
    agreement: list[Agreement]
    points: StereoPoints
    seconds: tuple[float, float]
    settings: StereoSettings
    sentence: str | None = None

    @property
    def coverage(self) -> float:
        """Share of the pixels that were looked at whose depth is kept."""
        looked = sum(int(found.active.sum()) for found in self.maps)
        return sum(int(said.kept.sum()) for said in self.agreement) / max(looked, 1)


def reconstruct(
    scene: Scene,
    device: torch.device,
    settings: StereoSettings | None = None,
    *,
    seed: int = 0,
    starts: list[tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w 3"]]] | None = None,
    report: Callable[[str], None] = lambda sentence: None,
    advance: Callable[[str, float], None] = lambda part, share: None,
) -> Stereo:
    """Depth maps of the training views, held against each other and fused.

    Held-out views take part in nothing. Where there are fewer than three training views, or none
    agrees with another, the cloud is empty and a sentence says why.

    Args:
        scene: its cameras are in the scene frame.
        device: where the operator runs.
        settings: by default :class:`StereoSettings` as they are.
        seed: of the random planes.
        starts: a start for each training view, as of :func:`neus.stereo.depth_maps.depth_map`.
        report: is given sentences about the progress.
        advance: is told which part of `EXPECTED` is under way, and which share of it is done.

    Raises:
        InputError: an image or a mask is unreadable or not of its camera's size.
    """
    settings = settings or StereoSettings()
    begin = time.perf_counter()
    shared = settings.all_pixels // max(len(scene.train), 1)
    pictures = Pictures(scene, pixels=min(settings.pixels, shared), levels=settings.levels)
    cameras = pictures.cameras[-1]
    if len(pictures) < FEWEST_VIEWS:
        sources = [[] for _ in pictures.indices]
    else:
        sources = choose_sources(
            cameras,
            near=settings.near_sources,
            wide=settings.wide_sources,
            narrowest=settings.narrowest,
            wide_from=settings.wide,
            widest=settings.widest,
        )

    def searched(view: int) -> DepthMap:
        start = None if starts is None else starts[view]
        return depth_map(pictures, view, sources[view], settings, device, seed, start)

    def compared_as(view: int) -> Relief:
        return relief(maps[view], cameras, view, settings.least_correlation)

    count, maps = len(pictures), []
    advance("depth maps", 0.0)
    for found in in_order(searched, count, device):
        maps.append(found)
        advance("depth maps", len(maps) / count)
    middle = time.perf_counter()
    report(f"{len(maps)} depth maps in {middle - begin:.1f} s")
    advance("cloud", 0.0)
    neighbours = neighbours_of(cameras, settings.neighbours, settings.widest)
    reliefs = list(in_order(compared_as, count, device))
    compared = maps_on(device, reliefs, cameras, neighbours, settings.tolerance)
    agreement = agreements(compared, [found.correlation for found in maps], settings)
    colours = list(in_order(lambda view: pictures.at(view, -1).rgb, count, device))
    points = fuse(compared, agreement, colours, cameras) if maps else StereoPoints.none()
    seconds = (middle - begin, time.perf_counter() - middle)
    result = Stereo(pictures.indices, cameras, maps, agreement, points, seconds, settings)
    report(
        f"{len(points)} points in {seconds[1]:.1f} s: {100 * result.coverage:.0f} % of what the"
        " training views show"
    )
    return result if len(points) else replace(result, sentence=_silence(len(pictures)))


def _silence(views: int) -> str:
    if views < FEWEST_VIEWS:
        return f"stereo needs three training views, and there are {views}: the cloud is empty"
    return (
        "no three training views agree on any depth, for want of texture, overlap or right"
        " cameras: the cloud is empty"
    )
