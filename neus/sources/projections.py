"""NeuS's and IDR's files of projection matrices, ``cameras_sphere.npz``."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from io import BytesIO
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile, ZipFile

import numpy as np

from neus.errors import Faults, refusal
from neus.scene import Cameras, Similarity, from_projections, has_centre
from neus.sources.sizes import Size

if TYPE_CHECKING:
    from jaxtyping import Float

MAX_SKEW = 1e-3
"""Skew below this part of the focal length is rounding of float32 projection matrices."""
KEY = re.compile(r"(world_mat|scale_mat|camera_mat)_(\d+)")
VERSION_1 = b"\x93NUMPY\x01\x00"
"""How an .npy of the first version begins, the only one that NumPy writes for plain numbers."""
AGAIN = "write the cameras again"
EXPECTED = "K [R | t] of a camera"
Report = Callable[[str], None]
Matrices = Mapping[str, "Float[np.ndarray, '4 4']"]


def read_matrices(file: Path) -> dict[str, Float[np.ndarray, "4 4"]]:
    try:
        with ZipFile(file) as content:
            members = {name.removesuffix(".npy"): name for name in content.namelist()}
            keys = [key for key in members if KEY.fullmatch(key)]
            matrices = {_plain(key): _read_array(content.read(members[key])) for key in keys}
    except (OSError, ValueError, TypeError, AttributeError, BadZipFile, EOFError) as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise refusal(
            file, f"what NumPy cannot read ({reason})", "a .npz file", "copy it again"
        ) from error
    if not numbers_of(matrices, "world_mat"):
        raise _no_projection(file, matrices)
    return matrices


def _read_array(file: bytes) -> Float[np.ndarray, "..."]:
    """What an .npy holds, the header read once for all that are alike: NumPy parses each as Python,
    which takes most of its time for so small a matrix."""
    if not file.startswith(VERSION_1):
        return np.asarray(np.load(BytesIO(file)), dtype=np.float64)
    end = len(VERSION_1) + 2 + int.from_bytes(file[len(VERSION_1) :][:2], "little")
    shape, is_fortran, kind = _read_header(file[len(VERSION_1) : end])
    numbers = np.frombuffer(file, kind, offset=end)
    return numbers.reshape(shape, order="F" if is_fortran else "C").astype(np.float64)


@functools.lru_cache(maxsize=16)
def _read_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    return np.lib.format.read_array_header_1_0(BytesIO(header))


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
    faults, found = Faults(), {}
    for key in (f"world_mat_{number}" for number in numbers):
        with faults.noted():
            found[key] = _matrix(file, matrices, key)[:3]
    projections = np.reshape(list(found.values()), (-1, 3, 4))
    is_regular = has_centre(projections)
    for key in compress(found, ~is_regular):
        singular = "no camera (a matrix whose left 3x3 block is singular has no centre)"
        faults.add(refusal(f"{file}, key {key}", singular, EXPECTED, AGAIN))
    intrinsics, poses = from_projections(projections[is_regular])
    for key, of_camera in zip(compress(found, is_regular), intrinsics, strict=True):
        with faults.noted():
            _check_intrinsics(f"{file}, key {key}", of_camera)
    faults.raise_any()
    intrinsics[:, 0, 1] = 0
    intrinsics[:, :2, 2] += 0.5
    widths, heights = np.array(sizes, dtype=np.int64).T
    return Cameras(intrinsics, poses, widths, heights)


def _check_intrinsics(where: str, intrinsics: Float[np.ndarray, "3 3"]) -> None:
    focal, skew = intrinsics[0, 0], intrinsics[0, 1]
    if abs(skew) > MAX_SKEW * focal:
        raise refusal(where, "sheared pixels", "none", "undistort the images first")
    if focal < 2:
        raise refusal(
            where,
            f"a focal length of {focal:.3g} pixels",
            f"{EXPECTED} with K in pixels",
            "multiply K into [R | t], and state the object's sphere as scale_mat_i or by the key "
            "sphere",
        )


def sphere_of(file: Path, matrices: Matrices, report: Report) -> Similarity | None:
    """The one similarity that all ``scale_mat_i`` state; None if the file has none at all."""
    numbers = numbers_of(matrices, "scale_mat")
    if not numbers:
        report(
            f"{file} has no scale_mat_i, so it does not say where the object is: set the key "
            "sphere, if what is chosen is wrong"
        )
        return None
    stated = np.stack([_matrix(file, matrices, f"scale_mat_{number}") for number in numbers])
    first = stated[0]
    for i in np.flatnonzero(~np.isclose(stated, first, rtol=1e-4, atol=1e-6).all(axis=(1, 2))):
        raise refusal(
            f"{file}, key scale_mat_{numbers[i]}",
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
