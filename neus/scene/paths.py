"""A closed path for a video, among the training cameras.

The camera always looks at the object. Where the training cameras go all around, the path is a
circle at their mean height; where they cover a cap, it is a loop inside it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.scene.cameras import look_at
from neus.scene.focus import focus_point
from neus.scene.vertical import up_direction

if TYPE_CHECKING:
    from jaxtyping import Float

PATHS = ("auto", "circular", "spheric")
Curve = Callable[[np.ndarray], np.ndarray]

FULL_TURN_GAP = np.deg2rad(120)  # no wider gap in azimuth: the cameras stand all around
STEEP = np.deg2rad(60)  # above this elevation azimuths crowd together
POLE_MARGIN = np.deg2rad(5)  # kept from the poles, where the image's up direction would spin
WAVE = np.deg2rad(10)  # at most, up and down in a full turn
ROUNDNESS = 0.15  # least ratio of a loop's half axes: it never turns on the spot
COVERED = (0.1, 0.9)  # quantiles of the cameras' angles between which the path stays


def camera_path(
    camera_to_world: Float[np.ndarray, "n 3 4"], frames: int, kind: str = "auto"
) -> Float[np.ndarray, "frames 3 4"]:
    """:func:`circular_path` or :func:`spheric_path` by name.

    "auto" is the circle where no gap in azimuth between neighbouring cameras exceeds 120 degrees.
    """
    if kind == "auto":
        _check(camera_to_world, frames)
        kind = "circular" if _go_all_around(camera_to_world) else "spheric"
    return {"circular": circular_path, "spheric": spheric_path}[kind](camera_to_world, frames)


def circular_path(
    camera_to_world: Float[np.ndarray, "n 3 4"], frames: int
) -> Float[np.ndarray, "frames 3 4"]:
    """Cameras at equal steps on a level circle about the vertical through the object.

    The circle has the training cameras' mean height, and its points their mean distance from
    :func:`centre_of_interest`. It begins at the azimuth of the first camera well off the vertical.
    Arguments, result and errors are those of :func:`spheric_path`.
    """
    _check(camera_to_world, frames)
    focus, up = centre_of_interest(camera_to_world), up_direction(camera_to_world)
    offsets = camera_to_world[:, :, 3] - focus
    distances = np.linalg.norm(offsets, axis=1)
    distance, height = distances.mean(), (offsets @ up).mean()
    highest = np.sin(np.pi / 2 - POLE_MARGIN) * distance
    height = np.clip(height, -highest, highest)
    axes = _sphere_axes(up, offsets / np.maximum(distances, 1e-12)[:, None])
    elevation = np.arcsin(height / distance)
    theta = 2 * np.pi * np.arange(frames) / frames
    positions = focus + distance * _unit_vectors(theta, np.full(frames, elevation)) @ axes
    return np.stack([look_at(position, focus, up) for position in positions])


def spheric_path(
    camera_to_world: Float[np.ndarray, "n 3 4"], frames: int
) -> Float[np.ndarray, "frames 3 4"]:
    """Cameras at equal steps along a closed path about the object (after the last comes the first).

    The path lies on a sphere about :func:`centre_of_interest` whose radius is the cameras' median
    distance. It turns with the scene: rotated cameras give the rotated path.

    Args:
        camera_to_world: training cameras, scene frame, OpenCV axes.
        frames: number of cameras on the path.

    Returns:
        Camera-to-world matrices, scene frame, OpenCV axes, image tops towards the cameras' up.

    Raises:
        InputError: fewer than two cameras, all in one place, or not finite; or no frames.
    """
    _check(camera_to_world, frames)
    focus = centre_of_interest(camera_to_world)
    offsets = camera_to_world[:, :, 3] - focus
    distances = np.linalg.norm(offsets, axis=1)
    radius = np.median(distances)
    apart = distances > 1e-3 * radius
    directions = offsets[apart] / distances[apart, None]
    if np.ptp(directions, axis=0).max() < 1e-3:
        raise InputError(
            "all training cameras see the object from one direction, so they span no path: "
            "check the poses"
        )
    curve, axes = _orbit_or_loop(directions, camera_to_world[apart])
    positions = focus + radius * curve(_equal_steps(curve, frames)) @ axes
    return np.stack([look_at(position, focus, axes[2]) for position in positions])


def centre_of_interest(camera_to_world: Float[np.ndarray, "n 3 4"]) -> Float[np.ndarray, "3"]:
    """Where the cameras look; the origin if that is nowhere, or outside the unit sphere."""
    focus = focus_point(camera_to_world)
    return np.zeros(3) if focus is None or np.linalg.norm(focus) > 1 else focus


def _check(camera_to_world: np.ndarray, frames: int) -> None:
    if frames < 1:
        raise InputError(f"a path of {frames} frames is empty: ask for one frame or more")
    if len(camera_to_world) < 2:
        raise InputError(f"a path needs two training cameras or more, not {len(camera_to_world)}")
    if not np.isfinite(camera_to_world).all():
        raise InputError("a training camera's pose is not finite: check the poses of the scene")
    centres = camera_to_world[:, :, 3]
    if np.ptp(centres, axis=0).max() <= 1e-6 * max(1.0, np.abs(centres).max()):
        raise InputError(
            "all training cameras stand in one place, so they span no path: check the poses"
        )


def _go_all_around(camera_to_world: Float[np.ndarray, "n 3 4"]) -> bool:
    """Whether the cameras stand on all sides of the vertical through the object."""
    offsets = camera_to_world[:, :, 3] - centre_of_interest(camera_to_world)
    distances = np.linalg.norm(offsets, axis=1)
    apart = distances > 1e-3 * np.median(distances)
    directions = offsets[apart] / distances[apart, None]
    azimuth, _ = _angles(directions, _sphere_axes(up_direction(camera_to_world), directions))
    return _widest_gap(azimuth)[0] <= FULL_TURN_GAP + 1e-9


def _orbit_or_loop(
    directions: Float[np.ndarray, "n 3"], camera_to_world: Float[np.ndarray, "n 3 4"]
) -> tuple[Curve, Float[np.ndarray, "3 3"]]:
    """The path on the unit sphere, and the axes (rows) that it is given in."""
    up = up_direction(camera_to_world)
    axes = _sphere_axes(up, directions)
    azimuth, elevation = _angles(directions, axes)
    if _widest_gap(azimuth)[0] <= FULL_TURN_GAP + 1e-9:
        return _orbit(elevation), axes
    if abs(np.median(elevation)) > STEEP:
        axes = _sphere_axes(_pole_beside_cap(up, directions, camera_to_world), directions)
        azimuth, elevation = _angles(directions, axes)
    return _loop(azimuth, elevation), axes


def _sphere_axes(
    pole: Float[np.ndarray, "3"], directions: Float[np.ndarray, "n 3"]
) -> Float[np.ndarray, "3 3"]:
    """Right-handed axes as rows: z the pole, azimuth 0 at the first direction well off it."""
    candidates = np.concatenate([directions, 1e-6 * np.eye(3)])  # all directions may be polar
    across = candidates - np.outer(candidates @ pole, pole)
    lengths = np.linalg.norm(across, axis=1)
    first = np.argmax(lengths > lengths.max() / 2)
    x = across[first] / lengths[first]
    return np.stack([x, np.cross(pole, x), pole])


def _pole_beside_cap(
    up: Float[np.ndarray, "3"],
    directions: Float[np.ndarray, "n 3"],
    camera_to_world: Float[np.ndarray, "n 3 4"],
) -> Float[np.ndarray, "3"]:
    """``up`` at right angles to the cap's middle, or the first image top that can be so turned."""
    middle = directions.mean(axis=0)
    middle = middle / max(np.linalg.norm(middle), 1e-12)
    for candidate in (up, *-camera_to_world[:, :, 1]):
        across = candidate - (candidate @ middle) * middle
        if np.linalg.norm(across) > 0.1:
            return across / np.linalg.norm(across)
    return up


