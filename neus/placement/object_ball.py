"""A ball around the object, from what the masks or the sparse points show of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.placement.hull import enclosing_ball, silhouette_ball
from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


def ball_from_masks(
    cameras: Cameras,
    masks: Sequence[UInt8[np.ndarray, "h w"]],
    points: Float[np.ndarray, "p 3"],
    start: Float[np.ndarray, "3"] | None,
) -> tuple[Float[np.ndarray, "3"], float]:
    """Ball around the object that the masks show, in the cameras' frame.

    Args:
        points: sparse points, on the object or not; or none.
        start: a point near the object; the cameras are outside of it.

    Raises:
        InputError: the masks are empty, or contradict each other, or there is no start.
    """
    if not any(mask.max() > 127 for mask in masks):
        raise InputError("all masks are black: paint the object white, or set masks to false")
    if start is None:
        raise InputError(
            "the cameras look in parallel directions or away from each other, so they do not show "
            "where the object is: take photos all around it"
        )
    distance = float(np.median(np.linalg.norm(cameras.centres - start, axis=1)))
    ball = silhouette_ball(cameras, masks, points, start, distance)
    if ball is None:
        raise InputError(
            "the masks do not agree on any region of space: check that the object is white in "
            "them, and that each belongs to its image"
        )
    return ball


def ball_from_points(
    cameras: Cameras, points: Float[np.ndarray, "p 3"]
) -> tuple[Float[np.ndarray, "3"], float]:
    """Ball around the sparse points that most cameras see, in the cameras' frame.

    Photos are taken of an object, so what appears in most of them is the object: kept are the
    points inside the images of 80 % of the cameras, or the tenth of the points that most cameras
    see. Of these the 2 % farthest from their median are taken for wrong matches.
    """
    seen = np.zeros(len(points), dtype=np.int64)
    for i in range(len(cameras)):
        seen += cameras.in_image(i, *cameras.project(i, points))
    enough = min(0.8 * len(cameras), np.quantile(seen, 0.9))
    points = points[seen >= enough]
    distances = np.linalg.norm(points - np.median(points, axis=0), axis=1)
    no_rays = np.zeros((0, 3))
    return enclosing_ball(points[distances <= np.quantile(distances, 0.98)], no_rays, no_rays)
