"""What Tanks and Temples knows of a scene: a laser's points, the volume that counts, cameras."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError, refusal
from neus.metrics.geometry import load_surface
from neus.metrics.tanks_files import TAU, TanksFiles

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Bool, Float

CHUNK = 1 << 18
"""Points that are looked at at a time, for the memory's sake."""
AXES = {"X": (1, 2, 0), "Y": (0, 2, 1), "Z": (0, 1, 2)}
"""By the axis that an outline is drawn out along: the two of the outline, and itself."""


@dataclass(frozen=True)
class CropVolume:
    """An outline in a plane of two axes, drawn out along the third.

    Attributes:
        outline: ``[k, 2]`` corners of a polygon, which may be concave, in metres.
        axes: of the outline, and the one that it is drawn out along.
        low, high: along the latter, both included.
    """

    outline: Float[np.ndarray, "k 2"]
    axes: tuple[int, int, int]
    low: float
    high: float

    def holds(self, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        """Whether each point lies inside: by the even-odd rule in the plane of the outline."""
        inside = np.zeros(len(points), bool)
        for start in range(0, len(points), CHUNK):
            chunk = points[start : start + CHUNK]
            along = chunk[:, self.axes[2]]
            within = (along >= self.low) & (along <= self.high)
            within[within] = self._outline_holds(chunk[within][:, self.axes[:2]])
            inside[start : start + CHUNK] = within
        return inside

    def _outline_holds(self, points: Float[np.ndarray, "n 2"]) -> Bool[np.ndarray, "n"]:
        """Whether a ray towards smaller u crosses the outline an odd number of times."""
        odd = np.zeros(len(points), bool)
        u, v = points.T
        for (u0, v0), (u1, v1) in zip(self.outline, np.roll(self.outline, -1, axis=0), strict=True):
            if v0 == v1:
                continue
            crosses = (v0 < v) != (v1 < v)
            odd ^= crosses & (u0 + (v - v0) / (v1 - v0) * (u1 - u0) < u)
        return odd


@dataclass(frozen=True)
class TanksReference:
    """The ground truth of one scene, in metres and in the frame of its laser.

    Attributes:
        points: ``[n, 3]`` of the laser.
        volume: the part of space that is measured.
        centres: ``[c, 3]`` of the reference cameras, in the order of the images.
        tau: the distance that counts.
    """

    points: Float[np.ndarray, "n 3"]
    volume: CropVolume
    centres: Float[np.ndarray, "c 3"]
    tau: float


def load_tanks(root: Path, scene: str) -> TanksReference:
    """Read a scene below ``root``.

    Raises:
        InputError: the scene has no known threshold, files are missing (all are listed) or do not
            hold what they should.
    """
    if scene not in TAU:
        raise refusal("reference, key scene", scene, f"one of {', '.join(TAU)}", "correct it")
    files = TanksFiles.below(root, scene)
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise InputError(
            f"the reference of {scene} lacks {', '.join(missing)}: take ground truth, camera "
            f"poses, alignment and crop file from https://www.tanksandtemples.org into {root}"
        )
    try:
        alignment = np.loadtxt(files.alignment).reshape(4, 4)
    except ValueError as error:
        raise InputError(
            f"{files.alignment}: is no 4x4 matrix ({error}); download it anew"
        ) from error
    centres = read_trajectory(files.cameras)[:, :3, 3]
    return TanksReference(
        points=load_surface(files.points).vertices,
        volume=read_volume(files.volume),
        centres=centres @ alignment[:3, :3].T + alignment[:3, 3],
        tau=TAU[scene],
    )


def read_volume(path: Path) -> CropVolume:
    """Read the volume that Open3D's editor writes.

    Raises:
        InputError: the file is no such volume.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        axes = AXES[str(content["orthogonal_axis"]).upper()]
        corners = np.asarray(content["bounding_polygon"], dtype=np.float64).reshape(-1, 3)
        volume = CropVolume(
            corners[:, axes[:2]], axes, float(content["axis_min"]), float(content["axis_max"])
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(
            f"{path}: is no volume to crop by ({error!r}); download it anew"
        ) from error
    if len(corners) < 3 or not volume.low < volume.high:
        raise InputError(f"{path}: the volume has no inside; download it anew")
    return volume


def read_trajectory(path: Path) -> Float[np.ndarray, "c 4 4"]:
    """Camera-to-world matrices of a ``.log`` file: for each a line of numbers, then four of four.

    Raises:
        InputError: the file cannot be read, or is none of these.
    """
    try:
        lines = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
        lines = [line for line in lines if line]
        rows = [[float(word) for word in line] for i, line in enumerate(lines) if i % 5]
        poses = np.array(rows, dtype=np.float64).reshape(-1, 4, 4)
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no trajectory ({error}); download it anew") from error
    if len(lines) != 5 * len(poses) or not len(poses) or not np.isfinite(poses).all():
        raise InputError(f"{path}: is no trajectory of blocks of five lines; download it anew")
    return poses
