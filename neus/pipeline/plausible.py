"""Whether cameras and sphere can be right, before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError, refusal
from neus.placement import Ball, SphereChoice, check_cameras
from neus.scene import Cameras, focus_point, looks_away
from neus.sources import Capture

if TYPE_CHECKING:
    from jaxtyping import Float

MOST_CAMERAS = 60
"""That are looked at for an overlap, evenly chosen."""
MOST_POINTS = 2000
"""Of a cloud that are looked for in the images."""
DEPTHS = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Of samples in view, over the distance at which the cameras look."""
LEAST_PIXELS = 4.0
"""Diameter of the sphere in the image that shows it largest: below, the scale is wrong."""
DEEP_INSIDE = 0.05
"""Of its radius: all cameras this near to its centre say that the sphere is far too large."""


def check_plausible(
    capture: Capture, sphere: SphereChoice, place: object, *, names_axes: bool = True
) -> None:
    """Refuse cameras that do not go together, and a sphere that they do not show.

    Args:
        sphere: the choice of the scan; of a sphere that depends on masks or points nothing is
            known yet.
        place: the file or folder that is named.
        names_axes: whether the axes of the source are its writer's choice, as in transforms.json,
            so that cameras that look away from each other are explained by another one.

    Raises:
        InputError: the cameras stand in one place; none sees what another sees; their axes are
            those of another convention; the sphere is seen by none, too small or too large.
    """
    cameras = capture.scene.cameras
    check_cameras(cameras)
    ball = _ball(capture, sphere)
    points = capture.scene.points
    if names_axes and ball is None and _axes_are_others(cameras, points):
        raise other_axes(place)
    if ball is not None:
        _check_ball(cameras, ball, place, names_axes)
    elif not _any_overlap(cameras):
        raise refusal(
            place,
            "no two cameras that see the same thing",
            "cameras that look at one object",
            "check the poses, their axes and their unit",
        )


def _axes_are_others(cameras: Cameras, points: Float[np.ndarray, "p 3"]) -> bool:
    """Whether hardly a camera sees a point, and most would with other axes, or, where there are no
    points, whether all look away from each other."""
    if not len(points):
        return looks_away(cameras.camera_to_world)
    few = points[:: len(points) // MOST_POINTS + 1]
    chosen = range(0, len(cameras), len(cameras) // MOST_CAMERAS + 1)
    turned = _turned(cameras)
    seeing = sum(_sees(cameras, i, few) for i in chosen)
    would_see = sum(_sees(turned, i, few) for i in chosen)
    return seeing < 0.1 * len(chosen) and would_see > 0.5 * len(chosen)


def _turned(cameras: Cameras) -> Cameras:
    """With OpenGL's axes in the place of OpenCV's, or the other way."""
    flipped = cameras.camera_to_world * [1.0, -1, -1, 1]
    return Cameras(cameras.intrinsics, flipped, cameras.widths, cameras.heights)


def other_axes(place: object) -> InputError:
    """Of cameras that look away from each other, and would not with other axes."""
    return refusal(
        place,
        "cameras that look away from each other, as with OpenCV's axes (y down, z forward)",
        "OpenGL's axes (y up, z backward)",
        "multiply each pose from the right by diag(1, -1, -1, 1), or add "
        '"from_na": true to the file, which says that they are OpenCV\'s',
    )


def _ball(capture: Capture, sphere: SphereChoice) -> Ball | None:
    """The sphere, where it is stated."""
    if isinstance(sphere, Ball):
        return sphere
    if sphere == "auto" and capture.sphere is not None:
        return Ball(capture.sphere.translation, capture.sphere.scale)
    return None


def _check_ball(cameras: Cameras, ball: Ball, place: object, names_axes: bool) -> None:
    distances = np.linalg.norm(cameras.centres - ball.centre, axis=1)
    where = f"radius {ball.radius:.4g} about ({', '.join(f'{x:.4g}' for x in ball.centre)})"
    if (distances < DEEP_INSIDE * ball.radius).all():
        raise refusal(
            f"{place}, sphere",
            f"{where}, in the middle of which all cameras stand",
            "a sphere around the object, in the unit of the cameras",
            "correct its radius, or the scale of the cameras",
        )
    focal = cameras.intrinsics[:, 0, 0]
    pixels = float((2 * ball.radius * focal / np.maximum(distances, 1e-12)).max())
    if pixels < LEAST_PIXELS:
        raise refusal(
            f"{place}, sphere",
            f"{where}, {pixels:.2g} pixels wide in the image that shows it largest",
            "a sphere around the object, in the unit of the cameras",
            "correct its radius, or the scale of the cameras",
        )
    inside = _points_in_ball(ball)
    if any(_sees(cameras, i, inside) for i in range(len(cameras))):
        return
    turned = _turned(cameras)
    if names_axes and sum(_sees(turned, i, inside) for i in range(len(cameras))) > len(cameras) / 2:
        raise other_axes(place)
    raise refusal(
        f"{place}, sphere",
        f"{where}, which no camera sees",
        "a sphere around the object, in the frame of the cameras",
        "correct its centre, or set sphere to auto",
    )


def _points_in_ball(ball: Ball) -> Float[np.ndarray, "p 3"]:
    directions = np.random.default_rng(0).normal(size=(200, 3))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return ball.centre + np.concatenate([np.zeros((1, 3)), 0.9 * ball.radius * directions])


def _sees(cameras: Cameras, index: int, points: Float[np.ndarray, "p 3"]) -> bool:
    return bool(cameras.in_image(index, *cameras.project(index, points)).any())


def _any_overlap(cameras: Cameras) -> bool:
    """Whether any camera sees a place that lies in view of another."""
    chosen = np.unique(np.linspace(0, len(cameras) - 1, min(len(cameras), MOST_CAMERAS)).round())
    few = cameras[chosen.astype(int)]
    samples = _samples(few)
    for i in range(len(few)):
        others = np.concatenate([samples[:i], samples[i + 1 :]])
        if _sees(few, i, others.reshape(-1, 3)):
            return True
    return False


def _samples(cameras: Cameras) -> Float[np.ndarray, "n p 3"]:
    """Places in the middle of each view, from near to far."""
    centres = cameras.centres
    focus = focus_point(cameras.camera_to_world)
    extent = float(np.linalg.norm(centres - centres.mean(axis=0), axis=1).max())
    look = extent if focus is None else float(np.linalg.norm(centres - focus, axis=1).mean())
    samples = []
    for i in range(len(cameras)):
        size = np.array([cameras.widths[i], cameras.heights[i]])
        pixels = size * np.array([[0.5, 0.5], [0.2, 0.2], [0.8, 0.2], [0.2, 0.8], [0.8, 0.8]])
        origins, directions = cameras.rays(i, pixels)
        samples.append(np.concatenate([origins + depth * look * directions for depth in DEPTHS]))
    return np.stack(samples)
