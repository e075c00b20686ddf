"""What stereo leaves for training and for tables: its cloud and figures. Needs numpy alone."""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

POINTS, FIGURES = "points.npz", "figures.json"


@dataclass(frozen=True)
class StereoPoints:
    """A cloud in the scene frame, and who saw each point.

    Attributes:
        position: ``[p, 3]``
        normal: ``[p, 3]`` unit, outwards.
        colour: ``[p, 3]`` mean of the views.
        confidence: ``[p]`` in [0, 1].
        footprint: ``[p]`` size of a pixel at the point, in scene units, mean of the views.
        first: ``[p + 1]`` where each point's views begin in ``views``; its last entry is m.
        views: ``[m]`` places among the training views.
    """

    position: Float[np.ndarray, "p 3"]
    normal: Float[np.ndarray, "p 3"]
    colour: UInt8[np.ndarray, "p 3"]
    confidence: Float[np.ndarray, "p"]
    footprint: Float[np.ndarray, "p"]
    first: Int[np.ndarray, "p+1"]
    views: Int[np.ndarray, "m"]

    def __len__(self) -> int:
        return len(self.position)

    @classmethod
    def none(cls) -> StereoPoints:
        vectors, numbers = np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
        return cls(
            vectors,
            vectors,
            np.zeros((0, 3), np.uint8),
            numbers,
            numbers,
            np.zeros(1, np.int64),
            np.zeros(0, np.int32),
        )


def read_points(folder: Path) -> StereoPoints:
    """The fused cloud of a folder that :func:`write_stereo` wrote.

    Raises:
        InputError: the file is missing or malformed.
    """
    path = Path(folder) / POINTS
    content = read_arrays(path)
    try:
        points = StereoPoints(**{f.name: content[f.name] for f in fields(StereoPoints)})
    except KeyError as error:
        raise InputError(f"{path} lacks {error}: run dense_stereo.py again") from None
    if len(points.first) != len(points) + 1 or points.first[-1] != len(points.views):
        raise InputError(f"{path} lists views of other points: run dense_stereo.py again")
    return points


def read_figures(folder: Path) -> dict:
    """The content of ``figures.json``.

    Raises:
        InputError: the file is missing or malformed.
    """
    path = Path(folder) / FIGURES
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path} does not exist: run dense_stereo.py first") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is malformed ({error}): run dense_stereo.py again") from None


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """All arrays of a file of a stereo folder.

    Raises:
        InputError: the file is missing or malformed.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist: run dense_stereo.py first")
    try:
        with np.load(path) as content:
            return dict(content)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise InputError(f"{path} is malformed ({error}): run dense_stereo.py again") from None
