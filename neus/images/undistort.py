"""Photos as a pinhole camera would have taken them: same size, same centre, no distortion.

COLMAP's own undistortion moves the principal point by a fraction of a pixel and interpolates
linearly, which blurs photos whose lens hardly distorts. Here such photos stay as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

MAX_ZOOM = 2.0


class LensCamera(Protocol):
    """A camera with any distortion, such as ``pycolmap.Camera``; pixel centres at +0.5."""

    @property
    def width(self) -> int: ...

    @property
    def height(self) -> int: ...

    def calibration_matrix(self) -> Float[np.ndarray, "3 3"]: ...

    def cam_from_img(self, image_points: Float[np.ndarray, "p 2"]) -> Float[np.ndarray, "p 2"]:
        """Pixels to the plane at depth 1, distortion taken out."""
        ...

    def img_from_cam(self, cam_points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 2"]:
        """Camera axes to pixels, distortion put in."""
        ...


def pinhole_intrinsics(camera: LensCamera) -> Float[np.ndarray, "3 3"]:
    """Intrinsics of the pinhole image: the camera's own, zoomed in until no pixel lacks a source.

    The zoom is 1 where the lens pulls corners inwards (barrel distortion), a little more where it
    pulls them outwards, and :data:`MAX_ZOOM` at most.
    """
    width, height = camera.width, camera.height
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    border = np.concatenate(
        [np.stack([x, np.full(width, edge)], axis=1) for edge in (0.5, height - 0.5)]
        + [np.stack([np.full(height, edge), y], axis=1) for edge in (0.5, width - 0.5)]
    )

    def is_covered(zoom: float) -> bool:
        source = _source_pixels(camera, _zoomed(camera, zoom), border)
        return bool(((source >= 0) & (source <= [width, height])).all())

    if is_covered(1.0):
        return _zoomed(camera, 1.0)
    too_little, enough = 1.0, MAX_ZOOM
    while enough - too_little > 1e-5:
        middle = (too_little + enough) / 2
        too_little, enough = (too_little, middle) if is_covered(middle) else (middle, enough)
    return _zoomed(camera, enough)


def source_map(
    camera: LensCamera, intrinsics: Float[np.ndarray, "3 3"]
) -> Float[np.ndarray, "h w 2"]:
    """Where in the photo each pixel of the pinhole image comes from, in OpenCV's pixels.

    OpenCV counts pixel centres from 0, cameras count them from 0.5.
    """
    x, y = np.meshgrid(np.arange(camera.width) + 0.5, np.arange(camera.height) + 0.5)
    source = _source_pixels(camera, intrinsics, np.stack([x.ravel(), y.ravel()], axis=1))
    return (source - 0.5).astype(np.float32).reshape(camera.height, camera.width, 2)


def warp(
    image: UInt8[np.ndarray, "h w *c"], source: Float[np.ndarray, "h w 2"]
) -> UInt8[np.ndarray, "h w *c"]:
    """Fetch each pixel from where :func:`source_map` says, by cubic interpolation."""
    import cv2

    x, y = source[..., 0], source[..., 1]
    return cv2.remap(image, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def undistort_pixels(
    camera: LensCamera, intrinsics: Float[np.ndarray, "3 3"], pixels: Float[np.ndarray, "p 2"]
) -> Float[np.ndarray, "p 2"]:
    """Where pixels of the photo lie in the pinhole image."""
    return camera.cam_from_img(pixels) @ intrinsics[:2, :2].T + intrinsics[:2, 2]


def _zoomed(camera: LensCamera, zoom: float) -> Float[np.ndarray, "3 3"]:
    intrinsics = np.array(camera.calibration_matrix(), dtype=np.float64)
    intrinsics[[0, 1], [0, 1]] *= zoom
    return intrinsics


def _source_pixels(
    camera: LensCamera, intrinsics: Float[np.ndarray, "3 3"], pixels: Float[np.ndarray, "p 2"]
) -> Float[np.ndarray, "p 2"]:
    homogeneous = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
    return camera.img_from_cam(homogeneous @ np.linalg.inv(intrinsics).T)
