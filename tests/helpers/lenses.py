"""Lenses that distort by a known amount."""

from __future__ import annotations

import cv2  # noqa: F401  before pycolmap, see import_pycolmap
import numpy as np
import pycolmap


def lens(width: int, height: int, k: float) -> pycolmap.Camera:
    """A lens of 1.1 image widths that distorts radially, ``r (1 + k r^2)``."""
    return pycolmap.Camera(
        model="SIMPLE_RADIAL",
        width=width,
        height=height,
        params=[1.1 * width, width / 2, height / 2, k],
    )


def normalized_plane(camera: pycolmap.Camera) -> np.ndarray:
    """``[h, w, 2]``: for each pixel the position at depth 1 that it looks at."""
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    pixels = np.stack([x.ravel(), y.ravel()], axis=1)
    plane = camera.cam_from_img(pixels)
    assert plane is not None
    return plane.reshape(camera.height, camera.width, 2)
