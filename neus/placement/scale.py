"""Metric units for a capture, from a known distance or known camera positions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.images import Rectification
from neus.scene import Scene, Similarity, umeyama
from neus.sources import Capture, read_location

if TYPE_CHECKING:
    from jaxtyping import Float

Mark = tuple[float, float, float] | Mapping[str, tuple[float, float]]
"""A point: in the source frame, or where two or more upright photos show it, in pixels."""

MAX_MISS = 0.01
"""Of an image's diagonal: how far a mark may lie off where the other photos put the point."""
MAX_RESIDUAL = 0.1
"""Of the cameras' spread: positions that are coarser than this give no scale."""
OUTLIER = 3.0
"""Positions farther off than so many medians are left out."""


@dataclass(frozen=True)
class Scale:
    """What makes the units of the source real ones; one of the first two.

    Attributes:
        distance: two marks and how far apart they are, in ``unit``.
        positions: a file of camera positions in ``unit``, lines of ``name x y z``; or the word
            ``gps``, for what EXIF says, in metres, with x to the east and z up.
        unit: its name, for tables.
    """

    distance: tuple[Mark, Mark, float] | None
    positions: Path | str | None
    unit: str


def to_metric(capture: Capture, scale: Scale, report: Callable[[str], None]) -> Capture:
    """The capture in metric units: its source frame becomes the metric one.

    A distance only scales the axes of the source; positions move and turn them as well.

    Raises:
        InputError: a marked image is not there, marks do not meet, or positions are too few, too
            coarse or on one line.
    """
    scene = capture.scene
    if scale.distance is not None:
        similarity = _by_distance(scene, *scale.distance)
    else:
        similarity = _by_positions(scene, scale, report)
    report(f"one {scene.unit.removesuffix('s')} is {similarity.scale:.6g} {scale.unit}")
    moved = replace(
        scene,
        cameras=scene.cameras.transformed(similarity),
        points=similarity.apply(scene.points),
        unit=scale.unit,
    )
    return Capture(moved, capture.sphere and similarity @ capture.sphere)


def _by_distance(scene: Scene, first: Mark, second: Mark, distance: float) -> Similarity:
    ends = [_position(scene, mark) for mark in (first, second)]
    length = float(np.linalg.norm(ends[1] - ends[0]))
    if not length > 0:
        raise InputError("scale: both marks are the same point: mark the two ends of a distance")
    return Similarity(distance / length, np.eye(3), np.zeros(3))


def _position(scene: Scene, mark: Mark) -> Float[np.ndarray, "3"]:
    """Where a mark is in the source frame: the point nearest to its rays."""
    if not isinstance(mark, Mapping):
        return np.array(mark, dtype=np.float64)
    if len(mark) < 2:
        raise InputError("scale: a point needs marks in two photos or more: add another photo")
    views = [(_frame_index(scene, name), np.array([pixel])) for name, pixel in mark.items()]
    views = [(i, _rectified(scene, i, pixel)) for i, pixel in views]
    rays = [scene.cameras.rays(i, pixel) for i, pixel in views]
    origins, directions = (np.concatenate(part) for part in zip(*rays, strict=True))
    across = np.eye(3) - directions[:, :, None] * directions[:, None, :]
    total = across.sum(axis=0)
    if np.linalg.eigvalsh(total)[0] < 1e-6:
        raise InputError("scale: the marked photos show the point from one side: choose others")
    point = np.linalg.solve(total, np.einsum("nij,nj->i", across, origins))
    for (i, pixel), name in zip(views, mark, strict=True):
        miss = float(np.linalg.norm(scene.cameras.project(i, point[None])[0] - pixel))
        if miss > MAX_MISS * np.hypot(scene.cameras.widths[i], scene.cameras.heights[i]):
            raise InputError(
                f"scale: the mark in {name} lies {miss:.0f} pixels off where the other photos put "
                "the point: mark the same point in all of them, in pixels of the full-size photos"
            )
    return point


def _frame_index(scene: Scene, name: str) -> int:
    for i, frame in enumerate(scene.frames):
        if name in (frame.name, frame.image.name):
            return i
    raise InputError(f"scale: no image with a pose is called {name}: mark another photo")


def _rectified(
    scene: Scene, index: int, pixel: Float[np.ndarray, "1 2"]
) -> Float[np.ndarray, "1 2"]:
    rectify = scene.frames[index].rectify
    return rectify.rectify_pixels(pixel) if isinstance(rectify, Rectification) else pixel


def _by_positions(scene: Scene, scale: Scale, report: Callable[[str], None]) -> Similarity:
    known = _from_gps(scene) if scale.positions == "gps" else _from_file(Path(str(scale.positions)))
    found = [known.get(frame.image.name, known.get(frame.name)) for frame in scene.frames]
    indices = [i for i, position in enumerate(found) if position is not None]
    if len(indices) < 3:
        raise InputError(
            f"scale: {len(indices)} of the placed photos have a known position, but three or more "
            "are needed: add positions, or mark a distance"
        )
    target = np.array([found[i] for i in indices])
    origin = scene.cameras.centres[indices]
    try:
        similarity, residuals = _fit(origin, target)
    except ValueError as error:
        raise InputError(f"scale: the known positions do not fix it: {error}") from error
    spread = float(np.linalg.norm(target - target.mean(axis=0), axis=1).max())
    typical = float(np.median(residuals))
    if typical > MAX_RESIDUAL * spread:
        raise InputError(
            f"scale: the known positions are {typical:.3g} {scale.unit} off within a capture of "
            f"{2 * spread:.3g} {scale.unit}, too coarse to measure with: mark a distance instead"
        )
    report(f"{len(indices)} known positions fit with a median error of {typical:.3g} {scale.unit}")
    return similarity


def _fit(
    origin: Float[np.ndarray, "n 3"], target: Float[np.ndarray, "n 3"]
) -> tuple[Similarity, Float[np.ndarray, "n"]]:
    """Least squares, again without what is far off."""
    kept = np.ones(len(origin), dtype=bool)
    similarity, residuals = Similarity.identity(), np.zeros(len(origin))
    for _ in range(5):
        similarity = umeyama(origin[kept], target[kept])
        residuals = np.linalg.norm(similarity.apply(origin) - target, axis=1)
        near = residuals <= OUTLIER * np.median(residuals) + 1e-12
        if near.sum() < 3 or (near == kept).all():
            break
        kept = near
    return similarity, residuals


def _from_file(path: Path) -> dict[str, Float[np.ndarray, "3"]]:
    if not path.is_file():
        raise InputError(f"{path} does not exist: correct the key scale.positions")
    positions = {}
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = line.replace(",", " ").split()
        if not words or words[0].startswith("#"):
            continue
        try:
            name, x, y, z = words
            positions[name] = np.array([x, y, z], dtype=np.float64)
        except ValueError:
            raise InputError(f"{path}, line {number}: write a photo's name and x y z") from None
    return positions


def _from_gps(scene: Scene) -> dict[str, Float[np.ndarray, "3"]]:
    """Metres to the east, to the north and up from the first photo that knows its place."""
    from neus.sources import import_pycolmap

    places = {frame.image.name: read_location(frame.image) for frame in scene.frames}
    places = {name: place for name, place in places.items() if place is not None}
    if not places:
        raise InputError("scale: no photo says in EXIF where it was taken: mark a distance instead")
    table = np.array(list(places.values()))
    local = import_pycolmap().GPSTransform().ellipsoid_to_enu(table, *table[0])
    return dict(zip(places, local, strict=True))
