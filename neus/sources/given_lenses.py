"""Intrinsics as files state them: in pixels or as angles, in each frame or once, with a lens."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.images import LensCamera
from neus.sources.frame_keys import CALIBRATE, Keys
from neus.sources.given_poses import FrameError
from neus.sources.lens_models import camera_of, is_fisheye
from neus.sources.sizes import Size, as_text, is_resized

if TYPE_CHECKING:
    from jaxtyping import Float

MATRICES = ("intrinsic_matrix", "intrinsics", "K", "camera_matrix", "camera_intrinsics")
"""Keys that hold 3x3 or 4x4 numbers, or [fx, fy, cx, cy]."""
TOO_SHORT = 0.05
"""Of the longer side: a focal length below is no number of pixels (169 degrees of view)."""


TOO_LONG, UNEVEN = 1000.0, 3.0
"""Times the longer side, a tenth of a degree of view; and times the other focal length."""


@dataclass(frozen=True)
class GivenLens:
    """What is stated about a camera.

    Attributes:
        size: that the intrinsics are for.
        camera: for the size of the image.
    """

    size: Size
    camera: Float[np.ndarray, "3 3"] | LensCamera


def given_lens(
    frame: Mapping[str, Any],
    shared: Mapping[str, Any],
    size: Size,
    known: dict[tuple[Any, ...], LensCamera],
) -> GivenLens:
    """The camera of a frame.

    A frame's keys stand above the shared ones, a matrix or a focal length above angles of view.
    Without ``cx`` and ``cy`` the axis meets the middle of the image. Intrinsics for another size of
    one aspect are scaled, each axis by the factor of the real sides.

    Args:
        size: of the image.
        known: lenses made before, which frames share.

    Raises:
        FrameError: a value is missing, no number, not positive, or a lens is not known; or the
            image has another aspect than stated.
    """
    keys = Keys(frame, shared)
    stated = _stated_size(keys, size)
    if not is_resized(stated, size):
        raise FrameError(
            "w and h",
            f"an image of {as_text(size)} where the file says {as_text(stated)}",
            "the images that the file was made for, or those made smaller",
            "give these: a crop needs intrinsics of its own",
        )
    fx, fy, cx, cy = _pinhole(keys, stated)
    for key, focal in (("fl_x", fx), ("fl_y", fy)):
        if not (math.isfinite(focal) and focal > 0):
            raise FrameError(key, f"{focal:g}", "a positive number of pixels", CALIBRATE)
    fisheye = is_fisheye(keys)
    if min(fx, fy) < TOO_SHORT * max(stated) and not fisheye:
        raise FrameError(
            "fl_x",
            f"{min(fx, fy):g} for images of {as_text(stated)}",
            "a focal length in pixels",
            "multiply it by the image's width, if it is a part of that",
        )
    if max(fx, fy) > TOO_LONG * max(stated) or max(fx, fy) > UNEVEN * min(fx, fy):
        raise FrameError(
            "fl_x, fl_y",
            f"{fx:g}, {fy:g} for images of {as_text(stated)}",
            "focal lengths in pixels that are about the same",
            CALIBRATE,
        )
    if not (math.isfinite(cx) and math.isfinite(cy)):
        raise FrameError("cx, cy", f"{cx:g}, {cy:g}", "pixels", CALIBRATE)
    factor = size[0] / stated[0], size[1] / stated[1]
    pinhole = (fx * factor[0], fy * factor[1], cx * factor[0], cy * factor[1])
    return GivenLens(stated, camera_of(keys, pinhole, size, known, is_fisheye=fisheye))


def _stated_size(keys: Keys, size: Size) -> Size:
    stated = []
    for key, side in zip(("w", "h"), size, strict=True):
        value = keys.first(key)
        value = side if value is None else value
        if not (math.isfinite(value) and round(value) >= 1):
            raise FrameError(key, f"{value:g}", "a number of pixels", "write the image's size")
        stated.append(round(value))
    return stated[0], stated[1]


def _pinhole(keys: Keys, stated: Size) -> tuple[float, float, float, float]:
    """Focal lengths and principal point, for the stated size."""
    cx, cy = keys.first("cx"), keys.first("cy")
    centre = stated[0] / 2 if cx is None else cx, stated[1] / 2 if cy is None else cy
    for level in keys.levels:
        key = next((key for key in MATRICES if level.get(key) is not None), None)
        if key is not None:
            return _from_matrix(key, level[key])
        fx = keys.of(level, "fl_x")
        if fx is None and (angle := _angle(keys, level, "x")) is not None:
            fx = _focal("camera_angle_x", angle, stated[0])
        fy = keys.of(level, "fl_y")
        if fy is None and (angle := _angle(keys, level, "y")) is not None:
            fy = _focal("camera_angle_y", angle, stated[1])
        if fx is not None or fy is not None:
            return _other(fx, fy), _other(fy, fx), *centre
    raise FrameError(
        "fl_x", "none", "fl_x, camera_angle_x or intrinsic_matrix, in the frame or once", CALIBRATE
    )


def _other(value: float | None, instead: float | None) -> float:
    """A focal length that is not stated is that of the other axis: pixels are square."""
    return value if value is not None else float(instead if instead is not None else math.nan)


def _angle(keys: Keys, level: Mapping[str, Any], axis: str) -> float | None:
    """Full angle of view in radians; ``x_fov`` of instant-ngp is in degrees."""
    angle = keys.of(level, f"camera_angle_{axis}")
    if angle is None and (degrees := keys.of(level, f"{axis}_fov")) is not None:
        angle = math.radians(degrees)
    return angle


def _focal(key: str, angle: float, side: int) -> float:
    if not 0 < angle < math.pi:
        raise FrameError(
            key, f"{angle:g}", "an angle of view in radians, between 0 and pi", CALIBRATE
        )
    return side / 2 / math.tan(angle / 2)


def _from_matrix(key: str, value: Any) -> tuple[float, float, float, float]:
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.shape == (4,):
        return float(matrix[0]), float(matrix[1]), float(matrix[2]), float(matrix[3])
    if matrix.size in (9, 16) and matrix.ndim == 1:
        matrix = matrix.reshape(3, 3) if matrix.size == 9 else matrix.reshape(4, 4)
    if matrix.shape not in ((3, 3), (3, 4), (4, 4)):
        raise FrameError(key, "other numbers", "3x3 or 4x4 numbers", CALIBRATE)
    if abs(matrix[0, 1]) > 1e-3 * abs(matrix[0, 0]):
        raise FrameError(key, f"skew {matrix[0, 1]:g}", "none", "undistort the images first")
    return float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])
