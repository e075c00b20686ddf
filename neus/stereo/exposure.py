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
from neus.stereo.sources import angles_between

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

MOST_POINTS = 60_000
"""As many tell gains to a fraction of a per cent."""
LEAST_SIGHTINGS = 50
"""Of a photo, below which its gain stays 1."""
USABLE = (8, 247)
"""Bytes between which a channel tells of light: neither noise nor clipped."""
ROUNDS = 20
BESIDE = 4
"""Photos that tell what one between them would be like."""
TOLD = 0.5
"""Share of the gains' variance that may be left if they follow from where photos were taken."""
GLOSS = 0.05
"""Difference of logarithms at which a sighting counts half: highlights are no exposure."""


def at_one_exposure(
    points: StereoPoints,
    cameras: Cameras,
    images: Sequence[UInt8[np.ndarray, "h w 3"]],
    report: Callable[[str], None] = lambda sentence: None,
) -> list[UInt8[np.ndarray, "h w 3"]]:
    """The photos as the mean photo's exposure would have shown them; see :func:`photo_gains`.

    They stay as they are where their brightness follows from where they were taken, and where they
    are too few to tell whether it does.
    """
    if len(images) <= BESIDE:
        return list(images)
    gains = photo_gains(points, cameras, images)
    differ = f"photos differ in brightness by {100 * np.log(gains).std(axis=0).mean():.1f} %"
    if follows_from_place(gains, cameras):
        report(f"{differ}, which follows from where they were taken: that is light, and stays")
        return list(images)
    report(f"{differ}: training sees them at their mean")
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


def follows_from_place(gains: Float[np.ndarray, "n 3"], cameras: Cameras) -> bool:
    """Whether the gains of the photos around tell a photo's gain.

    Exposures of one photo after the other do not. Where light moves with the camera, or the camera
    stands in it (on DTU's scans gains differ by 17 %, and change smoothly), a view that nobody has
    seen is as bright as those beside it, and colours have to learn that.
    """
    logarithms, apart = np.log(gains).mean(axis=1), angles_between(cameras)
    nearest = np.argsort(apart, axis=1, kind="stable")[:, 1 : BESIDE + 1]
    weight = 1 / np.maximum(np.take_along_axis(apart, nearest, axis=1), 1.0) ** 2
    told = (weight * logarithms[nearest]).sum(axis=1) / weight.sum(axis=1)
    return bool(((logarithms - told) ** 2).sum() < TOLD * (logarithms**2).sum())


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
