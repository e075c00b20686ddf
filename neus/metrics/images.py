"""Figures of a rendering against its photo: PSNR, SSIM and the overlap of masks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import cv2
import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

SSIM_RADIUS = 5
SSIM_SIGMA = 1.5
SSIM_K1, SSIM_K2 = 0.01, 0.03
"""The window (11 x 11, sigma 1.5) and constants of Wang et al. 2004, section III-C."""


def psnr(
    rendering: Float[np.ndarray, "h w 3"],
    photo: Float[np.ndarray, "h w 3"],
    mask: Float[np.ndarray, "h w"] | None = None,
) -> float:
    """Peak signal-to-noise ratio ``-10 log10(mean squared error)`` in dB, colours in [0, 1].

    Args:
        mask: where given, only pixels with ``mask > 0.5`` count.

    Returns:
        ``inf`` for equal images; ``nan`` where the mask is empty, as a mean over no pixels has no
        value and neither 0 nor ``inf`` may enter an average over views in its place.

    Raises:
        InputError: the sizes differ.
    """
    _require_same_size(rendering, photo, mask)
    squared = (np.asarray(rendering, np.float64) - np.asarray(photo, np.float64)) ** 2
    if mask is not None:
        squared = squared[mask > 0.5]
    if squared.size == 0:
        return math.nan
    mean = float(squared.mean())
    return math.inf if mean == 0 else -10 * math.log10(mean)


def ssim(rendering: Float[np.ndarray, "h w 3"], photo: Float[np.ndarray, "h w 3"]) -> float:
    """Structural similarity (Wang et al. 2004, eq. 13), colours in [0, 1].

    Gaussian window of 11 x 11 pixels with sigma 1.5, K1 = 0.01, K2 = 0.03, range 1, per channel;
    the mean over the channels and over the pixels whose window lies inside the image.

    Raises:
        InputError: the sizes differ, or a side is shorter than the window.
    """
    _require_same_size(rendering, photo, None)
    side = 2 * SSIM_RADIUS + 1
    if min(photo.shape[:2]) < side:
        height, width = photo.shape[:2]
        raise InputError(
            f"SSIM needs images of at least {side} x {side} pixels, not {width} x {height}: "
            "lower the downscaling of the scan"
        )
    x, y = np.asarray(rendering, np.float64), np.asarray(photo, np.float64)
    mean_x, mean_y = _windowed_mean(x), _windowed_mean(y)
    variance_x = _windowed_mean(x * x) - mean_x**2
    variance_y = _windowed_mean(y * y) - mean_y**2
    covariance = _windowed_mean(x * y) - mean_x * mean_y
    c1, c2 = SSIM_K1**2, SSIM_K2**2
    luminance = (2 * mean_x * mean_y + c1) / (mean_x**2 + mean_y**2 + c1)
    structure = (2 * covariance + c2) / (variance_x + variance_y + c2)
    return float((luminance * structure).mean())


def mask_iou(
    opacity: Float[np.ndarray, "h w"], mask: Float[np.ndarray, "h w"], threshold: float = 0.5
) -> float:
    """Intersection over union of ``opacity > threshold`` and ``mask > 0.5``.

    Returns:
        1 where both are empty: the two agree everywhere.

    Raises:
        InputError: the sizes differ.
    """
    _require_same_size(opacity, mask, None)
    rendered, wanted = opacity > threshold, mask > 0.5
    union = np.count_nonzero(rendered | wanted)
    return 1.0 if union == 0 else np.count_nonzero(rendered & wanted) / union


def _windowed_mean(image: Float[np.ndarray, "h w c"]) -> Float[np.ndarray, "h-10 w-10 c"]:
    """Gaussian mean over each window that lies inside the image."""
    kernel = cv2.getGaussianKernel(2 * SSIM_RADIUS + 1, SSIM_SIGMA, cv2.CV_64F)
    inside = slice(SSIM_RADIUS, -SSIM_RADIUS)
    return cv2.sepFilter2D(image, cv2.CV_64F, kernel, kernel)[inside, inside]


def _require_same_size(first: np.ndarray, second: np.ndarray, mask: np.ndarray | None) -> None:
    if first.shape != second.shape:
        raise InputError(
            f"the rendering is {first.shape} and the photo {second.shape}: "
            "render at the photo's own size"
        )
    if mask is not None and mask.shape != second.shape[:2]:
        raise InputError(
            f"the mask is {mask.shape} and the photo {second.shape[:2]}: "
            "resize the mask to the photo's size"
        )
