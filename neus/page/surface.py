"""A run's surface as the page shows it: few triangles, with the look of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neus.images import to_uint8
from neus.mesh import Mesh
from neus.mesh.simplification import collapsed
from neus.page.packing import Packed, blocks_picture, packed, quantised
from neus.page.tiles import atlas, paired, texel_points

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

MOST_FACES = 20_000
"""Of a mesh in the page; its texels keep what a million had."""
NEIGHBOURS = 3
COUNTED = 200
"""The byte of an error at the end of the scale, or beyond."""
NOT_COUNTED = 255
"""The byte where nothing was measured."""


@dataclass(frozen=True)
class Errors:
    """How far a surface is from its reference, at points of it.

    Attributes:
        points: ``[n, 3]`` in the frame of the mesh.
        shares: ``[n]`` the distance, of that at the end of the scale; nan where it is not counted.
    """

    points: Float[np.ndarray, "n 3"]
    shares: Float[np.ndarray, "n"]


def surface_of_page(
    mesh: Mesh, errors: Errors | None, workers: int = 1, photographed: Mesh | None = None
) -> Packed:
    """A mesh with normals and colours, in the scene frame, as the page's viewer reads it.

    Args:
        photographed: points of the surface with normals and the colours of a texture, which are
            shown in place of those of the mesh.
        errors: in the same frame; None where there is no reference.
        workers: threads.

    Returns:
        ``points``; ``corners`` ``[q, 4]`` and how many of them are ``pairs``, as
        :class:`neus.page.tiles.Quads`; if it is ``textured``; the pictures ``colour``,
        ``normal`` (``(n + 1) / 2``) and ``error``, each of ``columns`` blocks across; and
        ``faces``, those of the full mesh.
    """
    points, triangles = collapsed(mesh, MOST_FACES)
    quads = paired(triangles, points)
    texels = texel_points(quads, points)
    flat = texels.reshape(-1, 3)
    facing = _facing(texels).reshape(-1, 3)
    colour, normal = looks(mesh, flat, facing, workers)
    if photographed is not None:
        colour, _ = looks(photographed, flat, facing, workers)
    shape = texels.shape
    content = {
        "points": quantised(points),
        "corners": packed(quads.corners.astype(np.uint16)),
        "pairs": quads.pairs,
        "columns": quads.columns,
        "textured": photographed is not None,
        "colour": blocks_picture(atlas(colour.reshape(shape), quads.columns)),
        "normal": blocks_picture(
            atlas(to_uint8((normal + 1) / 2).reshape(shape), quads.columns), quality=80
        ),
        "faces": len(mesh.faces),
    }
    if errors is not None and len(errors.points):
        bytes_ = error_bytes(errors, flat, workers).reshape(shape[:3])
        content["error"] = blocks_picture(atlas(bytes_, quads.columns))
    return content


def looks(
    mesh: Mesh,
    points: Float[np.ndarray, "n 3"],
    facing: Float[np.ndarray, "n 3"],
    workers: int,
) -> tuple[UInt8[np.ndarray, "n 3"], Float[np.ndarray, "n 3"]]:
    """Colours and unit normals of a mesh beside points.

    Each is the mean of the nearest vertices, the nearer the more; those of the other side of a
    thin sheet, whose normals point away from ``facing``, hardly count.
    """
    from scipy.spatial import KDTree

    normals, colours = mesh.normals, mesh.colours
    if normals is None or colours is None:
        raise ValueError("a mesh of the page has normals and colours")
    count = min(NEIGHBOURS, len(mesh.vertices))
    distance, near = KDTree(mesh.vertices).query(points, k=count, workers=workers)
    distance, near = distance.reshape(len(points), count), near.reshape(len(points), count)
    agreement = np.einsum("nkc,nc->nk", normals[near], facing)
    weights = np.maximum(agreement, 1e-3) / (distance + 1e-3 * distance.max() + 1e-12)
    weights /= weights.sum(axis=1, keepdims=True)
    colour = np.einsum("nk,nkc->nc", weights, colours[near].astype(np.float64))
    normal = np.einsum("nk,nkc->nc", weights, normals[near])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
    return np.rint(colour).astype(np.uint8), normal


def error_bytes(
    errors: Errors, points: Float[np.ndarray, "n 3"], workers: int
) -> UInt8[np.ndarray, "n"]:
    """0 to `COUNTED` from no error to the end of the scale; `NOT_COUNTED` where nothing is near.

    What protocols cut off the mesh has no points in the cloud of errors, and is none of them.
    """
    from scipy.spatial import KDTree

    tree = KDTree(errors.points)
    sample = errors.points[:: max(1, len(errors.points) // 2000)]
    beside = tree.query(sample, k=min(2, len(errors.points)))[0].reshape(len(sample), -1)
    spacing = np.median(beside[:, -1])
    distance, near = tree.query(points, workers=workers)
    shares = errors.shares[near]
    known: Bool[np.ndarray, "n"] = np.isfinite(shares) & (distance <= 5 * spacing)
    counted = np.rint(COUNTED * np.clip(np.where(known, shares, 0), 0, 1))
    return np.where(known, counted, NOT_COUNTED).astype(np.uint8)


def _facing(texels: Float[np.ndarray, "q h w 3"]) -> Float[np.ndarray, "q h w 3"]:
    """The unit normals of the triangles that texels lie on."""
    a, b, c, d = texels[:, 0, 0], texels[:, 0, -1], texels[:, -1, 0], texels[:, -1, -1]
    first, second = (_unit(np.cross(*edges)) for edges in ((b - a, c - a), (c - d, b - d)))
    row, column = np.mgrid[: texels.shape[1], : texels.shape[2]]
    is_first = (row + column <= texels.shape[1] - 1)[None, :, :, None]
    return np.where(is_first, first[:, None, None], second[:, None, None])


def _unit(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
