"""The DTU benchmark's protocol (Aanæs et al., IJCV 2016), step by step, in millimetres.

The mesh must lie in the world frame of the DTU cameras. What is cut off it beforehand differs
between papers (`neus.metrics.culling`); nothing is aligned here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.metrics.geometry import Surface
from neus.metrics.nearest import nearest_distances
from neus.metrics.sampling import points_of_mesh
from neus.metrics.surfaces import SurfaceDistances, SurfaceFigures, surface_figures
from neus.metrics.thinning import thin

if TYPE_CHECKING:
    from neus.metrics.dtu_reference import DtuReference

SPACING = 0.2
"""Of the points on the mesh, and the least distance between those kept."""
CUTOFF = 20.0
"""Distances from here on are left out of the means; they are not clipped."""
FSCORE_THRESHOLD = 1.0
"""Distance that counts for precision and recall."""
MARGIN_BELOW, MARGIN_ABOVE = 60.0, 120.0
"""Around the bounding box of the observation mask; the protocol is not symmetric."""


def dtu_distances(
    surface: Surface,
    reference: DtuReference,
    *,
    seed: int,
    workers: int = 1,
    report: Callable[[str], None] = lambda progress: None,
    advance: Callable[[str, float], None] = lambda part, share: None,
) -> SurfaceDistances:
    """Thinned points of the mesh in observed voxels, and reference points above the table.

    The former are measured to all reference points, the latter to all thinned points inside the
    bounds, observed or not. ``inf`` stands for `CUTOFF` or more.

    Args:
        surface: a mesh, or a cloud of points that is thinned as it is.
        seed: of the order in which points are thinned.
        workers: threads of the thinning and of the searches; they change no figure.
        report: is told what is being done.
        advance: is told which part of :data:`neus.metrics.surfaces.EXPECTED` is under way, and
            which share of it is done.
    """
    advance("points", 0.0)
    points = points_of_mesh(surface, SPACING) if surface.is_mesh else surface.vertices
    report(f"thinning {len(points):,} points to {SPACING:g} mm")
    advance("thinning", 0.0)
    order = np.random.default_rng(seed).permutation(len(points))
    points = points[thin(points, SPACING, order, workers, partial(advance, "thinning"))]

    lower, upper = reference.bounds
    inside = (points >= lower - MARGIN_BELOW) & (points < upper + MARGIN_ABOVE)
    data = points[inside.all(axis=1)]
    del points
    observed = data[reference.is_observed(data)]
    report(f"distances from {len(observed):,} observed points to the reference")
    advance("accuracy", 0.0)
    accuracy, completeness = (partial(advance, name) for name in ("accuracy", "completeness"))
    data_to_stl = nearest_distances(observed, reference.points, CUTOFF, workers, accuracy)
    stl = reference.points[reference.is_above_table(reference.points)]
    report(f"distances from {len(stl):,} reference points to {len(data):,} points of the mesh")
    advance("completeness", 0.0)
    return SurfaceDistances(
        data=observed,
        data_to_reference=data_to_stl,
        reference=stl,
        reference_to_data=nearest_distances(stl, data, CUTOFF, workers, completeness),
    )


def dtu_figures(distances: SurfaceDistances, reference: DtuReference) -> SurfaceFigures:
    """Accuracy (data to stl), completeness (stl to data) and their mean, in mm.

    The F-score is of the same distances; the official protocol has none.

    Raises:
        InputError: no point comes within 20 mm of its counterpart.
    """
    both = (distances.data_to_reference, distances.reference_to_data)
    if not all(np.isfinite(one_way).any() for one_way in both):
        raise InputError(
            f"no point of the mesh and the reference come within {CUTOFF:g} mm of each other: "
            "export the mesh in the world frame of the DTU cameras"
        )
    return surface_figures(
        distances,
        threshold=FSCORE_THRESHOLD,
        diameter=Surface(reference.points).diameter,
        unit="mm",
        protocol="dtu",
    )
