"""From a source's frame to the unit sphere: where the object is, how large, and which way is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from neus.cameras import Cameras
from neus.errors import InputError
from neus.focus import focus_point, whole_radius
from neus.hull import MIN_POINTS, enclosing_ball, silhouette_ball
from neus.paths import up_direction
from neus.scene import Scene, load_masks
from neus.similarity import Similarity
from neus.sources.capture import Capture

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

MARGIN = 1.1
"""Radius of the unit sphere over that of the ball around the object."""


def normalize(capture: Capture, *, upright: bool) -> Scene:
    """Move a capture so that its object lies inside the unit sphere at the origin.

    The sphere is the one that the source states; else that around what the masks show; else that
    around the sparse points that most cameras see; else the largest that the images
    show whole about the point at which the cameras look. All of it is one similarity, kept in
    ``to_source``. Sparse points outside the sphere are dropped.

    Args:
        upright: turn the cameras' common up direction to +z (photos, whose frame has no meaning)
            instead of keeping the axes of the source.

    Raises:
        InputError: fewer than three cameras, cameras at one place, or nothing that tells where
            the object is.
    """
    scene = capture.scene
    _check_cameras(scene.cameras)
    to_source = capture.sphere or _sphere_similarity(*_object_ball(scene))
    if upright:
        turn = rotation_between(np.array([0.0, 0, 1]), up_direction(scene.cameras.camera_to_world))
        to_source = to_source @ Similarity(1.0, to_source.rotation.T @ turn, np.zeros(3))
    to_scene = to_source.inverse()
    points = to_scene.apply(scene.points)
    inside = (points**2).sum(axis=1) < 1
    return replace(
        scene,
        cameras=scene.cameras.transformed(to_scene),
        to_source=to_source,
        points=points[inside],
        points_rgb=scene.points_rgb[inside],
    )


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


def rotation_between(
    origin: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 3"]:
    """The smallest rotation that takes one unit vector to another (Rodrigues' formula)."""
    axis, cosine = np.cross(origin, target), float(origin @ target)
    if cosine < -1 + 1e-9:  # opposite: half a turn about any axis at right angles
        axis = np.cross(origin, np.eye(3)[np.abs(origin).argmin()])
        axis /= np.linalg.norm(axis)
        return 2 * np.outer(axis, axis) - np.eye(3)
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + cross + cross @ cross / (1 + cosine)


def _check_cameras(cameras: Cameras) -> None:
    if len(cameras) < 3:
        raise InputError(f"the scan has {len(cameras)} images with poses: three or more are needed")
    extent = np.linalg.norm(np.ptp(cameras.centres, axis=0))
    if extent <= 1e-6 * np.abs(cameras.centres).max():
        raise InputError(
            "all images were taken from one place, so nothing can be measured: "
            "walk around the object"
        )


def _object_ball(scene: Scene) -> tuple[Float[np.ndarray, "3"], float]:
    cameras, points = scene.cameras, scene.points
    focus = focus_point(cameras)
    if focus is None and len(points) >= MIN_POINTS:
        focus = np.median(points, axis=0)
    if scene.has_masks:
        return ball_from_masks(cameras, load_masks(scene), points, focus)
    if len(points) >= MIN_POINTS:
        return ball_from_points(cameras, points)
    if focus is None or (radius := whole_radius(cameras, focus)) <= 0:
        raise InputError(
            "the cameras look in parallel directions or away from each other, and there are "
            "neither masks nor sparse points, so nothing shows where the object is: add masks"
        )
    return focus, radius / MARGIN


def _sphere_similarity(centre: Float[np.ndarray, "3"], radius: float) -> Similarity:
    return Similarity(MARGIN * radius, np.eye(3), centre)
