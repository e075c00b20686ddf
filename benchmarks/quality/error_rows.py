"""A scan's row in a sheet of errors: two held-out views, each as a photo and as all meshes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np

from benchmarks.quality.error_views import MISSING, Measured, colours, error_picture, errors_seen
from benchmarks.quality.scans import HOLDOUT
from benchmarks.quality.surface_figures import WITHIN
from neus.images import panel, read_image, to_uint8
from neus.scene import Cameras

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float, UInt8

    from neus.scene import Scene

END = 0.01
"""Of the scale, as a share of the object's diameter."""
WIDTH = 1600
"""Of a sheet, in pixels: where two views do not fit beside each other, they stand one below the
other."""
TILE = (261, 196)
"""Of each picture, width and height: six of them are as wide as a sheet."""
MARGIN = 0.04
"""Around the object, as a share of its extent."""
GAP, GAP_OF_VIEWS = 4, 18
GLANCE = 100
"""Pixels along the longer side of the pictures that tell which views to show."""
BAR, INK, FONT = 480, (40, 40, 40), (cv2.FONT_HERSHEY_SIMPLEX, 0.55)


class Cell(NamedTuple):
    """What stands over a mesh, and the mesh; None leaves its place empty."""

    caption: str
    mesh: Measured | None


def two_views(
    titles: tuple[str, str],
    scene: Scene,
    exact: Measured,
    cells: Sequence[Cell],
    end: float,
) -> UInt8[np.ndarray, "h w 3"]:
    """The views of middling and of the greatest error of the first cell's mesh.

    Args:
        titles: over the two photos.
        scene: photos and cameras, in the frame of the meshes.
        end: of the scale, in the meshes' unit.
    """
    first = cells[0].mesh
    if first is None:
        raise ValueError("the views follow from the first mesh: there is none")
    views = []
    for title, index in zip(titles, views_shown(first, exact, scene.cameras, end), strict=True):
        photo = read_image(scene.frames[index].image)
        camera, part = close_up(scene.cameras, index, exact.surface.vertices, photo)
        tiles = [part]
        for cell in cells:
            nothing = np.full_like(part, 255)
            mesh = cell.mesh
            tiles.append(nothing if mesh is None else error_picture(mesh, exact, camera, 0, end))
        views.append(panel([tiles], [title, *(cell.caption for cell in cells)], gap=GAP))
    if sum(view.shape[1] for view in views) + GAP_OF_VIEWS <= WIDTH:
        return panel([views], gap=GAP_OF_VIEWS)
    return panel([[view] for view in views], gap=GAP)


def views_shown(mesh: Measured, exact: Measured, cameras: Cameras, end: float) -> tuple[int, int]:
    """The held-out views that see the middling and the greatest mean error of a mesh.

    A pixel counts with ``end`` at most, or a speck far from the object would decide.
    """
    small = cameras.at_most(GLANCE)
    errors = {
        index: np.nanmean(np.fmin(abs(errors_seen(mesh, exact, small, index, end)), end))
        for index in range(0, len(cameras), HOLDOUT)
    }
    ranked = sorted(errors, key=lambda index: errors[index])
    return ranked[(len(ranked) - 1) // 2], ranked[-1]


def close_up(
    cameras: Cameras,
    index: int,
    points: Float[np.ndarray, "p 3"],
    photo: UInt8[np.ndarray, "h w 3"],
) -> tuple[Cameras, UInt8[np.ndarray, "h w 3"]]:
    """The part of a photo in which the points lie, as large as a tile, and the camera of it.

    It has the shape of a tile, and never more than the photo.
    """
    pixels, _ = cameras.project(index, points)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    tile, whole = np.array(TILE), np.array(photo.shape[1::-1])
    wanted = ((1 + 2 * MARGIN) * (high - low) / tile).max()
    size = np.rint(tile * min(wanted, (whole / tile).min())).astype(int)
    corner = np.rint((low + high - size) / 2).astype(int).clip(0, whole - size)
    (left, top), (width, height) = corner, size
    intrinsics = cameras.intrinsics[[index]].copy()
    intrinsics[0, :2, 2] -= corner
    part = Cameras(intrinsics, cameras.camera_to_world[[index]], size[:1], size[1:])
    kind = cv2.INTER_AREA if width > TILE[0] else cv2.INTER_CUBIC
    shown = cv2.resize(photo[top : top + height, left : left + width], TILE, interpolation=kind)
    return part.resized(tile[:1], tile[1:]), shown.astype(np.uint8)


def legend() -> UInt8[np.ndarray, "h w 3"]:
    """What the colours of a sheet mean."""
    middle = 20 + BAR // 2
    bar = np.full((52, BAR + 40, 3), 255, np.uint8)
    bar[8:26, 20 : 20 + BAR] = to_uint8(colours(np.linspace(-1, 1, BAR)) / 255)
    for value in (-END, -WITHIN, 0.0, WITHIN, END):
        place = middle + round(value / END * (BAR - 1) / 2)
        text = f"{100 * value:g}"
        (width, _), _ = cv2.getTextSize(text, *FONT, 1)
        cv2.line(bar, (place, 26), (place, 30), INK)
        cv2.putText(bar, text, (place - width // 2, 46), *FONT, INK, 1, cv2.LINE_AA)
    missing = np.full((26, 18, 3), 255, np.uint8)
    missing[8:] = MISSING
    words = "distance to the exact surface, % of the object's diameter:   too deep"
    parts = [line(words), bar, line("too far out"), missing, line("missing")]
    return panel([parts], gap=8)


def line(text: str) -> UInt8[np.ndarray, "h w 3"]:
    """A line of text as a picture that is as wide."""
    (width, _), _ = cv2.getTextSize(text, *FONT, 1)
    picture = np.full((26, width + 4, 3), 255, np.uint8)
    cv2.putText(picture, text, (2, 21), *FONT, INK, 1, cv2.LINE_AA)
    return picture
