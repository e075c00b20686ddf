"""From a source's frame to the unit sphere: where the object is, how large, and which way is up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from neus.errors import InputError
from neus.placement.hull import MIN_POINTS
from neus.placement.object_ball import ball_from_masks, ball_from_points
from neus.scene import (
    Cameras,
    Scene,
    Similarity,
    focus_point,
    ground_normal,
    load_mask,
    looks_away,
    up_direction,
    whole_radius,
)
from neus.sources import Capture

if TYPE_CHECKING:
    from jaxtyping import Float

MARGIN = 1.1
"""Radius of the unit sphere over that of the ball around the object."""
MIN_MASKS = 3
"""Fewer silhouettes than this bound no region of space."""
ON_A_LINE = 1e-3
"""Spread of the cameras across the line that fits them best, over that along it."""


@dataclass(frozen=True)
class Ball:
    """A ball in the source frame, in its units."""

    centre: Float[np.ndarray, "3"]
    radius: float


SphereChoice = Literal["auto", "masks", "points", "cameras"] | Ball
UpChoice = Literal["source", "cameras", "ground"] | tuple[float, float, float]


def normalize(
    capture: Capture,
    *,
    sphere: SphereChoice,
    up: UpChoice,
    seed: int = 0,
    report: Callable[[str], None] = lambda line: None,
) -> Scene:
    """Move a capture so that its object lies inside the unit sphere at the origin.

    All of it is one similarity, kept in ``to_source``. Sparse points outside the sphere are
    dropped.

    Args:
        sphere: where the object is. ``masks``: around what the masks show. ``points``: around the
            sparse points that most cameras see. ``cameras``: the largest sphere that the images
            show whole about the point at which the cameras look. A ball becomes the unit sphere as
            it is. ``auto``: the sphere that the source states, else the first of these that there
            is anything for.
        up: what becomes +z. ``source``: keep the axes of the source. ``cameras``: the direction
            that the photos were held in. ``ground``: the normal of the plane that most sparse
            points lie in. Or a direction in the source frame.
        seed: of the search for the ground.
        report: hears where the sphere is from, and what is doubtful about it.

    Raises:
        InputError: fewer than three cameras, cameras at one place, or nothing that tells where
            the object is, or which way is up.
    """
    scene = capture.scene
    check_cameras(scene.cameras)
    to_source, origin = _sphere(capture, sphere)
    report(
        f"the unit sphere, from {origin}, has a radius of {to_source.scale:.4g} {scene.unit} about "
        f"({', '.join(f'{x:.4g}' for x in to_source.translation)})"
    )
    if up != "source":
        vertical = _up(scene, up, np.random.default_rng(seed))
        turn = rotation_between(np.array([0.0, 0, 1]), vertical)
        to_source = to_source @ Similarity(1.0, to_source.rotation.T @ turn, np.zeros(3))
    to_scene = to_source.inverse()
    points = to_scene.apply(scene.points)
    inside = (points**2).sum(axis=1) < 1
    moved = replace(
        scene,
        cameras=scene.cameras.transformed(to_scene),
        to_source=to_source,
        points=points[inside],
        points_rgb=scene.points_rgb[inside],
    )
    for doubt in _doubts(moved):
        report(f"warning: {doubt}")
    return moved


def _sphere(capture: Capture, choice: SphereChoice) -> tuple[Similarity, str]:
    """From the unit sphere to the source frame, and what says so."""
    scene = capture.scene
    if isinstance(choice, Ball):
        return Similarity(choice.radius, np.eye(3), np.asarray(choice.centre)), "the configuration"
    if choice == "auto" and capture.sphere is not None:
        return capture.sphere, "the source"
    if choice == "auto":
        choice = _best_evidence(scene)
    centre, radius = {"masks": _by_masks, "points": _by_points, "cameras": _by_cameras}[choice](
        scene
    )
    return Similarity(MARGIN * radius, np.eye(3), centre), f"the {choice}"


def _best_evidence(scene: Scene) -> Literal["masks", "points", "cameras"]:
    if len(scene.masked) >= MIN_MASKS:
        return "masks"
    return "points" if len(scene.points) >= MIN_POINTS else "cameras"


def _by_masks(scene: Scene) -> tuple[Float[np.ndarray, "3"], float]:
    cameras, points = scene.cameras, scene.points
    if len(scene.masked) < MIN_MASKS:
        raise InputError(
            f"{len(scene.masked)} images have masks, but {MIN_MASKS} or more are needed to find "
            "the object: add masks, or set sphere to points or cameras"
        )
    focus = focus_point(cameras.camera_to_world)
    if focus is None and len(points) >= MIN_POINTS:
        focus = np.median(points, axis=0)
    masks = [load_mask(scene, i) for i in scene.masked]
    return ball_from_masks(cameras[list(scene.masked)], masks, points, focus)


def _by_points(scene: Scene) -> tuple[Float[np.ndarray, "3"], float]:
    if len(scene.points) < MIN_POINTS:
        raise InputError(
            f"the scan has {len(scene.points)} sparse points, too few to find the object: add "
            "masks, or set sphere to cameras or to a centre and a radius"
        )
    return ball_from_points(scene.cameras, scene.points)


def _by_cameras(scene: Scene) -> tuple[Float[np.ndarray, "3"], float]:
    focus = focus_point(scene.cameras.camera_to_world)
    if focus is None and looks_away(scene.cameras.camera_to_world):
        raise InputError(
            "the cameras look away from each other, and would look at one point if the axes of "
            "their poses were turned from OpenGL's to OpenCV's or back: correct the convention of "
            "the poses"
        )
    if focus is None or (radius := whole_radius(scene.cameras, focus)) <= 0:
        raise InputError(
            "the cameras look in parallel directions or away from each other, so they do not show "
            "where the object is: add masks, or set sphere to points or to a centre and a radius"
        )
    return focus, radius / MARGIN


def _up(scene: Scene, choice: UpChoice, rng: np.random.Generator) -> Float[np.ndarray, "3"]:
    poses = scene.cameras.camera_to_world
    if isinstance(choice, tuple):
        return np.array(choice) / np.linalg.norm(choice)
    return up_direction(poses) if choice == "cameras" else ground_normal(scene.points, poses, rng)


def _doubts(scene: Scene) -> list[str]:
    """What a person should look at, though the work can go on."""
    cameras = scene.cameras
    doubts = []
    spread = np.linalg.svd(cameras.centres - cameras.centres.mean(axis=0), compute_uv=False)
    if spread[1] < ON_A_LINE * spread[0]:
        doubts.append(
            "all cameras stand on one line: the surface is only known where it faces them, and "
            "depth is weak; take photos from above and below, too"
        )
    inside = int((np.linalg.norm(cameras.centres, axis=1) < 1).sum())
    if inside:
        doubts.append(
            f"{inside} of {len(cameras)} cameras stand inside the unit sphere: it is too large or "
            "in the wrong place; add masks, or give its centre and radius"
        )
    unseen = sum(
        not cameras.in_image(i, *cameras.project(i, np.zeros((1, 3))))[0]
        for i in range(len(cameras))
    )
    if unseen > len(cameras) / 2:
        doubts.append(
            f"{unseen} of {len(cameras)} images do not show the middle of the unit sphere: look at "
            "overview.png, and give its centre and radius if it is wrong"
        )
    return doubts


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


def check_cameras(cameras: Cameras) -> None:
    """Refuse too few cameras, and cameras in one place.

    Raises:
        InputError: nothing can be measured with them.
    """
    if len(cameras) < 3:
        raise InputError(f"the scan has {len(cameras)} images with poses: three or more are needed")
    extent = np.linalg.norm(np.ptp(cameras.centres, axis=0))
    if extent <= 1e-6 * np.abs(cameras.centres).max():
        raise InputError(
            "all images were taken from one place, so nothing can be measured: "
            "walk around the object, or invert the poses, if they are world-to-camera"
        )
