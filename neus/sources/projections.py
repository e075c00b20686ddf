"""NeuS's and IDR's files of projection matrices, ``cameras_sphere.npz``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from neus.errors import Faults, refusal
from neus.scene import Cameras, Similarity, from_projection
from neus.sources.sizes import Size

if TYPE_CHECKING:
    from jaxtyping import Float

MAX_SKEW = 1e-3
"""Skew below this part of the focal length is rounding of float32 projection matrices."""
KEY = re.compile(r"(world_mat|scale_mat|camera_mat)_(\d+)")
AGAIN = "write the cameras again"
Report = Callable[[str], None]
Matrices = Mapping[str, "Float[np.ndarray, '4 4']"]


def read_matrices(file: Path) -> dict[str, Float[np.ndarray, "4 4"]]:
    try:
        with np.load(file) as content:
            keys = [key for key in content.files if KEY.fullmatch(key)]
            matrices = {_plain(key): np.asarray(content[key], dtype=np.float64) for key in keys}
    except (OSError, ValueError, TypeError, AttributeError, BadZipFile, EOFError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise refusal(
            file, f"what NumPy cannot read ({reason})", "a .npz file", "copy it again"
        ) from error
    if not numbers_of(matrices, "world_mat"):
        raise _no_projection(file, matrices)
    return matrices


def _plain(key: str) -> str:
    """``world_mat_7`` for ``world_mat_007``."""
    kind, number = key.rsplit("_", 1)
    return f"{kind}_{int(number)}"


def numbers_of(matrices: Matrices, kind: str) -> list[int]:
    matches = (KEY.fullmatch(key) for key in matrices)
    return sorted(int(match[2]) for match in matches if match and match[1] == kind)


def _no_projection(file: Path, matrices: Matrices) -> Exception:
    has_parts = bool(numbers_of(matrices, "camera_mat"))
    found = "camera_mat_i alone" if has_parts else "no world_mat_i"
    return refusal(
        file,
        found,
        "world_mat_i, the projection K [R | t] to pixels, for each image",
        "multiply K into [R | t], and state the object's sphere as scale_mat_i or by the key sphere"
        if has_parts
        else AGAIN,
    )


def _matrix(file: Path, matrices: Matrices, key: str) -> Float[np.ndarray, "4 4"]:
    matrix, where, expected = matrices.get(key), f"{file}, key {key}", "4x4 finite numbers"
    if matrix is None:
        raise refusal(where, "no finite 4x4 matrix", expected, AGAIN)
    if matrix.shape == (3, 4):
        matrix = np.concatenate([matrix, [[0.0, 0, 0, 1]]])
    if matrix.shape != (4, 4):
        shape = "x".join(map(str, matrix.shape))
        raise refusal(where, f"{shape} numbers", expected, AGAIN)
    if not np.isfinite(matrix).all():
        raise refusal(where, "NaN or infinity", expected, AGAIN)
    return matrix


def cameras_of(file: Path, matrices: Matrices, numbers: list[int], sizes: list[Size]) -> Cameras:
    count, faults = len(numbers), Faults()
    intrinsics, poses = np.tile(np.eye(3), (count, 1, 1)), np.zeros((count, 3, 4))
    for row, number in enumerate(numbers):
        with faults.noted():
            key = f"world_mat_{number}"
            matrix = _matrix(file, matrices, key)
            intrinsics[row], poses[row] = _camera(f"{file}, key {key}", matrix)
    faults.raise_any()
    intrinsics[:, 0, 1] = 0
    intrinsics[:, :2, 2] += 0.5
    widths, heights = np.array(sizes, dtype=np.int64).T
    return Cameras(intrinsics, poses, widths, heights)


def _camera(
    where: str, matrix: Float[np.ndarray, "4 4"]
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3 4"]]:
    expected = "K [R | t] of a camera"
    try:
        intrinsics, pose = from_projection(matrix[:3])
    except ValueError as error:
        raise refusal(where, f"no camera ({error})", expected, AGAIN) from error
    if abs(intrinsics[0, 1]) > MAX_SKEW * intrinsics[0, 0]:
        raise refusal(where, "sheared pixels", "none", "undistort the images first")
    if np.linalg.det(pose[:, :3]) < 0:
        raise refusal(where, "a mirrored camera", expected, AGAIN)
    if intrinsics[0, 0] < 2:
        raise refusal(
            where,
            f"a focal length of {intrinsics[0, 0]:.3g} pixels",
            f"{expected} with K in pixels",
            "multiply K into [R | t], and state the object's sphere as scale_mat_i or by the key "
            "sphere",
        )
    return intrinsics, pose


def sphere_of(file: Path, matrices: Matrices, report: Report) -> Similarity | None:
    """The one similarity that all ``scale_mat_i`` state; None if the file has none at all."""
    numbers = numbers_of(matrices, "scale_mat")
    if not numbers:
        report(
            f"{file} has no scale_mat_i, so it does not say where the object is: set the key "
            "sphere, if what is chosen is wrong"
        )
        return None
    first = _matrix(file, matrices, f"scale_mat_{numbers[0]}")
    for number in numbers:
        key = f"scale_mat_{number}"
        if not np.allclose(_matrix(file, matrices, key), first, rtol=1e-4, atol=1e-6):
            raise refusal(
                f"{file}, key {key}",
                f"another sphere than in scale_mat_{numbers[0]}",
                "the same matrix for all images",
                "write that of the whole object",
            )
    try:
        return Similarity.from_matrix(first)
    except ValueError as error:
        raise refusal(
            f"{file}, key scale_mat_{numbers[0]}",
            f"what is {error}",
            "a uniform scale and a shift",
            "scale all axes alike",
        ) from error
