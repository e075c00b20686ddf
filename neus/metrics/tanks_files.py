"""Where the ground truth of Tanks and Temples lies below its root folder, and how near is near."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

TAU = {
    "Barn": 0.01,
    "Caterpillar": 0.005,
    "Church": 0.025,
    "Courthouse": 0.025,
    "Ignatius": 0.003,
    "Meetingroom": 0.01,
    "Truck": 0.005,
}
"""Of the training scenes: the distance that counts, in metres (Knapitsch et al., SIGGRAPH 2017)."""


class TanksFiles(NamedTuple):
    """The files of one scene, as the official archives name them.

    Attributes:
        points: of the laser scanner.
        volume: the part of space that is measured.
        alignment: 4x4 matrix from the reference cameras to the laser's frame.
        cameras: the reference cameras, COLMAP's.
    """

    points: Path
    volume: Path
    alignment: Path
    cameras: Path

    @classmethod
    def below(cls, root: Path, scene: str) -> TanksFiles:
        folder = root / scene
        return cls(
            folder / f"{scene}.ply",
            folder / f"{scene}.json",
            folder / f"{scene}_trans.txt",
            folder / f"{scene}_COLMAP_SfM.log",
        )
