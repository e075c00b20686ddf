"""Where a surface is wrong: points coloured by their distance, as clouds and as pictures."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from neus.images import panel, to_uint8, write_image
from neus.mesh import Mesh
from neus.mesh.export import write_mesh

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, Int, UInt8

    from neus.metrics.surfaces import SurfaceDistances, SurfaceFigures

FIRST_COLOUR, LAST_COLOUR = 0.08, 0.92
NOT_COUNTED = np.array([150, 150, 150], np.uint8)
"""Of points whose distance is not finite."""
ANGLES = {
    "front": (0.0, 25.0),
    "left": (-70.0, 25.0),
    "right": (70.0, 25.0),
    "top": (0.0, 80.0),
}
"""Degrees around the vertical, and above the horizon, from where a picture is taken."""
SHADES = 1024
"""Places of the scale that colours are looked up at: more than it has colours."""
SIDE = 480
"""Pixels of a picture's side."""
MOST_POINTS = 1_000_000
"""In a cloud's file: 15 megabytes, as much as a viewer needs."""
FILES = ("accuracy.ply", "accuracy.png", "completeness.ply", "completeness.png")
FRINGE = 0.005
"""Share of the points at each end of an axis that may be specks, far from all others."""
SPIRE = 0.5
"""How far the fringe may stick out and still be in the picture, as a share of all between."""


@dataclass(frozen=True)
class Viewpoint:
    """How to look at a surface: ``up``, and ``front`` from it to the viewer; of any length."""

    up: Float[np.ndarray, "3"]
    front: Float[np.ndarray, "3"]

    def axes(
        self, around: float, above: float
    ) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3"]]:
        """Right and up of a picture that is taken from ``around`` and ``above``, in degrees."""
        up = self.up / np.linalg.norm(self.up)
        level = self.front - (self.front @ up) * up
        if np.linalg.norm(level) < 1e-6 * np.linalg.norm(self.front):
            level = np.cross(up, np.eye(3)[np.abs(up).argmin()])
        level = level / np.linalg.norm(level)
        turn, lift = np.radians([around, above])
        towards = np.cos(turn) * level + np.sin(turn) * np.cross(up, level)
        right = np.cross(up, towards)
        viewer = np.cos(lift) * towards + np.sin(lift) * up
        return right, np.cross(viewer, right)


