"""Similarities ``x -> scale * rotation @ x + translation`` between frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Similarity:
    """A proper similarity of 3-space, ``x -> scale * rotation @ x + translation``.

    Attributes:
        scale: positive factor; lengths in the target frame are ``scale`` times those of the origin.
        rotation: ``[3, 3]``, orthonormal, determinant +1.
        translation: ``[3]``, in units of the target frame.
    """

    scale: float
    rotation: Float[np.ndarray, "3 3"]
    translation: Float[np.ndarray, "3"]

    @classmethod
    def identity(cls) -> Similarity:
        return cls(1.0, np.eye(3), np.zeros(3))

    @classmethod
    def from_matrix(cls, matrix: Float[np.ndarray, "4 4"]) -> Similarity:
        """Split a 4x4 matrix ``[scale * rotation | translation]``.

        Raises:
            ValueError: the upper left block is not a positive multiple of a rotation.
        """
        linear = np.asarray(matrix, dtype=np.float64)[:3, :3]
        determinant = np.linalg.det(linear)
        if not determinant > 0:
            raise ValueError(f"not a similarity: the determinant {determinant:.3g} is not positive")
        scale = float(np.cbrt(determinant))
        rotation = linear / scale
        if not np.allclose(rotation @ rotation.T, np.eye(3), atol=1e-4):
            raise ValueError("not a similarity: the axes are scaled unevenly or sheared")
        left, _, right = np.linalg.svd(rotation)
        return cls(scale, left @ right, np.asarray(matrix, dtype=np.float64)[:3, 3].copy())

    @property
    def matrix(self) -> Float[np.ndarray, "4 4"]:
        matrix = np.eye(4)
        matrix[:3, :3] = self.scale * self.rotation
        matrix[:3, 3] = self.translation
        return matrix

    def inverse(self) -> Similarity:
        rotation = self.rotation.T
        return Similarity(1 / self.scale, rotation, -(rotation @ self.translation) / self.scale)

    def __matmul__(self, first: Similarity) -> Similarity:
        """The composition that applies ``first`` and then ``self``."""
        return Similarity(
            self.scale * first.scale,
            self.rotation @ first.rotation,
            self.apply(first.translation[None])[0],
        )

    def apply(self, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        return self.scale * np.asarray(points, dtype=np.float64) @ self.rotation.T + (
            self.translation
        )

    def apply_to_directions(self, directions: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
        """Rotate unit vectors (normals, viewing directions); their length is kept."""
        return np.asarray(directions, dtype=np.float64) @ self.rotation.T

    def apply_to_poses(
        self, camera_to_world: Float[np.ndarray, "n 3 4"]
    ) -> Float[np.ndarray, "n 3 4"]:
        """Move cameras rigidly along: centres as points, axes as directions."""
        moved = np.empty_like(camera_to_world, dtype=np.float64)
        moved[:, :, :3] = self.rotation @ camera_to_world[:, :, :3]
        moved[:, :, 3] = self.apply(camera_to_world[:, :, 3])
        return moved


def umeyama(origin: Float[np.ndarray, "n 3"], target: Float[np.ndarray, "n 3"]) -> Similarity:
    """Least-squares similarity from ``origin`` onto ``target`` (Umeyama, PAMI 1991, eq. 40-43).

    Raises:
        ValueError: fewer than three points, or points on one line, which leave the rotation free.
    """
    if origin.shape != target.shape:
        raise ValueError(
            f"a similarity needs pairs of points, not {origin.shape} and {target.shape}"
        )
    if len(origin) < 3:
        raise ValueError(f"a similarity needs three or more pairs of points, not {len(origin)}")
    mean_origin, mean_target = origin.mean(axis=0), target.mean(axis=0)
    centred_origin, centred_target = origin - mean_origin, target - mean_target
    covariance = centred_target.T @ centred_origin / len(origin)
    left, singular, right = np.linalg.svd(covariance)
    if singular[1] <= 1e-9 * max(singular[0], 1e-300):
        raise ValueError("a similarity needs points that do not lie on one line")
    reflection = np.ones(3)
    reflection[2] = np.sign(np.linalg.det(left) * np.linalg.det(right))
    rotation = left @ np.diag(reflection) @ right
    scale = float(singular @ reflection / (centred_origin**2).sum(axis=1).mean())
    return Similarity(scale, rotation, mean_target - scale * rotation @ mean_origin)
