"""Posed photos from a COLMAP model: ``sparse/``, ``images/`` and, if there are any, ``masks/``."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.cameras import Cameras
from neus.errors import InputError
from neus.scene import Frame, Scene
from neus.similarity import Similarity
from neus.sources.capture import Capture
from neus.sources.photos import natural_order

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

MIN_TRACK = 3
"""Points that fewer images agree on are mostly wrong matches."""


def import_pycolmap() -> ModuleType:
    """Import pycolmap in the one order that is safe.

    Both pycolmap's and OpenCV's wheels bring a libpng of their own; where pycolmap is loaded
    first, OpenCV later writes PNG files through the wrong one and crashes or hangs.
    """
    import cv2  # noqa: F401
    import pycolmap

    return pycolmap


def read_colmap(folder: Path, *, masks: bool) -> Capture:
    """Read undistorted photos with their model, as :mod:`neus.poses` writes them.

    Images that COLMAP could not place are left out. The source frame is COLMAP's, whose unit is
    arbitrary; its points are those that three or more images see.

    Args:
        folder: holds ``sparse/`` (binary or text), ``images/`` and ``masks/{stem}.png``.
        masks: whether each image has a mask.

    Raises:
        InputError: the model cannot be read, its cameras are not pinholes, or a file is missing.
    """
    model = _read_model(folder / "sparse")
    images = sorted(
        (model.images[i] for i in model.reg_image_ids()), key=lambda i: natural_order(i.name)
    )
    if not images:
        raise InputError(f"{folder / 'sparse'} holds no image with a pose: take more photos")
    points, colours = _points(model)
    scene = Scene(
        frames=tuple(_frame(folder, image.name, masks) for image in images),
        cameras=_cameras(folder, model, images),
        to_source=Similarity.identity(),
        unit="COLMAP units",
        test=(),
        points=points,
        points_rgb=colours,
    )
    return Capture(scene, sphere=None)


def _read_model(folder: Path) -> Any:
    pycolmap = import_pycolmap()
    if not folder.is_dir():
        raise InputError(f"{folder} does not exist: run estimate_poses.py first")
    try:
        return pycolmap.Reconstruction(folder)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{folder} holds no readable COLMAP model: estimate it again") from error


def _frame(folder: Path, name: str, masks: bool) -> Frame:
    image = folder / "images" / name
    mask = folder / "masks" / f"{image.stem}.png" if masks else None
    if not image.is_file():
        raise InputError(f"{image}, named in the COLMAP model, does not exist: add it")
    if mask is not None and not mask.is_file():
        raise InputError(
            f"{mask} does not exist: run estimate_poses.py with --masks, or set masks to false"
        )
    return Frame(image.stem, image, mask)


def _cameras(folder: Path, model: Any, images: list[Any]) -> Cameras:
    intrinsics, poses = np.zeros((len(images), 3, 3)), np.zeros((len(images), 3, 4))
    sizes = np.zeros((len(images), 2), dtype=np.int64)
    for i, image in enumerate(images):
        camera = model.cameras[image.camera_id]
        if camera.model_name not in ("PINHOLE", "SIMPLE_PINHOLE"):
            raise InputError(
                f"{folder / 'sparse'}: a camera is {camera.model_name}, which has distortion: "
                "undistort the images first (colmap image_undistorter)"
            )
        intrinsics[i] = camera.calibration_matrix()
        poses[i] = image.cam_from_world().inverse().matrix()
        sizes[i] = camera.width, camera.height
    return Cameras(intrinsics, poses, sizes[:, 0], sizes[:, 1])


def _points(model: Any) -> tuple[Float[np.ndarray, "p 3"], UInt8[np.ndarray, "p 3"]]:
    points = [point for point in model.points3D.values() if point.track.length() >= MIN_TRACK]
    positions = np.array([point.xyz for point in points], dtype=np.float64)
    colours = np.array([point.color for point in points], dtype=np.uint8)
    return positions.reshape(-1, 3), colours.reshape(-1, 3)