def write_error_clouds(
    folder: Path,
    distances: SurfaceDistances,
    figures: SurfaceFigures,
    view: Viewpoint,
    advance: Callable[[float], None] = lambda share: None,
) -> None:
    """Write both directions to `FILES`: coloured points, and four pictures of them.

    Colours end at twice the threshold of the F-score. The pictures show all points, the clouds at
    most `MOST_POINTS` of them. ``advance`` is told which share is done.
    """
    shown = 2 * figures.fscore_threshold
    both = (
        ("accuracy", distances.data, distances.data_to_reference),
        ("completeness", distances.reference, distances.reference_to_data),
    )
    steps, done = len(both) * (1 + len(ANGLES)), 0
    advance(0.0)
    for name, points, errors in both:
        colours = error_colours(errors, shown)
        step = -(-len(points) // MOST_POINTS) or 1
        no_faces = np.zeros((0, 3), np.int32)
        cloud = Mesh(points[::step], no_faces, colours=colours[::step])
        write_mesh(folder / f"{name}.ply", cloud)
        any_left_out = not np.isfinite(errors).all()
        pictures = []
        for angles in ANGLES.values():
            pictures.append(cloud_picture(points, colours, *view.axes(*angles)))
            advance((done := done + 1) / steps)
        rows = [panel([pictures[i : i + 2]], list(ANGLES)[i : i + 2]) for i in (0, 2)]
        scale = _colour_scale(shown, figures.unit, 2 * SIDE, any_left_out)
        write_image(folder / f"{name}.png", panel([[row] for row in (*rows, scale)]))
        advance((done := done + 1) / steps)


def first_picture(four: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "s s 3"]:
    """The picture from the front alone, without its caption, of a file of four."""
    top = len(panel([[np.zeros((SIDE, SIDE, 3), np.uint8)]], [""])) - SIDE
    return four[top : top + SIDE, :SIDE]


def error_colours(distances: Float[np.ndarray, "n"], shown: float) -> UInt8[np.ndarray, "n 3"]:
    """Blue at 0 to red at ``shown`` and above; grey where the distance is not finite.

    The colours are turbo's without its dark ends, in which slopes could not be told.
    """
    if len(distances) == 0:
        return np.zeros((0, 3), np.uint8)
    counted = np.isfinite(distances)
    shares = np.clip(np.where(counted, distances, 0) / shown, 0, 1)
    shares = to_uint8(FIRST_COLOUR + (LAST_COLOUR - FIRST_COLOUR) * shares)
    colours = cv2.applyColorMap(shares[:, None], cv2.COLORMAP_TURBO)[:, 0, ::-1]
    return np.where(counted[:, None], colours, NOT_COUNTED)


def shares_of_colours(colours: UInt8[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
    """The distances that `error_colours` took, of that at the end of the scale; nan where grey.

    A cloud's file holds colours alone; they are steps of a 200th of the scale.
    """
    scale = np.linspace(0, 1, SHADES)
    codes, first = np.unique(_code(error_colours(scale, 1.0)), return_index=True)
    wanted = _code(colours)
    place = np.searchsorted(codes, wanted).clip(max=len(codes) - 1)
    return np.where(codes[place] == wanted, scale[first[place]], np.nan)


def _code(colours: UInt8[np.ndarray, "n 3"]) -> Int[np.ndarray, "n"]:
    return colours.astype(np.int64) @ np.array([65536, 256, 1])


def cloud_picture(
    points: Float[np.ndarray, "n 3"],
    colours: UInt8[np.ndarray, "n 3"],
    right: Float[np.ndarray, "3"],
    up: Float[np.ndarray, "3"],
) -> UInt8[np.ndarray, "h w 3"]:
    """Parallel projection on white; near points hide far ones, each is a square of 3 pixels.

    Slopes are shaded as if lit from the viewer, or nobody could tell the shape.
    """
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)
    if len(points) == 0:
        return picture
    flat = points @ np.stack([right, up, np.cross(right, up)], axis=1)
    low, high = _extent(flat[:, :2])
    pixel = max(float((high - low).max()), 1e-9) / (0.9 * SIDE)
    centre = (low + high) / 2
    columns = np.floor((flat[:, 0] - centre[0]) / pixel + SIDE / 2).astype(np.int64)
    rows = np.floor((centre[1] - flat[:, 1]) / pixel + SIDE / 2).astype(np.int64)
    nearest = _nearest_points(columns, rows, flat[:, 2])
    hit = nearest >= 0
    picture[hit] = colours[nearest[hit]]
    depth = np.where(hit, flat[nearest, 2] / pixel, np.nan)
    return to_uint8(picture / 255 * _shading(depth)[:, :, None])


def _extent(
    flat: Float[np.ndarray, "n 2"],
) -> tuple[Float[np.ndarray, "2"], Float[np.ndarray, "2"]]:
    """Lowest and highest corner of what is shown: a thin spire is, specks far from all are not."""
    low, high = np.quantile(flat, [FRINGE, 1 - FRINGE], axis=0)
    reach = SPIRE * (high - low)
    near = np.where((flat >= low - reach) & (flat <= high + reach), flat, (low + high) / 2)
    return near.min(axis=0), near.max(axis=0)


def _nearest_points(
    columns: Int[np.ndarray, "n"], rows: Int[np.ndarray, "n"], towards: Float[np.ndarray, "n"]
) -> Int[np.ndarray, "h w"]:
    """For each pixel the point that is farthest ``towards`` the viewer, or -1."""
    order = np.argsort(towards)  # of several writes to one pixel the last stays
    order = order[((columns >= 0) & (columns < SIDE) & (rows >= 0) & (rows < SIDE))[order]]
    if len(order) == 0:
        return np.full((SIDE, SIDE), -1)
    ranks = np.full((SIDE, SIDE), -1.0)
    ranks[rows[order], columns[order]] = np.arange(len(order))
    highest = cv2.dilate(ranks, np.ones((3, 3))).astype(np.int64)
    return np.where(highest >= 0, order[highest], -1)


def _shading(depth: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    """From 0.5 on slopes seen edge on to 1 seen face on; 1 where nothing is."""
    known = np.isfinite(depth)
    weight = cv2.GaussianBlur(known.astype(np.float64), (0, 0), 2)
    smooth = cv2.GaussianBlur(np.where(known, depth, 0), (0, 0), 2) / np.maximum(weight, 1e-9)
    slope_y, slope_x = np.gradient(smooth)
    cosine = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    return np.where(known, 0.5 + 0.5 * cosine, 1.0)


def _colour_scale(
    shown: float, unit: str, width: int, any_not_counted: bool
) -> UInt8[np.ndarray, "h w 3"]:
    strip = np.full((48, width, 3), 255, np.uint8)
    bar = slice(20, width // 2)
    strip[8:24, bar] = error_colours(np.linspace(0, shown, width // 2 - 20), shown)
    ink, font = (40, 40, 40), cv2.FONT_HERSHEY_SIMPLEX
    for share in (0.0, 0.5, 1.0):
        text = f"{share * shown:g}" + (f" {unit} or more" if share == 1 else "")
        place = (20 + int(share * (width // 2 - 20)) - 5, 42)
        cv2.putText(strip, text, place, font, 0.5, ink, 1, cv2.LINE_AA)
    if any_not_counted:
        strip[8:24, width // 2 + 200 : width // 2 + 216] = NOT_COUNTED
        place = (width // 2 + 226, 21)
        cv2.putText(strip, "too far to be counted", place, font, 0.5, ink, 1, cv2.LINE_AA)
    return strip
