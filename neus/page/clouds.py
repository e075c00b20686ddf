"""Clouds of points as the page's viewer reads them: the reference, sparse points, fused stereo."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.page.packing import Packed, octahedral, packed, quantised
from neus.page.surface import COUNTED, NOT_COUNTED, Errors

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

MOST_POINTS = 40_000
REACH = 1.3
"""Distance from the origin of the scene frame beyond which points are no part of the object."""
NEIGHBOURS = 32


def coloured_cloud(
    points: Float[np.ndarray, "n 3"],
    colours: UInt8[np.ndarray, "n 3"],
    normals: Float[np.ndarray, "n 3"] | None = None,
) -> Packed:
    """Points in and around the unit sphere of the scene frame with what cameras saw there."""
    inside = np.flatnonzero(np.linalg.norm(points, axis=1) <= REACH)
    chosen = inside[some(len(inside))]
    content = {"points": quantised(points[chosen]), "colours": packed(colours[chosen])}
    if normals is not None:
        content["normals"] = packed(octahedral(normals[chosen]))
    return content | {"of": len(points)}


def reference_cloud(errors: Errors) -> Packed:
    """The reference, in the scene frame, with its distance to the surface that was made.

    Its points come without normals: those are of the plane through each point's neighbours, and
    nobody knows on which side they are.
    """
    points = errors.points
    chosen = some(len(points))
    shares = errors.shares[chosen]
    counted = np.rint(COUNTED * np.clip(np.nan_to_num(shares), 0, 1))
    return {
        "points": quantised(points[chosen]),
        "normals": packed(octahedral(plane_normals(points, chosen))),
        "errors": packed(np.where(np.isfinite(shares), counted, NOT_COUNTED).astype(np.uint8)),
        "of": len(points),
    }


def some(count: int) -> Int[np.ndarray, "m"]:
    """At most `MOST_POINTS` of so many places, at random but the same ones each time."""
    if count <= MOST_POINTS:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, MOST_POINTS, replace=False))


def plane_normals(
    points: Float[np.ndarray, "n 3"], places: Int[np.ndarray, "m"]
) -> Float[np.ndarray, "m 3"]:
    """Unit normals of the planes through the neighbours of some of the points, of either sign."""
    from scipy.spatial import KDTree

    count = min(NEIGHBOURS, len(points))
    if count < 3:
        return np.tile([0.0, 0, 1], (len(places), 1))
    near = points[KDTree(points).query(points[places], k=count)[1]]
    centred = near - near.mean(axis=1, keepdims=True)
    return np.linalg.eigh(np.einsum("mki,mkj->mij", centred, centred))[1][:, :, 0]
