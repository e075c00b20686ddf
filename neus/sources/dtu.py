"""Scans in the layout of NeuS and IDR: ``image/``, ``mask/`` and ``cameras_sphere.npz``.

``world_mat_i`` is the projection ``K [R | t]`` of image i from the source frame to pixels whose
centres are integers; ``scale_mat_i`` takes the unit sphere to the source frame.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from zipfile import BadZipFile

import numpy as np

from neus.errors import InputError
from neus.scene import Cameras, Frame, Scene, Similarity, from_projection
from neus.sources.capture import Capture
from neus.sources.photos import PhotoFolder, find_photos

if TYPE_CHECKING:
    from jaxtyping import Float

CAMERA_FILES = ("cameras_sphere.npz", "cameras.npz")
MAX_SKEW = 1e-3
"""Skew below this part of the focal length is rounding of float32 projection matrices."""


def read_dtu(path: Path, *, masks: bool, unit: str = "mm") -> Capture:
    """Read a scan in the NeuS layout; images are checked by their headers and not decoded.

    Image i, in natural order of the names, belongs to ``world_mat_i``. Half a pixel is added to
    the principal points: the file counts pixel centres from 0, :class:`Cameras` from 0.5.

    Args:
        path: the scan's folder.
        masks: whether each image has a mask, in ``mask/``.
        unit: of the source frame; millimetres for DTU, whose layout other data sets share.

    Raises:
        InputError: a file is missing or unreadable, or images, masks and cameras do not match.
    """
    photos, file = _files(path, masks)
    _check_sizes(photos)
    matrices = _read_matrices(file)
    count = sum(key.startswith("world_mat_") and "inv" not in key for key in matrices)
    if count != len(photos.images):
        raise InputError(
            f"{file} has {count} cameras for {len(photos.images)} images in "
            f"{photos.images[0].parent}: keep one image for each camera"
        )
    cameras = _cameras(file, matrices, photos)
    mask_files = photos.masks or [None] * len(photos.images)
    frames = tuple(
        Frame(image.stem, image, mask)
        for image, mask in zip(photos.images, mask_files, strict=True)
    )
    no_points = np.zeros((0, 3))
    scene = Scene(
        frames, cameras, Similarity.identity(), unit, (), no_points, no_points.astype(np.uint8)
    )
    return Capture(scene, _sphere(file, matrices, count))


def _files(path: Path, masks: bool) -> tuple[PhotoFolder, Path]:
    """Images, masks and cameras; one sentence names everything that is missing."""
    found, problems = [], []
    for look in (lambda: find_photos(path, masks=masks), lambda: _camera_file(path)):
        try:
            found.append(look())
        except InputError as error:
            problems.append(str(error))
    if problems:
        raise InputError("; ".join(problems))
    photos, file = found
    return photos, file


def _check_sizes(photos: PhotoFolder) -> None:
    for image, size in zip(photos.images, photos.sizes, strict=True):
        if size != photos.sizes[0]:
            raise InputError(
                f"{image} is {size[0]}x{size[1]}, but {photos.images[0].name} is "
                f"{photos.sizes[0][0]}x{photos.sizes[0][1]}: the images of a scan have one size"
            )


def _camera_file(path: Path) -> Path:
    for name in CAMERA_FILES:
        if (path / name).is_file():
            return path / name
    raise InputError(
        f"{path} holds neither {' nor '.join(CAMERA_FILES)}: add the cameras, or set source to "
        "photos"
    )


def _read_matrices(file: Path) -> dict[str, Float[np.ndarray, "4 4"]]:
    try:
        with np.load(file) as content:
            return {key: content[key].astype(np.float64) for key in content.files if "_mat_" in key}
    except (OSError, ValueError, BadZipFile, EOFError) as error:
        raise InputError(f"{file} cannot be read as a NumPy .npz file: copy it again") from error


def _matrix(
    file: Path, matrices: dict[str, Float[np.ndarray, "4 4"]], key: str
) -> Float[np.ndarray, "4 4"]:
    matrix = matrices.get(key)
    if matrix is None or matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise InputError(f"{file} has no finite 4x4 matrix {key}: write the cameras again")
    return matrix


def _cameras(
    file: Path, matrices: dict[str, Float[np.ndarray, "4 4"]], photos: PhotoFolder
) -> Cameras:
    count = len(photos.images)
    intrinsics, poses = np.zeros((count, 3, 3)), np.zeros((count, 3, 4))
    for i in range(count):
        projection = _matrix(file, matrices, f"world_mat_{i}")[:3]
        try:
            intrinsics[i], poses[i] = from_projection(projection)
        except ValueError as error:
            raise InputError(f"{file}: world_mat_{i} is no camera: {error}") from error
        if abs(intrinsics[i, 0, 1]) > MAX_SKEW * intrinsics[i, 0, 0]:
            raise InputError(f"{file}: world_mat_{i} shears pixels: undistort the images first")
    intrinsics[:, 0, 1] = 0
    intrinsics[:, :2, 2] += 0.5
    widths, heights = np.array(photos.sizes, dtype=np.int64).T
    return Cameras(intrinsics, poses, widths, heights)


def _sphere(
    file: Path, matrices: dict[str, Float[np.ndarray, "4 4"]], count: int
) -> Similarity | None:
    """The one similarity that all ``scale_mat_i`` state; None if the file has none at all."""
    if not any(key.startswith("scale_mat_") for key in matrices):
        return None
    first = _matrix(file, matrices, "scale_mat_0")
    for i in range(count):
        if not np.allclose(_matrix(file, matrices, f"scale_mat_{i}"), first, rtol=1e-4, atol=1e-6):
            raise InputError(
                f"{file}: scale_mat_{i} differs from scale_mat_0: a scan has one sphere, write "
                "the same matrix for all images"
            )
    try:
        return Similarity.from_matrix(first)
    except ValueError as error:
        raise InputError(f"{file}: scale_mat_0 is {error}: scale all axes alike") from error
