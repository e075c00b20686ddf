"""From a linear exposure to a photo: defocus, exposure that varies, noise, a tone curve, bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

    from benchmarks.quality.render import Exposure

MOST_BLUR = 3.0
"""Radius in pixels beyond which defocus does not grow."""


@dataclass(frozen=True)
class Sensor:
    """How a camera records what it receives.

    Attributes:
        exposure_spread: standard deviation of the logarithm of a photo's gain.
        white_spread: the same of each channel's gain beside it.
        shot: variance of the noise per unit of signal.
        read: standard deviation of the noise of a black pixel.
        aperture: radius of the lens over the focal length, in pixels times scene units: a point
            at depth z is blurred over ``aperture * |1 / z - 1 / focus|`` pixels; 0 is all sharp.
    """

    exposure_spread: float = 0.08
    white_spread: float = 0.008
    shot: float = 2.0e-4
    read: float = 1.5e-3
    aperture: float = 0.0


def develop(
    seen: Exposure, sensor: Sensor, brightness: float, focus: float, rng: np.random.Generator
) -> UInt8[np.ndarray, "h w 3"]:
    """Display-referred RGB of an exposure.

    Args:
        brightness: gain of all photos of the scan, before each one's own.
        focus: depth that is sharp.
    """
    gain = brightness * np.exp(sensor.exposure_spread * rng.standard_normal())
    white = np.exp(sensor.white_spread * rng.standard_normal(3))
    linear = defocused(seen, sensor.aperture, focus) * (gain * white)
    noise = np.sqrt(sensor.shot * linear + sensor.read**2)
    linear = np.maximum(linear + noise * rng.standard_normal(linear.shape), 0.0)
    return (255.0 * display(linear) + 0.5).astype(np.uint8)


def display(linear: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """A soft shoulder below 1, then the display's gamma."""
    return (1.0 - np.exp(-1.2 * linear)) ** (1.0 / 2.2)


def defocused(seen: Exposure, aperture: float, focus: float) -> Float[np.ndarray, "h w 3"]:
    """Each pixel spread over its circle of confusion; what lies beside the object is as far as it
    is at most."""
    if aperture == 0.0:
        return seen.rgb
    finite = np.isfinite(seen.depth)
    far = seen.depth[finite].max() if finite.any() else focus
    depth = np.where(finite, seen.depth, far)
    radius = np.minimum(aperture * np.abs(1.0 / depth - 1.0 / focus), MOST_BLUR)
    spread = np.zeros_like(seen.rgb)
    _spread(seen.rgb, radius, spread)
    return spread


@njit(cache=True, nogil=True)
def _spread(rgb, radius, spread):
    """The mean of the pixels whose circles of confusion reach a pixel, by the circles' density."""
    height, width = radius.shape
    reach = int(np.ceil(radius.max()))
    for i in range(height):
        for j in range(width):
            total = 0.0
            for row in range(max(i - reach, 0), min(i + reach + 1, height)):
                for column in range(max(j - reach, 0), min(j + reach + 1, width)):
                    across = np.sqrt((row - i) ** 2 + (column - j) ** 2)
                    wide = max(radius[row, column], 0.5)
                    weight = min(max(wide + 0.5 - across, 0.0), 1.0) / (wide * wide)
                    total += weight
                    for c in range(3):
                        spread[i, j, c] += weight * rgb[row, column, c]
            for c in range(3):
                spread[i, j, c] /= total
