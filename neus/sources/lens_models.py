"""Lenses by the names and terms that files give them: perspective or fisheye."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.images import LensCamera
from neus.sources.frame_keys import Keys
from neus.sources.given_poses import FrameError
from neus.sources.radial_lens import RadialLens
from neus.sources.sizes import Size

if TYPE_CHECKING:
    from jaxtyping import Float

PERSPECTIVE = (
    "OPENCV", "PINHOLE", "SIMPLE_PINHOLE", "SIMPLE_RADIAL", "RADIAL", "FULL_OPENCV", "PERSPECTIVE",
)  # fmt: skip
NERFSTUDIO_TERMS = "distortion_params"
TERM_LISTS = (NERFSTUDIO_TERMS, "distortion_coefficients", "dist_coeffs", "distortion", "dist")
FISHEYE = ("OPENCV_FISHEYE", "FISHEYE", "SIMPLE_RADIAL_FISHEYE", "RADIAL_FISHEYE")


def is_fisheye(keys: Keys) -> bool:
    """Whether a frame's lens is a fisheye.

    Raises:
        FrameError: its model is none that is known here.
    """
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


def camera_of(
    keys: Keys,
    pinhole: tuple[float, float, float, float],
    size: Size,
    known: dict[tuple[Any, ...], LensCamera],
    *,
    is_fisheye: bool,
) -> Float[np.ndarray, "3 3"] | LensCamera:
    """The camera of a frame: intrinsics of a pinhole, or a lens that distorts.

    Args:
        pinhole: focal lengths and principal point in pixels, for ``size``.
        known: lenses made before, which frames share.
    """
    k = [keys.first(f"k{i}") or 0.0 for i in range(1, 7)]
    p = [keys.first(f"p{i}") or 0.0 for i in (1, 2)]
    if not any((*k, *p)):
        k, p = _listed_terms(keys)
    if not is_fisheye and not any((*k, *p)):
        fx, fy, cx, cy = pinhole
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])
    make, params = _model(k, p, is_fisheye)
    key = (make, *pinhole, *params, *size)
    if key not in known:
        known[key] = _lens(make, [*pinhole, *params], size)
    return known[key]


def _listed_terms(keys: Keys) -> tuple[list[float], list[float]]:
    """Terms in one list: nerfstudio's k1 to k4, p1, p2, or OpenCV's k1, k2, p1, p2, k3 to k6."""
    for name in TERM_LISTS:
        terms = keys.numbers(name)
        if not any(terms):
            continue
        is_opencv = name != NERFSTUDIO_TERMS
        if len(terms) not in ((4, 5, 8) if is_opencv else (6,)):
            orders = "k1, k2, p1, p2, k3 …" if is_opencv else "k1, k2, k3, k4, p1, p2"
            raise FrameError(name, f"{len(terms)} numbers", orders, "write k1, k2, p1, p2 apart")
        k, p = ([*terms[:2], *terms[4:]], terms[2:4]) if is_opencv else (terms[:4], terms[4:])
        return [*k, *[0.0] * (6 - len(k))], p
    return [0.0] * 6, [0.0] * 2


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
