"""Where silhouettes say that the object is: its visual hull, and a ball no larger than needed.

A visual hull (Laurentini, PAMI 1994) holds the object, but where no camera looks from (mostly
from below) it has cones that are empty. A ball around the object need not hold these: it has to
meet every ray through a silhouette, and to hold the points that are known to be on the surface.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

LONGEST_SIDE = 400
"""Masks are looked at no larger than this, in pixels: the ball is wanted to a percent."""
RESOLUTION = 48
"""Voxels along the cube's side, in each pass."""
MISSES = 0.05
"""Part of the views that may contradict a voxel: masks fail now and then."""
SEEN_BY = 0.5
"""Part of the views that must show a voxel: what few cameras see, few silhouettes bound."""
MIN_POINTS = 20
"""Fewer sparse points than this say nothing about the object's size."""


def silhouette_ball(
    cameras: Cameras,
    masks: Sequence[UInt8[np.ndarray, "h w"]],
    points: Float[np.ndarray, "p 3"],
    centre: Float[np.ndarray, "3"],
    half_width: float,
) -> tuple[Float[np.ndarray, "3"], float] | None:
    """Centre and radius of a ball around the object, in the frame of the cameras.

    It meets every ray through a silhouette and holds the sparse points on the object; if these are
    few, it holds the visual hull instead.

    Args:
        cameras: in any frame.
        masks: of the cameras' sizes, more than 127 inside the object. Empty ones have no say.
        points: sparse points in the frame of the cameras, on the object or not; or none.
        centre, half_width: a cube that holds the object.

    Returns:
        None if the silhouettes share no space.
    """
    views = [i for i in range(len(cameras)) if masks[i].max() > 127]
    small = _shrunk(cameras[views])
    distances = [
        _distance_to_silhouette(masks[i], width, height)
        for i, width, height in zip(views, small.widths, small.heights, strict=True)
    ]
    hull, voxel_radius = _visual_hull(small, distances, centre, half_width)
    if not len(hull):
        return None
    on_object = points[_carve(small, distances, points, voxel_radius)]
    held = on_object if len(on_object) >= MIN_POINTS else hull
    return enclosing_ball(held, *_silhouette_rays(small, distances, hull, voxel_radius))


def enclosing_ball(
    points: Float[np.ndarray, "p 3"],
    origins: Float[np.ndarray, "r 3"],
    directions: Float[np.ndarray, "r 3"],
) -> tuple[Float[np.ndarray, "3"], float]:
    """A ball that holds all points and meets all rays, about a percent larger than need be.

    Badoiu and Clarkson, "Smaller core-sets for balls", SODA 2003: step towards whatever is
    farthest by one part in i + 1; of a ray, its nearest point counts.
    """
    centre = points.mean(axis=0)
    for i in range(1, 300):
        offsets = _offsets(centre, points, origins, directions)
        centre = centre + offsets[(offsets**2).sum(axis=1).argmax()] / (i + 1)
    offsets = _offsets(centre, points, origins, directions)
    return centre, float(np.linalg.norm(offsets, axis=1).max())


def _offsets(
    centre: Float[np.ndarray, "3"],
    points: Float[np.ndarray, "p 3"],
    origins: Float[np.ndarray, "r 3"],
    directions: Float[np.ndarray, "r 3"],
) -> Float[np.ndarray, "p+r 3"]:
    """From the centre to each point, and to the nearest point of each ray (unit directions)."""
    to_origins = origins - centre
    along = (to_origins * directions).sum(axis=1, keepdims=True)
    return np.concatenate([points - centre, to_origins - along * directions])


def _shrunk(cameras: Cameras) -> Cameras:
    factors = np.minimum(1, LONGEST_SIDE / np.maximum(cameras.widths, cameras.heights))
    sizes = np.maximum(1, np.rint([cameras.widths * factors, cameras.heights * factors]))
    return cameras.resized(*sizes.astype(np.int64))


