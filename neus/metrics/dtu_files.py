"""Where the ground truth of the DTU benchmark lies below its root folder."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple


class DtuFiles(NamedTuple):
    """The three files of one scan, as the official archives name them.

    Attributes:
        points: structured-light points (Points.zip).
        observed: mask of the observed space (SampleSet.zip).
        plane: the table (SampleSet.zip).
    """

    points: Path
    observed: Path
    plane: Path

    @classmethod
    def below(cls, root: Path, scan: int) -> DtuFiles:
        return cls(
            root / "Points" / "stl" / f"stl{scan:03}_total.ply",
            root / "ObsMask" / f"ObsMask{scan}_10.mat",
            root / "ObsMask" / f"Plane{scan}.mat",
        )
