"""The protocol of Tanks and Temples (Knapitsch et al., SIGGRAPH 2017), step by step, in metres.

The reconstruction is brought into the laser's frame by its cameras, cropped by the scene's volume
and thinned to voxels of half the threshold; so is the truth. Precision and recall are the shares of
the one that lie nearer than the threshold to the other, the F-score is their harmonic mean.

The official toolbox then refines the alignment by three rounds of ICP against the truth, scale
included; here cameras alone decide, as everywhere in this project, so that our F-scores are, if
anything, lower than by the toolbox.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.metrics.evaluation import Alignment
from neus.metrics.geometry import Surface
from neus.metrics.nearest import nearest_distances
from neus.metrics.sampling import points_of_mesh
from neus.metrics.surfaces import SurfaceDistances, SurfaceFigures, surface_figures
from neus.scene import umeyama

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from neus.metrics.tanks_reference import TanksReference
    from neus.scene import Similarity

OUTLIER = 0.2
"""Metres: cameras that lie farther off than this do not count for the alignment (the toolbox's)."""


def same_cameras(
    count: int, numbers: Sequence[int | None] | None, wanted: int
) -> Int[np.ndarray, "p 2"]:
    """Which cameras belong together: by their order, or where some are missing by their numbers.

    Args:
        count: of the reconstruction's cameras, in the order of the images.
        numbers: in the names of the images, which the data set counts from 1, or None.
        wanted: count of the reference's cameras.

    Returns:
        Places among ours and among the reference's.

    Raises:
        InputError: there are others than the reference has, without numbers that say which.
    """
    if count == wanted:
        return np.stack([np.arange(count)] * 2, axis=1)
    known = [(i, n - 1) for i, n in enumerate(numbers or []) if n is not None and 1 <= n <= wanted]
    if len({place for _, place in known}) != count:
        raise InputError(
            f"there are {count} cameras, and the reference has {wanted}: give those of the same "
            "images, or name the images as the data set does, 000001.jpg and so on"
        )
    return np.array(known)


def align_trajectories(
    centres: Float[np.ndarray, "c 3"], reference: Float[np.ndarray, "c 3"]
) -> Alignment:
    """The similarity that takes centres of cameras to those of the same images in the truth.

    By least squares over all that then lie within `OUTLIER`; the others are left out, and it is
    fitted again. The toolbox draws samples instead, by which its result varies.

    Raises:
        InputError: fewer than three cameras, all on one line, or fewer than half of them fit.
    """
    kept = np.ones(len(centres), bool)
    while True:
        similarity, distances = _fitted(centres, reference, kept)
        # Where most lie far off, the worse half goes first.
        near = distances <= max(OUTLIER, float(np.median(distances[kept])))
        if not (kept & ~near).any():
            break
        kept &= near
    if distances[kept].max() <= OUTLIER:  # those that went early may fit now
        kept = distances <= OUTLIER
        similarity, distances = _fitted(centres, reference, kept)
    if kept.mean() < 0.5 or distances[kept].max() > OUTLIER:
        raise InputError(
            f"the cameras lie up to {distances[kept].max():.3g} m from those of the reference, by "
            f"{int(kept.sum())} of {len(kept)}: check that the images are the scene's, in its order"
        )
    residual = float(np.sqrt((distances[kept] ** 2).mean()))
    return Alignment(similarity, int(kept.sum()), residual)


def _fitted(
    centres: Float[np.ndarray, "c 3"],
    reference: Float[np.ndarray, "c 3"],
    kept: Bool[np.ndarray, "c"],
) -> tuple[Similarity, Float[np.ndarray, "c"]]:
    """The similarity of those kept, and how far it leaves all of them."""
    try:
        similarity = umeyama(centres[kept], reference[kept])
    except ValueError as error:
        raise InputError(
            f"{int(kept.sum())} cameras lie where those of the reference do: {error}; check that "
            "the images are the scene's"
        ) from error
    return similarity, np.linalg.norm(similarity.apply(centres) - reference, axis=1)


def voxel_means(points: Float[np.ndarray, "n 3"], size: float) -> Float[np.ndarray, "m 3"]:
    """The mean of the points in each voxel; voxels begin half of one below the least coordinates.

    Memory is about 60 bytes a point beside the argument.
    """
    if len(points) == 0:
        return points
    cells = np.floor((points - (points.min(axis=0) - size / 2)) / size).astype(np.int64)
    sides = cells.max(axis=0) + 1
    if float(sides[0]) * float(sides[1]) * float(sides[2]) >= 2**62:
        raise InputError("the points reach too far for their voxels: check the unit of the mesh")
    keys = (cells[:, 0] * sides[1] + cells[:, 1]) * sides[2] + cells[:, 2]
    del cells
    order = np.argsort(keys, kind="stable")
    starts = np.flatnonzero(np.diff(keys[order], prepend=-1))
    counts = np.diff(starts, append=len(points))
    return np.add.reduceat(points[order], starts, axis=0) / counts[:, None]


def tanks_distances(
    surface: Surface,
    reference: TanksReference,
    *,
    workers: int = 1,
    report: Callable[[str], None] = lambda progress: None,
    advance: Callable[[str, float], None] = lambda part, share: None,
) -> SurfaceDistances:
    """Distances between what is left of both after cropping and thinning, both ways.

    Args:
        surface: in the laser's frame. A mesh becomes points half a threshold apart.
        workers: threads of the searches; they change no figure.
        advance: is told which part is under way, points, accuracy or completeness, and which share
            of it is done.

    Raises:
        InputError: the volume holds nothing of the surface.
    """
    size = reference.tau / 2
    advance("points", 0.0)
    points = points_of_mesh(surface, size) if surface.is_mesh else surface.vertices
    report(f"{len(points):,} points of the surface, {len(reference.points):,} of the laser")
    data = voxel_means(points[reference.volume.holds(points)], size)
    del points
    truth = voxel_means(reference.points[reference.volume.holds(reference.points)], size)
    if not len(data) or not len(truth):
        which = "surface" if len(truth) else "reference"
        raise InputError(
            f"the scene's volume holds nothing of the {which}: check the cameras that align it"
        )
    report(f"distances between {len(data):,} and {len(truth):,} voxels of {size:g} m")
    return SurfaceDistances(
        data=data,
        data_to_reference=nearest_distances(
            data, truth, np.inf, workers, partial(advance, "accuracy")
        ),
        reference=truth,
        reference_to_data=nearest_distances(
            truth, data, np.inf, workers, partial(advance, "completeness")
        ),
    )


def tanks_figures(distances: SurfaceDistances, reference: TanksReference) -> SurfaceFigures:
    """Precision, recall and F-score of distances below the threshold; and mean distances, in m."""
    figures = surface_figures(
        distances,
        threshold=float(np.nextafter(reference.tau, 0)),  # the toolbox counts what lies below
        diameter=Surface(reference.points).diameter,
        unit="m",
        protocol="tanks",
    )
    return replace(figures, fscore_threshold=reference.tau)
