"""The DTU benchmark's protocol (Aanæs et al., IJCV 2016), step by step, in millimetres.

The mesh must lie in the world frame of the DTU cameras. What is cut off it beforehand differs
between papers and is the caller's affair; nothing is aligned here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.io import loadmat
from scipy.spatial import KDTree

from neus.errors import InputError
from neus.metrics.geometry import Surface, load_surface
from neus.metrics.surfaces import SurfaceFigures
from neus.metrics.thinning import points_of_mesh, thin

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Bool, Float

SPACING = 0.2
"""Of the points on the mesh, and the least distance between those kept."""
CUTOFF = 20.0
"""Distances from here on are left out of the means; they are not clipped."""
FSCORE_THRESHOLD = 1.0
"""Distance that counts for precision and recall."""
MARGIN_BELOW, MARGIN_ABOVE = 60.0, 120.0
"""Around the bounding box of the observation mask; the protocol is not symmetric."""


@dataclass(frozen=True)
class DtuReference:
    """What the benchmark knows of one scan.

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


@dataclass(frozen=True)
class DtuDistances:
    """The points that count and their distances; ``inf`` stands for `CUTOFF` or more.

    Attributes:
        data: ``[n, 3]`` thinned points of the mesh that lie in observed voxels.
        data_to_stl: ``[n]`` to the nearest of all reference points.
        stl: ``[m, 3]`` reference points above the table.
        stl_to_data: ``[m]`` to the nearest thinned point of the mesh inside the bounds.
    """

    data: Float[np.ndarray, "n 3"]
    data_to_stl: Float[np.ndarray, "n"]
    stl: Float[np.ndarray, "m 3"]
    stl_to_data: Float[np.ndarray, "m"]


def load_reference(root: Path, scan: int) -> DtuReference:
    """Read ``Points/stl``, ``ObsMask`` and the plane of a scan below ``root``.

    Raises:
        InputError: files are missing (all are listed) or do not hold what they should.
    """
    points_path = root / "Points" / "stl" / f"stl{scan:03}_total.ply"
    mask_path = root / "ObsMask" / f"ObsMask{scan}_10.mat"
    plane_path = root / "ObsMask" / f"Plane{scan}.mat"
    missing = [str(path) for path in (points_path, mask_path, plane_path) if not path.is_file()]
    if missing:
        raise InputError(
            f"the DTU reference of scan {scan} lacks {', '.join(missing)}: unpack Points.zip and "
            "the ObsMask folder of SampleSet.zip, both from https://roboimagedata.compute.dtu.dk, "
            f"below {root}"
        )
    observed, bounds, resolution = _read_mat(mask_path, {"ObsMask": None, "BB": 6, "Res": 1})
    (plane,) = _read_mat(plane_path, {"P": 4})
    if observed.ndim != 3:
        raise InputError(f"{mask_path}: ObsMask has {observed.ndim} axes, not 3; download it anew")
    return DtuReference(
        points=load_surface(points_path).vertices,
        observed=observed.astype(bool),
        bounds=bounds.astype(np.float64).reshape(2, 3),
        resolution=float(resolution.item()),
        plane=plane.astype(np.float64).reshape(4),
    )


def dtu_figures(
    surface: Surface, reference: DtuReference, *, seed: int, workers: int = 1
) -> SurfaceFigures:
    """Accuracy (data to stl), completeness (stl to data) and their mean, in mm.

    The F-score is of the same distances; the official protocol has none.

    Args:
        surface: a mesh, or a cloud of points that is thinned as it is.
        seed: of the order in which points are thinned.
        workers: threads of the nearest-neighbour searches.

    Raises:
        InputError: no point comes within 20 mm of its counterpart.
    """
    distances = dtu_distances(surface, reference, seed=seed, workers=workers)
    accuracy = _mean_below_cutoff(distances.data_to_stl)
    completeness = _mean_below_cutoff(distances.stl_to_data)
    precision = float((distances.data_to_stl <= FSCORE_THRESHOLD).mean())
    recall = float((distances.stl_to_data <= FSCORE_THRESHOLD).mean())
    return SurfaceFigures(
        accuracy=accuracy,
        completeness=completeness,
        chamfer=(accuracy + completeness) / 2,
        precision=precision,
        recall=recall,
        fscore=2 * precision * recall / max(precision + recall, 1e-12),
        fscore_threshold=FSCORE_THRESHOLD,
        normal_consistency=math.nan,
        diameter=Surface(reference.points).diameter,
        unit="mm",
        protocol="dtu",
    )


def dtu_distances(
    surface: Surface, reference: DtuReference, *, seed: int, workers: int = 1
) -> DtuDistances:
    """The point sets behind `dtu_figures`, for coloured error clouds."""
    points = points_of_mesh(surface, SPACING) if surface.is_mesh else surface.vertices
    order = np.random.default_rng(seed).permutation(len(points))
    points = points[thin(points, SPACING, order)]

    lower, upper = reference.bounds
    inside = (points >= lower - MARGIN_BELOW) & (points < upper + MARGIN_ABOVE)
    data = points[inside.all(axis=1)]
    data_observed = data[_is_observed(data, reference)]
    above = reference.points @ reference.plane[:3] + reference.plane[3] > 0
    stl = reference.points[above]
    return DtuDistances(
        data=data_observed,
        data_to_stl=_nearest_below_cutoff(data_observed, reference.points, workers),
        stl=stl,
        stl_to_data=_nearest_below_cutoff(stl, data, workers),
    )


def _is_observed(
    points: Float[np.ndarray, "n 3"], reference: DtuReference
) -> Bool[np.ndarray, "n"]:
    voxels = np.around((points - reference.bounds[0]) / reference.resolution).astype(np.int64)
    in_grid = ((voxels >= 0) & (voxels < reference.observed.shape)).all(axis=1)
    observed = np.zeros(len(points), bool)
    observed[in_grid] = reference.observed[tuple(voxels[in_grid].T)]
    return observed


def _nearest_below_cutoff(
    queries: Float[np.ndarray, "n 3"], targets: Float[np.ndarray, "m 3"], workers: int
) -> Float[np.ndarray, "n"]:
    if len(queries) == 0 or len(targets) == 0:
        return np.full(len(queries), np.inf)
    # Sliding midpoints without tight boxes: as fast near the surface, and many times faster for
    # points far from it, which have a broad sheet of nearly equal neighbours.
    tree = KDTree(targets, compact_nodes=False, balanced_tree=False)
    return tree.query(queries, distance_upper_bound=CUTOFF, workers=workers)[0]


def _mean_below_cutoff(distances: Float[np.ndarray, "n"]) -> float:
    counted = distances[distances < CUTOFF]
    if len(counted) == 0:
        raise InputError(
            f"no point of the mesh and the reference come within {CUTOFF:g} mm of each other: "
            "export the mesh in the world frame of the DTU cameras"
        )
    return float(counted.mean())


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