def _distance_to_silhouette(
    mask: UInt8[np.ndarray, "h w"], width: int, height: int
) -> Float[np.ndarray, "height width"]:
    """Distance of each pixel to the nearest one inside the shrunken mask, in pixels."""
    import cv2

    small = cv2.resize(mask, (int(width), int(height)), interpolation=cv2.INTER_AREA)
    inside = small > min(127, int(small.max()) - 1)  # it may be thinner than a shrunken pixel
    outside = np.where(inside, np.uint8(0), np.uint8(1))
    return cv2.distanceTransform(outside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _visual_hull(
    cameras: Cameras,
    distances: Sequence[Float[np.ndarray, "h w"]],
    centre: Float[np.ndarray, "3"],
    half_width: float,
) -> tuple[Float[np.ndarray, "p 3"], float]:
    """Centres and circumscribed radius of the voxels that touch the hull, coarse to fine.

    The cube is carved, then shrunk to what is left, until it no longer shrinks.
    """
    while True:
        points, radius = _voxels(centre, half_width)
        points = points[_carve(cameras, distances, points, radius)]
        if not len(points):
            return points, radius
        low, high = points.min(axis=0) - radius, points.max(axis=0) + radius
        centre, previous, half_width = (low + high) / 2, half_width, float((high - low).max() / 2)
        if half_width > 0.8 * previous:
            return points, radius


def _voxels(
    centre: Float[np.ndarray, "3"], half_width: float
) -> tuple[Float[np.ndarray, "p 3"], float]:
    """Voxel centres of a cube and the radius of a voxel's circumscribed sphere."""
    steps = (2 * np.arange(RESOLUTION) + 1) / RESOLUTION - 1
    grid = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)
    return centre + half_width * grid, half_width / RESOLUTION * np.sqrt(3)


def _carve(
    cameras: Cameras,
    distances: Sequence[Float[np.ndarray, "h w"]],
    points: Float[np.ndarray, "p 3"],
    radius: float,
) -> Int[np.ndarray, "kept"]:
    """Indices of the balls that enough views show and nearly none sees off the silhouette.

    A ball is off the silhouette if it does not even touch it: what is kept holds the hull.
    """
    alive = np.arange(len(points))
    seen, missed = np.zeros((2, len(points)), dtype=np.int64)
    for i, distance in enumerate(distances):
        pixels, depth = cameras.project(i, points[alive])
        shown = cameras.in_image(i, pixels, depth)
        x, y = pixels[shown].astype(np.int64).T
        reach = cameras.intrinsics[i, 0, 0] * radius / depth[shown] + 1  # a pixel for rounding
        seen[alive[shown]] += 1
        missed[alive[shown]] += distance[y, x] > reach
        alive = alive[missed[alive] <= MISSES * len(distances)]
    return alive[seen[alive] >= SEEN_BY * len(distances)]


def _silhouette_rays(
    cameras: Cameras,
    distances: Sequence[Float[np.ndarray, "h w"]],
    hull: Float[np.ndarray, "p 3"],
    voxel_radius: float,
) -> tuple[Float[np.ndarray, "r 3"], Float[np.ndarray, "r 3"]]:
    """Rays through the corners of each silhouette's convex outline.

    Only what the hull explains counts as silhouette: specks in single masks do not.
    """
    import cv2

    origins, directions = [np.zeros((0, 3))], [np.zeros((0, 3))]
    for i, distance in enumerate(distances):
        pixels, depth = cameras.project(i, hull)
        shown = cameras.in_image(i, pixels, depth)
        if not shown.any():
            continue
        x, y = pixels[shown].astype(np.int64).T
        apart = np.ones(distance.shape, np.uint8)
        apart[y, x] = 0
        from_hull = cv2.distanceTransform(apart, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
        reach = cameras.intrinsics[i, 0, 0] * voxel_radius / depth[shown].min() + 1
        rows, columns = np.nonzero((distance == 0) & (from_hull <= reach))
        if not len(rows):
            continue
        outline = cv2.convexHull(np.stack([columns, rows], axis=1).astype(np.int32))
        through = cameras.rays(i, outline.reshape(-1, 2) + 0.5)
        origins.append(through[0])
        directions.append(through[1])
    return np.concatenate(origins), np.concatenate(directions)
