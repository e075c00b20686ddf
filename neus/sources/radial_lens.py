"""A lens with four radial terms, which COLMAP has no model of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class RadialLens:
    """Four radial terms and two tangential ones, as Metashape and nerfstudio have them.

    A pixel is ``f ((1 + k1 r^2 + k2 r^4 + k3 r^6 + k4 r^8) u + tangential) + c`` of a position u at
    depth 1; the tangential part is OpenCV's.
    """

    width: int
    height: int
    pinhole: Float[np.ndarray, "4"]
    radial: Float[np.ndarray, "4"]
    tangential: Float[np.ndarray, "2"]

    def calibration_matrix(self) -> Float[np.ndarray, "3 3"]:
        fx, fy, cx, cy = self.pinhole
        return np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]])

    def img_from_cam(self, cam_points: Float[np.ndarray, "p 3"]) -> Float[np.ndarray, "p 2"]:
        plane = cam_points[:, :2] / cam_points[:, 2:]
        return self._distorted(plane) * self.pinhole[:2] + self.pinhole[2:]

    def cam_from_img(self, image_points: Float[np.ndarray, "p 2"]) -> Float[np.ndarray, "p 2"]:
        """By fixed-point iteration, as OpenCV undistorts points."""
        target = (image_points - self.pinhole[2:]) / self.pinhole[:2]
        plane = target.copy()
        for _ in range(50):
            plane = plane + target - self._distorted(plane)
        return plane

    def _distorted(self, plane: Float[np.ndarray, "p 2"]) -> Float[np.ndarray, "p 2"]:
        r2 = (plane**2).sum(axis=1, keepdims=True)
        factor = 1 + r2 * np.polynomial.polynomial.polyval(r2, self.radial)
        (p1, p2), xy = self.tangential, plane.prod(axis=1, keepdims=True)
        bend = np.array([[p2, p1]]) * (r2 + 2 * plane**2) + 2 * xy * np.array([[p1, p2]])
        return factor * plane + bend
