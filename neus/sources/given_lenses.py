"""Intrinsics as files state them: in pixels or as angles, in each frame or once, with a lens."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.images import LensCamera
from neus.sources.given_poses import FrameError
from neus.sources.radial_lens import RadialLens
from neus.sources.sizes import Size, as_text, is_resized

if TYPE_CHECKING:
    from jaxtyping import Float

PERSPECTIVE = (
    "OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "FULL_OPENCV", "PERSPECTIVE",
)  # fmt: skip
FISHEYE = ("OPENCV_FISHEYE", "FISHEYE", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")
MATRICES = ("intrinsic_matrix", "intrinsics", "K", "camera_matrix", "camera_intrinsics")
"""Keys that hold 3x3 or 4x4 numbers, or [fx, fy, cx, cy]."""
OTHER_NAMES = {
    "fl_x": ("fl_x", "fx", "focal_x"),
    "fl_y": ("fl_y", "fy", "focal_y"),
    "cx": ("cx", "c_x"),
    "cy": ("cy", "c_y"),
    "w": ("w", "width", "image_width"),
    "h": ("h", "height", "image_height"),
}
TOO_SHORT = 0.05
"""Of the longer side: a focal length below is no number of pixels (169 degrees of view)."""
CALIBRATE = "calibrate the camera, or take the frames out"


@dataclass(frozen=True)
class GivenLens:
    """What is stated about a camera.

    Attributes:
        size: that the intrinsics are for.
        camera: for the size of the image.
    """

    size: Size
    camera: Float[np.ndarray, "3 3"] | LensCamera


class Keys:
    """The keys of a frame over those that stand once for all frames."""

    def __init__(self, frame: Mapping[str, Any], shared: Mapping[str, Any]) -> None:
        self.levels = (frame, shared)

    def first(self, *names: str) -> float | None:
        """The value of the first key that there is; a frame's before the shared ones."""
        for level in self.levels:
            value = self.of(level, *names)
            if value is not None:
                return value
        return None

    def of(self, level: Mapping[str, Any], *names: str) -> float | None:
        for name in (other for key in names for other in OTHER_NAMES.get(key, (key,))):
            if level.get(name) is not None:
                return _number(name, level[name])
        return None

    def text(self, name: str) -> str | None:
        values = [level[name] for level in self.levels if level.get(name) is not None]
        return str(values[0]) if values else None

    def flag(self, name: str) -> bool:
        values = [level[name] for level in self.levels if level.get(name) is not None]
        return bool(values[0]) if values else False


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
    is_fisheye = _is_fisheye(keys)
    if min(fx, fy) < TOO_SHORT * max(stated) and not is_fisheye:
        raise FrameError(
            "fl_x",
            f"{min(fx, fy):g} for images of {as_text(stated)}",
            "a focal length in pixels",
            "multiply it by the image's width, if it is a part of that",
        )
    if not (math.isfinite(cx) and math.isfinite(cy)):
        raise FrameError("cx, cy", f"{cx:g}, {cy:g}", "pixels", CALIBRATE)
    factor = size[0] / stated[0], size[1] / stated[1]
    pinhole = (fx * factor[0], fy * factor[1], cx * factor[0], cy * factor[1])
    return GivenLens(stated, _camera(keys, pinhole, size, is_fisheye, known))


def _number(key: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FrameError(key, repr(value), "a number", CALIBRATE) from None


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
        matrix = next((level[key] for key in MATRICES if level.get(key) is not None), None)
        if matrix is not None:
            return _from_matrix(matrix)
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


def _from_matrix(value: Any) -> tuple[float, float, float, float]:
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.shape == (4,):
        return float(matrix[0]), float(matrix[1]), float(matrix[2]), float(matrix[3])
    if matrix.size in (9, 16) and matrix.ndim == 1:
        matrix = matrix.reshape(3, 3) if matrix.size == 9 else matrix.reshape(4, 4)
    if matrix.shape not in ((3, 3), (3, 4), (4, 4)):
        raise FrameError("intrinsic_matrix", "other numbers", "3x3 or 4x4 numbers", CALIBRATE)
    if abs(matrix[0, 1]) > 1e-3 * abs(matrix[0, 0]):
        raise FrameError(
            "intrinsic_matrix", f"skew {matrix[0, 1]:g}", "none", "undistort the images first"
        )
    return float(matrix[0, 0]), float(matrix[1, 1]), float(matrix[0, 2]), float(matrix[1, 2])


def _is_fisheye(keys: Keys) -> bool:
    name = (keys.text("camera_model") or "OPENCV").upper()
    if name not in (*PERSPECTIVE, *FISHEYE) or keys.flag("is_equirectangular"):
        raise FrameError(
            "camera_model",
            name,
            f"one of {', '.join((*PERSPECTIVE, *FISHEYE))}",
            "export pinhole images, undistorted",
        )
    if any(keys.first(f"ftheta_p{i}") for i in range(5)):
        raise FrameError("ftheta_p0", "an F-theta lens", "one of OpenCV's", "undistort the images")
    return name in FISHEYE or keys.flag("is_fisheye")


def _camera(
    keys: Keys,
    pinhole: tuple[float, float, float, float],
    size: Size,
    is_fisheye: bool,
    known: dict[tuple[Any, ...], LensCamera],
) -> Float[np.ndarray, "3 3"] | LensCamera:
    k = [keys.first(f"k{i}") or 0.0 for i in range(1, 7)]
    p = [keys.first(f"p{i}") or 0.0 for i in (1, 2)]
    if not is_fisheye and not any((*k, *p)):
        fx, fy, cx, cy = pinhole
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    make, params = _model(k, p, is_fisheye)
    key = (make, *pinhole, *params, *size)
    if key not in known:
        known[key] = _lens(make, [*pinhole, *params], size)
    return known[key]


def _model(k: Sequence[float], p: Sequence[float], is_fisheye: bool) -> tuple[str, list[float]]:
    """COLMAP's name of the lens and its parameters; "RADIAL4" for a fourth radial term."""
    if is_fisheye:
        return "OPENCV_FISHEYE", list(k[:4])
    if any(k[4:]):  # OpenCV's rational model: k4 to k6 stand in the denominator
        return "FULL_OPENCV", [k[0], k[1], *p, *k[2:]]
    if k[3]:
        return "RADIAL4", [*k[:4], *p]
    if k[2]:
        return "FULL_OPENCV", [k[0], k[1], *p, k[2], 0.0, 0.0, 0.0]
    return "OPENCV", [k[0], k[1], *p]


def _lens(model: str, params: list[float], size: Size) -> LensCamera:
    if model == "RADIAL4":
        return RadialLens(*size, np.array(params[:4]), np.array(params[4:8]), np.array(params[8:]))
    from neus.sources.colmap import import_pycolmap

    width, height = size
    make: Callable[..., LensCamera] = import_pycolmap().Camera
    return make(model=model, width=width, height=height, params=params)
