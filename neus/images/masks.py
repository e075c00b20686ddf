"""Masks from files: painted ones, alpha channels, and objects in front of black."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.images.orientation import orientation
from neus.images.stored import read_image, read_stored

if TYPE_CHECKING:
    from jaxtyping import UInt8

BLACK = 0.19
"""Brightness below which a pixel is background: Middlebury's own recipe for its silhouettes."""
GAP = 0.01
"""Of the image's diagonal: dark gaps no wider than this belong to the object."""
HOLE = 0.02
"""Of the object's area: dark holes no larger than this are shadows on it."""


def read_mask(path: Path) -> UInt8[np.ndarray, "h w"]:
    """Read a mask: grey, colour (the brightest channel counts) or binary with the values 0 and 1.

    Where the file has an alpha channel that hides something, that is the mask. It is turned as a
    tag of its own asks, which tools copy from the photo.

    Raises:
        InputError: the file is missing or no image.
    """
    mask = _coverage(path)
    return np.ascontiguousarray(np.rot90(mask, -orientation(path).clockwise))


def _coverage(path: Path) -> UInt8[np.ndarray, "h w"]:
    import cv2

    stored = read_stored(path, cv2.IMREAD_UNCHANGED)
    if stored.max() == 1:
        stored = (stored * 255).astype(np.uint8)
    elif stored.dtype == np.uint16:
        stored = (stored // 257).astype(np.uint8)
    if stored.ndim < 3:
        return stored
    if stored.shape[2] in (2, 4) and 0 < stored[:, :, -1].max() > stored[:, :, -1].min():
        return np.ascontiguousarray(stored[:, :, -1])
    if stored.shape[2] < 3:
        return np.ascontiguousarray(stored[:, :, 0])
    blue, green, red = np.moveaxis(stored[:, :, :3], 2, 0)
    return np.maximum(np.maximum(red, green), blue)  # twenty times as fast as max(axis=2)


def read_own_mask(path: Path) -> UInt8[np.ndarray, "h w"]:
    """The mask that an image brings itself: its alpha channel, else all that is not black.

    Raises:
        InputError: the file is missing or no image.
    """
    alpha = read_alpha(path)
    return silhouette_on_black(read_image(path)) if alpha is None else alpha


def read_alpha(path: Path) -> UInt8[np.ndarray, "h w"] | None:
    """The alpha channel of an image; None if it has none, or one that is opaque all over.

    Raises:
        InputError: the file is missing or no image.
    """
    import cv2

    image = read_stored(path, cv2.IMREAD_UNCHANGED)
    if image.ndim < 3 or image.shape[2] != 4:
        return None
    alpha = image[:, :, 3] if image.dtype == np.uint8 else (image[:, :, 3] // 257).astype(np.uint8)
    return None if alpha.min() == 255 else np.ascontiguousarray(alpha)


def silhouette_on_black(image: UInt8[np.ndarray, "h w 3"]) -> UInt8[np.ndarray, "h w"]:
    """The largest bright region, small gaps and holes in it filled: shadows lie on the object."""
    import cv2

    bright = (image.max(axis=2) > 255 * BLACK).astype(np.uint8)
    radius = max(1, round(GAP * np.hypot(*bright.shape)))
    disk = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    closed = cv2.morphologyEx(np.pad(bright, 2 * radius), cv2.MORPH_CLOSE, disk)
    closed = closed[2 * radius : -2 * radius, 2 * radius : -2 * radius]
    _, labels, statistics, _ = cv2.connectedComponentsWithStats(closed)
    if len(statistics) < 2:
        return np.zeros(bright.shape, np.uint8)
    largest = 1 + int(statistics[1:, cv2.CC_STAT_AREA].argmax())
    silhouette = labels == largest
    gaps = cv2.connectedComponentsWithStats((~silhouette).astype(np.uint8), connectivity=4)
    small = gaps[2][:, cv2.CC_STAT_AREA] <= HOLE * silhouette.sum()
    inner = gaps[2][:, cv2.CC_STAT_LEFT] > 0
    inner &= gaps[2][:, cv2.CC_STAT_TOP] > 0
    inner &= gaps[2][:, [cv2.CC_STAT_LEFT, cv2.CC_STAT_WIDTH]].sum(axis=1) < bright.shape[1]
    inner &= gaps[2][:, [cv2.CC_STAT_TOP, cv2.CC_STAT_HEIGHT]].sum(axis=1) < bright.shape[0]
    return np.where(silhouette | (small & inner)[gaps[1]], np.uint8(255), np.uint8(0))


def resize_seen(
    image: UInt8[np.ndarray, "h w 3"], alpha: UInt8[np.ndarray, "h w"], width: int, height: int
) -> UInt8[np.ndarray, "height width 3"]:
    """Shrink colours, weighted by alpha: behind a transparent pixel they mean nothing."""
    import cv2

    weights = alpha.astype(np.float32)[:, :, None] / 255
    size, area = (width, height), cv2.INTER_AREA
    total = cv2.resize(image * weights, size, interpolation=area)
    weight = cv2.resize(weights, size, interpolation=area)[:, :, None]
    mean = total / np.maximum(weight, 1e-6)
    return np.rint(np.clip(mean, 0, 255)).astype(np.uint8)
