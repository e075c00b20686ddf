"""Figures of a mesh against a scan's exact surface: DTU's, and where the error lies."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.spatial import KDTree

from neus.metrics.dtu import dtu_distances
from neus.metrics.dtu_reference import DtuReference, load_reference
from neus.metrics.geometry import Surface, load_surface
from neus.metrics.sampling import points_of_mesh

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, Int

    from neus.metrics.surfaces import SurfaceDistances

VIEWS = (1, 3, 10, 25)
"""Least number of training views of each group of surface points."""
OPENNESS = (0.0, 0.25, 0.5, 0.75)
"""Least openness of each group: a hollow, a recess, a slope beside something, the open."""
FEW = "3-9"
"""The group whose share of the error counts: seen well enough to be right, and often wrong."""
UNSEEN_SPACING = 0.4
"""Of the points on the whole surface, mm, like those that are seen."""
WITHIN = 0.003
"""Of the diameter: surface that is nearer than this counts as right."""


class GroundTruth(NamedTuple):
    """What is known of the reference points, in the order of DTU's file."""

    views: Int[np.ndarray, "n"]
    openness: Float[np.ndarray, "n"]


def load_truth(scan: Path) -> GroundTruth:
    with np.load(scan / "reference" / "seen.npz") as content:
        return GroundTruth(content["views"].astype(int), content["openness"].astype(float))


def measure_mesh(
    mesh: Surface, scan: Path, diameter: float, *, threads: int, seed: int = 0
) -> dict[str, Any]:
    """All figures of a mesh in the scan's world frame, mm.

    DTU's protocol, but for one thing: the mesh is measured to all of the exact surface, seen or
    not, where DTU has only what its scanner saw, so that the right back of a thin wall costs
    nothing. The way back is from what training views see.

    Args:
        scan: folder of :func:`benchmarks.quality.generate.make_scan`.
        diameter: of the object, mm.
        seed: of the order in which DTU's protocol thins points.
    """
    reference = load_reference(scan / "reference" / "dtu", 1)
    truth = load_truth(scan)
    everything = with_all_surface(reference, scan)
    distances = dtu_distances(mesh, everything, seed=seed, workers=threads)
    above = reference.is_above_table(reference.points)
    distances = first_of_reference(distances, above.sum())
    nearest = np.asarray(KDTree(reference.points).query(distances.data, workers=threads)[1])
    figures = error_figures(
        distances, truth_at(truth, above), truth_at(truth, nearest), WITHIN * diameter
    )
    return figures | {"diameter": diameter, "within_mm": WITHIN * diameter}


def with_all_surface(reference: DtuReference, scan: Path) -> DtuReference:
    """The reference with points of the whole exact surface after its own."""
    exact = load_surface(scan / "reference" / "mesh.ply")
    points = np.concatenate([reference.points, points_of_mesh(exact, UNSEEN_SPACING)])
    return replace(reference, points=points)


def first_of_reference(distances: SurfaceDistances, count: int) -> SurfaceDistances:
    """Without all but the first points of the reference: those that are seen come first."""
    return replace(
        distances,
        reference=distances.reference[:count],
        reference_to_data=distances.reference_to_data[:count],
    )


def truth_at(truth: GroundTruth, chosen: np.ndarray) -> GroundTruth:
    return GroundTruth(truth.views[chosen], truth.openness[chosen])


def error_figures(
    distances: SurfaceDistances, of_reference: GroundTruth, of_data: GroundTruth, within: float
) -> dict[str, Any]:
    """Means of the distances that count, and their parts by group.

    A point of the mesh belongs to the group of the reference point next to it. A group's
    ``share_of_error`` is what its points add to overall, which is the mean of accuracy and
    completeness: the shares of all groups add up to 1. ``within`` is the share of its reference
    points that have a point of the mesh so near.

    ``missed`` is the share of the reference that no mesh comes within DTU's 20 mm of: it is in no
    mean, so that a mesh that reaches it badly may score worse than one that does not at all.

    Args:
        of_reference, of_data: what is known at the points of ``distances.reference`` and at the
            reference points next to those of ``distances.data``.
    """
    to_data, to_reference = distances.reference_to_data, distances.data_to_reference
    complete, accurate = np.isfinite(to_data), np.isfinite(to_reference)
    accuracy, completeness = to_reference[accurate].mean(), to_data[complete].mean()
    right = np.mean([(to_reference <= within).mean(), (to_data <= within).mean()])

    def parts(edges: tuple[float, ...], key: str) -> dict[str, dict[str, float | None]]:
        ours = np.digitize(getattr(of_data, key), edges) - 1
        theirs = np.digitize(getattr(of_reference, key), edges) - 1
        found = {}
        for group, name in enumerate(names_of(edges)):
            errors = to_data[complete & (theirs == group)], to_reference[accurate & (ours == group)]
            known = bool((theirs == group).any())
            added = errors[0].sum() / complete.sum() + errors[1].sum() / accurate.sum()
            found[name] = {
                "share_of_surface": float((theirs == group).mean()),
                "completeness": float(errors[0].mean()) if len(errors[0]) else None,
                "accuracy": float(errors[1].mean()) if len(errors[1]) else None,
                "within": float((to_data[theirs == group] <= within).mean()) if known else None,
                "share_of_error": float(added / (accuracy + completeness)),
            }
        return found

    return {
        "overall": float((accuracy + completeness) / 2),
        "accuracy": float(accuracy),
        "completeness": float(completeness),
        "within": float(right),
        "missed": float((~complete).mean()),
        "by_views": parts(VIEWS, "views"),
        "by_openness": parts(OPENNESS, "openness"),
    }


def names_of(edges: tuple[float, ...]) -> list[str]:
    """``1-2``, ``3-9``, ``10-24``, ``25+`` of whole numbers; ``0-0.25`` and so on of others."""
    whole = all(isinstance(edge, int) for edge in edges)
    ends = [f"{b - 1 if whole else b:g}" for b in edges[1:]]
    last = f"{edges[-1]:g}+"
    return [*(f"{a:g}-{b}" for a, b in zip(edges[:-1], ends, strict=True)), last]
