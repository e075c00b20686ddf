"""Where a mesh is wrong, as a camera sees it: too far out in red, too deep in blue, or missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from neus.images import resize_image, to_uint8
from neus.mesh.rasterising import interpolated, rasterised
from neus.metrics.closest import TriangleTree
from neus.metrics.silhouettes import shaded

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

    from neus.metrics.geometry import Surface
    from neus.scene import Cameras

BEHIND = [[15, 70, 150], [50, 125, 190], [110, 175, 220], [180, 215, 235]]
BEFORE = [[253, 205, 170], [244, 140, 100], [214, 70, 60], [165, 15, 35]]
SCALE = np.array([*BEHIND, [226, 226, 226], *BEFORE])
"""Colours of -1 to 1, grey at 0: blue and red, like ColorBrewer's RdBu, are told apart in every
kind of colour blindness, and both darken outwards."""
MISSING = 25
"""Near black: darker than the ends of the scale, which say that a surface is there."""
DARKEST = 0.45
"""What is left of a colour where the surface is seen edge on."""
SAMPLES = 2
"""Along a side of each pixel of a picture."""


class Measured(NamedTuple):
    """A mesh with the tree of its triangles, which knows the distance to it."""

    surface: Surface
    tree: TriangleTree

    @classmethod
    def of(cls, surface: Surface) -> Measured:
        return cls(surface, TriangleTree.build(surface.triangles))


def errors_seen(
    mesh: Measured, exact: Measured, cameras: Cameras, index: int, end: float
) -> Float[np.ndarray, "h w"]:
    """How far a mesh is from the exact surface at each pixel of a camera, all in one frame.

    Positive where the mesh lies before the exact surface, or beside it; negative where it lies
    behind it, where the way back counts, too, if it is longer. ``nan`` where neither is seen.

    ``-inf`` stands for surface that is missing: no mesh is within ``end`` of it, and the camera
    sees nothing in its place, or what is right elsewhere, through the hole.
    """
    to_exact, nearness = _distances(mesh.surface, exact.tree, cameras, index)
    to_mesh, nearness_of_exact = _distances(exact.surface, mesh.tree, cameras, index)
    behind = nearness_of_exact > nearness
    errors = np.where(behind, -np.fmax(to_exact, to_mesh), to_exact)
    errors[behind & (to_mesh > end) & ~(to_exact > end)] = -np.inf
    return errors


def _distances(
    surface: Surface, other: TriangleTree, cameras: Cameras, index: int
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w"]]:
    """Of what a camera sees of a mesh to the other one, ``nan`` around it; one over its depth."""
    assert surface.faces is not None
    height, width = int(cameras.heights[index]), int(cameras.widths[index])
    pixels, depth = cameras.project(index, surface.vertices)
    seen, nearness = rasterised(pixels, depth, surface.faces, height, width)
    distances = np.full((height, width), np.nan)
    points = interpolated(seen, pixels, depth, surface.faces, surface.vertices)
    distances[seen >= 0] = other.query(points)[0]
    return distances, nearness


def error_picture(
    mesh: Measured, exact: Measured, cameras: Cameras, index: int, end: float
) -> UInt8[np.ndarray, "h w 3"]:
    """The errors of a mesh on white, shaded as if lit from the camera.

    Args:
        end: of the scale, in the unit of the meshes; what is farther off has its last colour.
    """
    fine = cameras.resized(SAMPLES * cameras.widths, SAMPLES * cameras.heights)
    errors = errors_seen(mesh, exact, fine, index, end)
    light = DARKEST + (1 - DARKEST) * shaded(mesh.surface, fine, index)
    rgb = colours(errors / end) * light[:, :, None]
    rgb[np.isneginf(errors)] = MISSING
    rgb[np.isnan(errors)] = 255
    size = int(cameras.widths[index]), int(cameras.heights[index])
    return resize_image(to_uint8(rgb / 255), *size)


def colours(shares: Float[np.ndarray, "*n"]) -> Float[np.ndarray, "*n 3"]:
    """RGB, 0 to 255, of shares of the scale; the last colours beyond -1 and 1."""
    places = np.linspace(-1, 1, len(SCALE))
    return np.stack([np.interp(shares, places, channel) for channel in SCALE.T], axis=-1)
