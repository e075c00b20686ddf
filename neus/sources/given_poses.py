"""Poses as files state them: made rotations where they nearly are, refused where they are not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

NEAR = 0.02
"""Largest entry of ``R^T R - 1`` that counts as rounding: three digits give 0.002."""
EXACT = 1e-5
"""What float32 leaves; nothing is said about it."""
REMEDY = "write the pose again, or take the frame out"


class FrameError(Exception):
    """What is wrong with a key of one frame; frames with the same fault are named together."""

    def __init__(self, key: str, found: str, expected: str, remedy: str) -> None:
        super().__init__(key, found, expected, remedy)
        self.key, self.found, self.expected, self.remedy = key, found, expected, remedy


@dataclass(frozen=True)
class GivenPose:
    """A pose with what was done to it.

    Attributes:
        matrix: ``[3, 4]``, its left block a rotation.
        scale: length that the columns had.
        off: largest entry of ``R^T R - 1`` before, of columns brought to unit length.
    """

    matrix: Float[np.ndarray, "3 4"]
    scale: float
    off: float


def given_pose(value: Any, key: str) -> GivenPose:
    """A pose from 3x4 or 4x4 numbers, in nested lists or one after the other.

    The rotation is the nearest one (by the polar decomposition); columns of one length other than
    1 come from exporters that scale their scene.

    Raises:
        FrameError: there are other numbers or none, some are not finite, the pose is mirrored,
            transposed, or no rotation is near.
    """
    matrix = _numbers(value, key)
    linear = matrix[:3, :3]
    if matrix.shape == (4, 4) and matrix[3, :3].any() and not matrix[:3, 3].any():
        raise FrameError(
            key, "the position in the last row", "it in the last column", "transpose the matrix"
        )
    determinant = float(np.linalg.det(linear))
    lengths = np.linalg.norm(linear, axis=0)
    scale = float(np.cbrt(abs(determinant)))
    if not scale > 1e-9 * max(float(lengths.max()), 1e-12):
        raise FrameError(key, "columns that span no space", "a rotation", REMEDY)
    unit = linear / scale
    off = float(np.abs(unit.T @ unit - np.eye(3)).max())
    if off > NEAR:
        found = f"columns that are sheared or scaled unevenly (R^T R is {off:.2g} off 1)"
        raise FrameError(key, found, f"a rotation, at most {NEAR} off", REMEDY)
    if determinant < 0:
        raise FrameError(
            key,
            "a mirrored pose (determinant -1)",
            "right-handed axes (determinant 1)",
            "undo the mirroring: negate one axis of the world in all poses",
        )
    pose = np.concatenate([nearest_rotation(unit), matrix[:3, 3:]], axis=1)
    return GivenPose(pose, scale, off)


def nearest_rotation(matrix: Float[np.ndarray, "3 3"]) -> Float[np.ndarray, "3 3"]:
    """The orthonormal factor of the polar decomposition: nearest in the Frobenius norm."""
    left, _, right = np.linalg.svd(matrix)
    return left @ right


def _numbers(value: Any, key: str) -> Float[np.ndarray, "r 4"]:
    expected = "3x4 or 4x4 numbers"
    try:
        matrix = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise FrameError(key, "something else than numbers", expected, REMEDY) from None
    if matrix.size in (12, 16) and matrix.ndim == 1:
        matrix = matrix.reshape(-1, 4)
    if matrix.shape not in ((3, 4), (4, 4)):
        shape = "x".join(map(str, matrix.shape)) or "one number"
        raise FrameError(key, f"{shape} numbers" if matrix.shape else shape, expected, REMEDY)
    if not np.isfinite(matrix).all():
        raise FrameError(key, "NaN or infinity", f"{expected} that are finite", REMEDY)
    return matrix


def said_of_poses(where: object, poses: list[GivenPose]) -> list[str]:
    """Sentences about poses that were not rotations as they stood."""
    lines = []
    scales = [pose.scale for pose in poses if abs(pose.scale - 1) > NEAR / 2]
    if scales:
        span = f"{min(scales):.4g}"
        span += f" to {max(scales):.4g}" if max(scales) > min(scales) * 1.001 else ""
        lines.append(
            f"{where}: the columns of {len(scales)} poses have length {span}, not 1, and are "
            "normalised: the exporter scaled its scene; positions stay as they are"
        )
    off = [pose.off for pose in poses if pose.off > EXACT]
    if off:
        lines.append(
            f"{where}: {len(off)} poses are rounded (R^T R is up to {max(off):.1g} off 1) and are "
            "made rotations again"
        )
    return lines
