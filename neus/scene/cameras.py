"""Pinhole cameras: OpenCV axes, camera-to-world poses, pixel centres at +0.5."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from neus.scene.similarity import Similarity

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

OPENGL_FROM_OPENCV = np.diag([1.0, -1.0, -1.0])
"""Flips y and z of the camera axes; its own inverse."""


@dataclass(frozen=True)
class Cameras:
    """A batch of pinhole cameras.

    Attributes:
        intrinsics: ``[n, 3, 3]`` in pixels; the centre of the first pixel is at (0.5, 0.5).
        camera_to_world: ``[n, 3, 4]``, x right, y down, z forward.
        widths, heights: ``[n]`` image sizes in pixels.
    """

    intrinsics: Float[np.ndarray, "n 3 3"]
    camera_to_world: Float[np.ndarray, "n 3 4"]
    widths: Int[np.ndarray, "n"]
    heights: Int[np.ndarray, "n"]

    def __len__(self) -> int:
        return len(self.intrinsics)

    def __getitem__(self, index: slice | list[int] | np.ndarray) -> Cameras:
        return Cameras(
            self.intrinsics[index],
            self.camera_to_world[index],
            self.widths[index],
            self.heights[index],
        )

    @property
    def centres(self) -> Float[np.ndarray, "n 3"]:
        """Camera centres in the world frame."""
        return self.camera_to_world[:, :, 3]

    @property
    def optical_axes(self) -> Float[np.ndarray, "n 3"]:
        """Unit viewing directions in the world frame."""
        return self.camera_to_world[:, :, 2]

    @property
    def pixels(self) -> int:
        """Of all images together."""
        return int((self.widths * self.heights).sum())

    @property
    def ups(self) -> Float[np.ndarray, "n 3"]:
        """Unit directions that point up in the images, in the world frame."""
        return -self.camera_to_world[:, :, 1]

    def resized(self, widths: Int[np.ndarray, "n"], heights: Int[np.ndarray, "n"]) -> Cameras:
        """The same cameras for images of other sizes, each axis by its own factor."""
        factors = np.ones((len(self), 3))
        factors[:, 0] = widths / self.widths
        factors[:, 1] = heights / self.heights
        return replace(
            self, intrinsics=self.intrinsics * factors[:, :, None], widths=widths, heights=heights
        )

    def at_most(self, side: int) -> Cameras:
        """The same cameras for images whose longer side has ``side`` pixels at most."""
        factors = np.minimum(1.0, side / np.maximum(self.widths, self.heights))
        sizes = (np.maximum(1, np.rint(n * factors)) for n in (self.widths, self.heights))
        return self.resized(*(size.astype(np.int64) for size in sizes))

    def transformed(self, similarity: Similarity) -> Cameras:
        """The same cameras seen in the frame that ``similarity`` maps to."""
        return replace(self, camera_to_world=similarity.apply_to_poses(self.camera_to_world))

    def project(
        self, index: int, points: Float[np.ndarray, "p 3"]
    ) -> tuple[Float[np.ndarray, "p 2"], Float[np.ndarray, "p"]]:
        """Pixel coordinates and depths (along the optical axis) of world points.

        Points behind the camera have a negative depth and meaningless pixels; those in the plane
        of its centre have pixels that are not finite.
        """
        rotation, centre = self.camera_to_world[index, :, :3], self.centres[index]
        in_camera = (points - centre) @ rotation
        depth = in_camera[:, 2]
        with np.errstate(divide="ignore", invalid="ignore"):
            homogeneous = in_camera @ self.intrinsics[index].T
            return homogeneous[:, :2] / depth[:, None], depth

    def in_image(
        self, index: int, pixels: Float[np.ndarray, "p 2"], depth: Float[np.ndarray, "p"]
    ) -> Bool[np.ndarray, "p"]:
        """Whether projected points lie in front of the camera and inside its image."""
        size = [self.widths[index], self.heights[index]]
        with np.errstate(invalid="ignore"):
            return (depth > 0) & ((pixels >= 0) & (pixels < size)).all(axis=1)

    def rays(
        self, index: int, pixels: Float[np.ndarray, "p 2"]
    ) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, "p 3"]]:
        """World-frame origins and unit directions of rays through pixel positions (x, y)."""
        homogeneous = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
        in_camera = homogeneous @ np.linalg.inv(self.intrinsics[index]).T
        directions = in_camera @ self.camera_to_world[index, :, :3].T
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        return np.broadcast_to(self.centres[index], directions.shape).copy(), directions

    def pixel_grid(self, index: int) -> Float[np.ndarray, "p 2"]:
        """Centres of all pixels of camera ``index``, row by row."""
        x, y = np.meshgrid(np.arange(self.widths[index]), np.arange(self.heights[index]))
        return np.stack([x.ravel(), y.ravel()], axis=1) + 0.5


def has_centre(projections: Float[np.ndarray, "n 3 4"]) -> Bool[np.ndarray, "n"]:
    """Whether the left blocks of projection matrices are regular, so that cameras have centres."""
    left = projections[:, :, :3]
    extent = np.linalg.norm(left, axis=(1, 2)) ** 3
    return np.abs(np.linalg.det(left)) >= 1e-12 * np.maximum(extent, np.finfo(np.float64).tiny)


def from_projections(
    projections: Float[np.ndarray, "n 3 4"],
) -> tuple[Float[np.ndarray, "n 3 3"], Float[np.ndarray, "n 3 4"]]:
    """Split each ``P = K [R | t]`` (up to scale) into intrinsics and camera-to-world by an RQ
    decomposition; rotations are proper, whatever the sign of ``P``.

    Raises:
        ValueError: a left block is singular: no finite camera centre (:func:`has_centre`).
    """
    if not has_centre(projections).all():
        raise ValueError("a projection matrix whose left 3x3 block is singular has no centre")
    signs = np.sign(np.linalg.det(projections[:, :, :3]))
    projections = projections * signs[:, None, None]
    left = projections[:, :, :3]
    # RQ of A is QR of A turned by half a circle and transposed, turned back.
    orthogonal, triangular = np.linalg.qr(left[:, ::-1].swapaxes(1, 2))
    intrinsics = triangular.swapaxes(1, 2)[:, ::-1, ::-1]
    rotations = orthogonal.swapaxes(1, 2)[:, ::-1]
    signs = np.sign(np.diagonal(intrinsics, axis1=1, axis2=2))
    intrinsics, rotations = intrinsics * signs[:, None, :], signs[:, :, None] * rotations
    centres = -np.linalg.solve(left, projections[:, :, 3:])
    poses = np.concatenate([rotations.swapaxes(1, 2), centres], axis=2)
    return intrinsics / intrinsics[:, 2:, 2:], poses


def look_at(
    centre: Float[np.ndarray, "3"], target: Float[np.ndarray, "3"], up: Float[np.ndarray, "3"]
) -> Float[np.ndarray, "3 4"]:
    """Camera-to-world of a camera at ``centre`` that looks at ``target``, image top towards ``up``.

    Raises:
        ValueError: ``target`` is the centre, or ``up`` is parallel to the viewing direction.
    """
    distance = np.linalg.norm(target - centre)
    if distance == 0:
        raise ValueError("a camera cannot look at its own centre")
    forward = (target - centre) / distance
    right = np.cross(forward, up)
    length = np.linalg.norm(right)
    if length < 1e-9 * np.linalg.norm(up):
        raise ValueError("the up vector is parallel to the viewing direction")
    right = right / length
    return np.stack([right, np.cross(forward, right), forward, centre], axis=1)
