"""How bright each photo is beside the others, by what several of them show of one point.

A camera that chooses its exposure by itself makes one surface brighter in one photo than in the
next; without knowing of it, training takes that for something about the surface. A gain a channel
and photo is what Brown and Lowe (IJCV 2007, section 6) solve for between overlapping pictures; here
the overlaps are points that stereo found, so nothing has to be learnt, and a step is as before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from neus.scene import Cameras
from neus.stereo.points import StereoPoints

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

MOST_POINTS = 60_000
"""As many tell gains to a fraction of a per cent."""
LEAST_SIGHTINGS = 50
"""Of a photo, below which its gain stays 1."""
USABLE = (8, 247)
"""Bytes between which a channel tells of light: neither noise nor clipped."""
ROUNDS = 20
GLOSS = 0.05
"""Difference of logarithms at which a sighting counts half: highlights are no exposure."""


def at_one_exposure(
    points: StereoPoints,
    cameras: Cameras,
    images: Sequence[UInt8[np.ndarray, "h w 3"]],
    report: Callable[[str], None] = lambda sentence: None,
) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The photos as the mean photo's exposure would have shown them; see :func:`photo_gains`."""
    gains = photo_gains(points, cameras, images)
    spread = 100 * float(np.log(gains).std(axis=0).mean())
    report(f"photos differ in brightness by {spread:.1f} %: training sees them at their mean")
    return [equalised(image, gain) for image, gain in zip(images, gains, strict=True)]


def photo_gains(
    points: StereoPoints, cameras: Cameras, images: Sequence[UInt8[np.ndarray, "h w 3"]]
) -> Float[np.ndarray, "n 3"]:
    """By which factor each photo's colours exceed the mean photo's, by channel.

    In turn, each point gets the mean logarithm of its photos less their gains, and each photo the
    mean of what is left at its points; sightings that are far off (a highlight, something in the
    way) weigh little. The geometric mean of all gains is 1.

    Args:
        points: that stereo found; ``views`` are places in ``cameras`` and ``images``.
        cameras: of the training photos, in the scene frame.
        images: display-referred, at the size of their cameras.
    """
    point, view = _sightings(points)
    seen = _colours_at(points.position[point], view, cameras, images)
    usable = ((seen >= USABLE[0]) & (seen <= USABLE[1])).all(axis=1)
    point, view, seen = point[usable], view[usable], seen[usable]
    light = np.log(np.maximum(seen, 1) / 255)
    count, views = len(points), len(images)
    gains, weight = np.zeros((views, 3)), np.ones(len(light))
    for _ in range(ROUNDS):
        without = light - gains[view]
        surface = _means(without, weight, point, count)
        off = np.abs(without - surface[point]).mean(axis=1)
        weight = 1 / (1 + (off / GLOSS) ** 2)
        gains = _means(light - surface[point], weight, view, views)
        known = np.bincount(view, minlength=views) >= LEAST_SIGHTINGS
        if not known.any():
            return np.ones((views, 3))
        gains = np.where(known[:, None], gains - gains[known].mean(axis=0), 0)
    return np.exp(gains)


def equalised(
    image: UInt8[np.ndarray, "h w 3"], gain: Float[np.ndarray, "3"]
) -> UInt8[np.ndarray, "h w 3"]:
    """The photo as the mean exposure would have shown it; what that makes too bright is clipped."""
    table = np.arange(256)[:, None] / gain
    bytes_of = np.rint(np.clip(table, 0, 255)).astype(np.uint8)
    return np.stack([bytes_of[image[..., c], c] for c in range(3)], axis=-1)


def _sightings(points: StereoPoints) -> tuple[Int[np.ndarray, "s"], Int[np.ndarray, "s"]]:
    """Every so many points, once for each photo that saw it: the point and the photo."""
    step = -(-len(points) // MOST_POINTS) or 1
    lists = np.diff(points.first)
    point = np.repeat(np.arange(len(points)), lists)
    chosen = (point % step == 0) & (lists[point] > 1)
    return point[chosen], points.views[chosen]


def _colours_at(
    position: Float[np.ndarray, "s 3"],
    view: Int[np.ndarray, "s"],
    cameras: Cameras,
    images: Sequence[UInt8[np.ndarray, "h w 3"]],
) -> Float[np.ndarray, "s 3"]:
    """What its photo shows at each sighting, 0 where that lies outside."""
    found = np.zeros((len(position), 3))
    for i, image in enumerate(images):
        chosen = np.nonzero(view == i)[0]
        pixels, depths = cameras.project(i, position[chosen].astype(np.float64))
        inside = cameras.in_image(i, pixels, depths)
        column, row = pixels[inside].astype(int).T
        found[chosen[inside]] = image[row, column]
    return found


def _means(
    values: Float[np.ndarray, "s 3"],
    weights: Float[np.ndarray, "s"],
    groups: Int[np.ndarray, "s"],
    count: int,
) -> Float[np.ndarray, "g 3"]:
    """Weighted means by group; 0 of an empty one."""
    total = np.maximum(np.bincount(groups, weights, minlength=count), 1e-12)
    sums = [np.bincount(groups, weights * column, minlength=count) for column in values.T]
    return np.stack(sums, axis=1) / total[:, None]
