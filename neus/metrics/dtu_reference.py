"""What the DTU benchmark knows of a scan: points, the space that was observed, and the table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.io import loadmat

from neus.errors import InputError
from neus.metrics.dtu_files import DtuFiles
from neus.metrics.geometry import load_surface

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Bool, Float

CHUNK = 1 << 20
"""Points that are looked up at a time, for the memory's sake."""


@dataclass(frozen=True)
class DtuReference:
    """The ground truth of one scan, in mm.

    Attributes:
        points: ``[n, 3]`` structured-light points.
        observed: ``[x, y, z]`` voxels that the scanner saw.
        bounds: ``[2, 3]`` lower and upper corner of those voxels' box.
        resolution: side of a voxel.
        plane: ``[4]`` the table; what counts of the reference has ``plane . [x, 1] > 0``.
    """

    points: Float[np.ndarray, "n 3"]
    observed: Bool[np.ndarray, "x y z"]
    bounds: Float[np.ndarray, "2 3"]
    resolution: float
    plane: Float[np.ndarray, "4"]

    def is_observed(self, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        """Whether the voxel whose centre is nearest lies in the grid and was observed."""
        observed = np.zeros(len(points), bool)
        for start in range(0, len(points), CHUNK):
            chunk = slice(start, start + CHUNK)
            voxels = np.around((points[chunk] - self.bounds[0]) / self.resolution).astype(np.int64)
            in_grid = ((voxels >= 0) & (voxels < self.observed.shape)).all(axis=1)
            observed[chunk][in_grid] = self.observed[tuple(voxels[in_grid].T)]
        return observed

    def is_above_table(self, points: Float[np.ndarray, "n 3"]) -> Bool[np.ndarray, "n"]:
        return points @ self.plane[:3] + self.plane[3] > 0


def load_reference(root: Path, scan: int) -> DtuReference:
    """Read ``Points/stl``, ``ObsMask`` and the plane of a scan below ``root``.

    Raises:
        InputError: files are missing (all are listed) or do not hold what they should.
    """
    files = DtuFiles.below(root, scan)
    missing = [str(path) for path in files if not path.is_file()]
    if missing:
        raise InputError(
            f"the DTU reference of scan {scan} lacks {', '.join(missing)}: unpack Points.zip and "
            "the ObsMask folder of SampleSet.zip, both from https://roboimagedata.compute.dtu.dk, "
            f"below {root}"
        )
    observed, bounds, resolution = _read_mat(files.observed, {"ObsMask": None, "BB": 6, "Res": 1})
    (plane,) = _read_mat(files.plane, {"P": 4})
    if observed.ndim != 3:
        raise InputError(
            f"{files.observed}: ObsMask has {observed.ndim} axes, not 3; download it anew"
        )
    return DtuReference(
        points=load_surface(files.points).vertices,
        observed=observed.astype(bool),
        bounds=bounds.astype(np.float64).reshape(2, 3),
        resolution=float(resolution.item()),
        plane=plane.astype(np.float64).reshape(4),
    )


def _read_mat(path: Path, sizes: dict[str, int | None]) -> list[np.ndarray]:
    """The named arrays of a MATLAB file, each of a given number of elements or (None) of any."""
    try:
        content = loadmat(path)
    except Exception as error:  # scipy raises whatever the broken bytes provoke
        raise InputError(f"{path}: is no MATLAB file ({error}); download it anew") from error
    for name, size in sizes.items():
        if name not in content or (size is not None and np.size(content[name]) != size):
            raise InputError(f"{path}: lacks {name} of the expected size; download it anew")
    return [content[name] for name in sizes]