def _angles(
    directions: Float[np.ndarray, "n 3"], axes: Float[np.ndarray, "3 3"]
) -> tuple[Float[np.ndarray, "n"], Float[np.ndarray, "n"]]:
    """Azimuth in (-pi, pi] and elevation of unit vectors."""
    x, y, z = (directions @ axes.T).T
    return np.arctan2(y, x), np.arcsin(np.clip(z, -1, 1))


def _unit_vectors(azimuth: np.ndarray, elevation: np.ndarray) -> Float[np.ndarray, "n 3"]:
    level = np.cos(elevation)
    return np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(elevation)], axis=-1)


def _widest_gap(azimuth: Float[np.ndarray, "n"]) -> tuple[float, float]:
    """Width of the widest gap between neighbouring azimuths, and the azimuth at its end."""
    ordered = np.sort(azimuth)
    following = np.append(ordered[1:], ordered[0] + 2 * np.pi)
    widest = np.argmax(following - ordered)
    return float((following - ordered)[widest]), float(following[widest])


def _orbit(elevation: Float[np.ndarray, "n"]) -> Curve:
    """One turn at the median elevation, with one gentle wave as high as the cameras' spread."""
    low, high = np.quantile(elevation, COVERED)
    highest = np.pi / 2 - POLE_MARGIN
    middle = np.clip(np.median(elevation), -highest, highest)
    wave = min(WAVE, (high - low) / 2, highest - abs(middle))
    return lambda theta: _unit_vectors(theta, middle + wave * np.sin(theta))


def _loop(azimuth: Float[np.ndarray, "n"], elevation: Float[np.ndarray, "n"]) -> Curve:
    """An ellipse in azimuth and elevation, inscribed in the cameras' quantile box."""
    start = _widest_gap(azimuth)[1]
    left, right = np.quantile((azimuth - start) % (2 * np.pi), COVERED) + start
    low, high = np.quantile(elevation, COVERED)
    highest = np.pi / 2 - POLE_MARGIN
    across, above = (left + right) / 2, np.clip((low + high) / 2, -highest, highest)
    wide, tall, level = (right - left) / 2, (high - low) / 2, np.cos(above)
    wide, tall = max(wide, ROUNDNESS * tall / level), max(tall, ROUNDNESS * wide * level)
    tall = min(tall, highest - abs(above))
    return lambda theta: _unit_vectors(across + wide * np.cos(theta), above + tall * np.sin(theta))


def _equal_steps(curve: Curve, frames: int) -> Float[np.ndarray, "frames"]:
    """Parameters that cut a closed curve over [0, 2 pi] into arcs of equal length."""
    theta = np.linspace(0, 2 * np.pi, 2**14 + 1)
    arcs = np.linalg.norm(np.diff(curve(theta), axis=0), axis=1)
    length = np.concatenate([[0], np.cumsum(arcs)])
    return np.interp(np.arange(frames) / frames * length[-1], length, theta)
