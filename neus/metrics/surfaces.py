"""Figures of a reconstructed surface against a reference: distances, F-score, normals."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.spatial import KDTree

from neus.errors import InputError
from neus.metrics.closest import TriangleTree
from neus.metrics.geometry import Surface

if TYPE_CHECKING:
    from jaxtyping import Float


EXPECTED = {"points": 1.2, "thinning": 2.0, "accuracy": 1.5, "completeness": 0.9}
"""Seconds of the parts of a comparison, between those of the demo and of a DTU scan on two cores,
of which thinning is a third: how they compare counts."""


@dataclass(frozen=True)
class SurfaceFigures:
    """What a table says of one mesh; ``nan`` where a figure has no value.

    Attributes:
        accuracy: mean distance from the reconstruction to the reference.
        completeness: mean distance from the reference to the reconstruction.
        chamfer: the mean of accuracy and completeness.
        precision: share of the reconstruction within ``fscore_threshold`` of the reference.
        recall: share of the reference within ``fscore_threshold`` of the reconstruction.
        fscore: harmonic mean of precision and recall (Knapitsch et al. 2017).
        fscore_threshold: in ``unit``.
        normal_consistency: mean ``|n . n'|`` between nearest points, both ways.
        diameter: diagonal of the reference's axis-aligned bounding box, in ``unit``.
        unit: of every distance above.
        protocol: ``"mesh"`` for `surface_distances`, ``"dtu"`` for the DTU protocol.
    """

    accuracy: float
    completeness: float
    chamfer: float
    precision: float
    recall: float
    fscore: float
    fscore_threshold: float
    normal_consistency: float
    diameter: float
    unit: str
    protocol: str

    def to_json(self) -> dict[str, Any]:
        """As JSON has it: ``nan`` becomes null."""
        return {
            name: None if isinstance(value, float) and math.isnan(value) else value
            for name, value in asdict(self).items()
        }


@dataclass(frozen=True)
class SurfaceSamples:
    """Points on a surface, ``[n, 3]``, and the unit normals there, ``[n, 3]`` or None."""

    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"] | None


@dataclass(frozen=True)
class SurfaceDistances:
    """Points of two surfaces, each with its distance to the other; ``inf`` where it is not counted.

    Attributes:
        data, reference: ``[n, 3]`` points of the reconstruction and of the reference.
        data_to_reference: ``[n]``
        reference_to_data: ``[m]``
        normal_consistency: mean ``|n . n'|`` between nearest points, both ways; or ``nan``.
    """

    data: Float[np.ndarray, "n 3"]
    data_to_reference: Float[np.ndarray, "n"]
    reference: Float[np.ndarray, "m 3"]
    reference_to_data: Float[np.ndarray, "m"]
    normal_consistency: float = math.nan


def surface_distances(
    reconstruction: Surface,
    reference: Surface,
    *,
    samples: int,
    seed: int,
    workers: int = 1,
    advance: Callable[[str, float], None] = lambda part, share: None,
) -> SurfaceDistances:
    """Measure a reconstruction against a reference, both in the same frame; nothing is aligned.

    Distances run from `samples` random points of one surface to the whole of the other: to the
    exact nearest point of its triangles where that is a mesh, to its nearest point where it is a
    cloud (whose spacing is then a floor under the distance).

    Args:
        samples: points drawn on each surface: uniform over a mesh's area; a cloud with more points
            than this is thinned at random, a smaller one used whole.
        seed: of the random points; the same seed gives the same figures.
        workers: threads of the searches; they do not change the figures.
        advance: is told which part is under way: points, accuracy or completeness.

    Raises:
        InputError: ``samples`` is not positive, or a mesh has no area.
    """
    if samples < 1:
        raise InputError(f"samples must be positive, not {samples}: mend the evaluation's settings")
    advance("points", 0.0)
    rng = np.random.default_rng(seed)
    data = sample_surface(reconstruction, samples, rng)
    wanted = sample_surface(reference, samples, rng)
    advance("accuracy", 0.0)
    to_reference, precise_cosines = _nearest(data, reference, workers)
    advance("completeness", 0.0)
    to_data, complete_cosines = _nearest(wanted, reconstruction, workers)
    consistency = (precise_cosines + complete_cosines) / 2
    return SurfaceDistances(data.points, to_reference, wanted.points, to_data, consistency)


def surface_figures(
    distances: SurfaceDistances, *, threshold: float, diameter: float, unit: str, protocol: str
) -> SurfaceFigures:
    """Means of the distances that count, and the F-score.

    Args:
        threshold: distance that counts for precision, recall and F-score, in ``unit``.
        diameter: of the reference, in ``unit``.
        unit, protocol: named in the result.

    Raises:
        InputError: ``threshold`` is not positive.
    """
    if not threshold > 0:
        raise InputError(
            f"the threshold must be positive, not {threshold:g}: mend the evaluation's settings"
        )
    accuracy = _mean_counted(distances.data_to_reference)
    completeness = _mean_counted(distances.reference_to_data)
    precision = float((distances.data_to_reference <= threshold).mean())
    recall = float((distances.reference_to_data <= threshold).mean())
    return SurfaceFigures(
        accuracy=accuracy,
        completeness=completeness,
        chamfer=(accuracy + completeness) / 2,
        precision=precision,
        recall=recall,
        fscore=2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0,
        fscore_threshold=threshold,
        normal_consistency=distances.normal_consistency,
        diameter=diameter,
        unit=unit,
        protocol=protocol,
    )


def _mean_counted(distances: Float[np.ndarray, "n"]) -> float:
    return float(distances[np.isfinite(distances)].mean())


def sample_surface(surface: Surface, count: int, rng: np.random.Generator) -> SurfaceSamples:
    """Random points of a surface, in the order of its faces or points.

    On a mesh: ``count`` points, uniform over the area, one in each of ``count`` equal shares of it
    (stratified: less noise than independent draws). Of a cloud: ``count`` of its points without
    repetition, or all where there are no more.

    Raises:
        InputError: the mesh has no area.
    """
    if not surface.is_mesh:
        if len(surface.vertices) <= count:
            return SurfaceSamples(surface.vertices, surface.normals)
        kept = np.sort(rng.choice(len(surface.vertices), count, replace=False))
        normals = None if surface.normals is None else surface.normals[kept]
        return SurfaceSamples(surface.vertices[kept], normals)
    corners = surface.triangles
    normals, areas = _normals_and_areas(corners)
    cumulative = np.cumsum(areas)
    if not cumulative[-1] > 0:
        raise InputError("the mesh has no area: extract it anew, with a finer grid")
    shares = (np.arange(count) + rng.random(count)) / count
    faces = np.searchsorted(cumulative, shares * cumulative[-1], side="right")
    faces = np.minimum(faces, np.flatnonzero(areas)[-1])
    # Uniform in a triangle: the square root spreads the points evenly from the first corner.
    root, along = np.sqrt(rng.random((count, 1))), rng.random((count, 1))
    a, b, c = corners[faces, 0], corners[faces, 1], corners[faces, 2]
    return SurfaceSamples(a + root * (b - a) + root * along * (c - b), normals[faces])


def _nearest(samples: SurfaceSamples, target: Surface, workers: int) -> tuple[np.ndarray, float]:
    """Distances to the target, and the mean ``|cosine|`` between the normals of nearest points."""
    if target.is_mesh:
        corners = target.triangles
        distances, nearest = TriangleTree.build(corners).query(samples.points, workers)
        normals = _normals_and_areas(corners)[0]
    else:
        tree = KDTree(target.vertices, compact_nodes=False, balanced_tree=False)
        distances, nearest = tree.query(samples.points, workers=workers)
        normals = target.normals
    if normals is None or samples.normals is None:
        return distances, math.nan
    cosines = np.einsum("ij,ij->i", samples.normals, normals[nearest])
    return distances, float(np.abs(cosines).mean())


def _normals_and_areas(
    corners: Float[np.ndarray, "f 3 3"],
) -> tuple[Float[np.ndarray, "f 3"], Float[np.ndarray, "f"]]:
    doubled = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(doubled, axis=1)
    return doubled / np.maximum(length, 1e-300)[:, None], length / 2


def in_a_line(figures: SurfaceFigures, culling: str) -> str:
    """The main figures, for a log."""
    if figures.protocol == "tanks":
        return (
            f"precision {figures.precision:.4f}, recall {figures.recall:.4f}, F-score "
            f"{figures.fscore:.4f} at {figures.fscore_threshold:g} {figures.unit}"
        )
    return (
        f"accuracy {figures.accuracy:.4g}, completeness {figures.completeness:.4g}, "
        f"Chamfer {figures.chamfer:.4g} {figures.unit}, culling {culling}"
    )
