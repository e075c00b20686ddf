"""Posed photos from a COLMAP model, ours or anybody's: ``sparse/``, ``images/``, ``masks/``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.exif import read_exif
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.photos import IMAGE_FOLDERS, first_folder

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

MIN_TRACK = 3
"""Points that fewer images agree on are mostly wrong matches."""
PINHOLES = ("PINHOLE", "SIMPLE_PINHOLE")
MODEL_FILES = ("cameras.bin", "cameras.txt")
UNIT = "COLMAP units"


def import_pycolmap() -> ModuleType:
    """Import pycolmap in the one order that is safe.

    Both pycolmap's and OpenCV's wheels bring a libpng of their own; where pycolmap is loaded
    first, OpenCV later writes PNG files through the wrong one and crashes or hangs.
    """
    import cv2  # noqa: F401
    import pycolmap

    return pycolmap


def read_colmap(
    path: Path,
    *,
    masks: MaskChoice,
    model: Path | None = None,
    report: Callable[[str], None] = lambda line: None,
) -> Capture:
    """Read photos with their model: any cameras, distorted or not, in one folder or several.

    Images that COLMAP could not place are left out. The source frame is COLMAP's, whose unit is
    arbitrary; its points are those that three or more images see.

    Args:
        path: holds the photos in ``images/``, in ``image/`` or itself, and ``masks/``.
        masks: which masks to use.
        model: folder with the model, text or binary; ``path/sparse`` or ``path`` by default. Of
            several models in its subfolders the one with the most images is taken.
        report: hears of several models.

    Raises:
        InputError: the model cannot be read, or does not fit the files.
    """
    model_folder, content = _largest_model(model or path / "sparse", path, report)
    root = first_folder(path, IMAGE_FOLDERS) or path
    images = [content.images[i] for i in content.reg_image_ids()]
    if not images:
        raise InputError(f"{model_folder} holds no image with a pose: take more photos")
    files = [_image_file(root, image.name) for image in images]
    found = choose_masks(path, files, root, masks)
    points, colours = _points(content)
    return assemble(
        [
            _photo(image, file, mask, content.cameras[image.camera_id])
            for image, file, mask in zip(images, files, found, strict=True)
        ],
        unit=UNIT,
        points=points,
        points_rgb=colours,
    )


def _models(folder: Path) -> list[Path]:
    folders = [folder, *sorted(folder.iterdir())] if folder.is_dir() else []
    return [each for each in folders if any((each / name).is_file() for name in MODEL_FILES)]


def _no_model(folder: Path) -> InputError:
    return InputError(
        f"{folder} holds no COLMAP model (cameras, images and points3D as .bin or .txt): add it, "
        "or set source to photos"
    )


def _largest_model(folder: Path, path: Path, report: Callable[[str], None]) -> tuple[Path, Any]:
    candidates = _models(folder) or _models(path)
    if not candidates:
        raise _no_model(folder)
    models = {candidate: _read_model(candidate) for candidate in candidates}
    largest = max(models, key=lambda candidate: models[candidate].num_reg_images())
    if len(models) > 1:
        sizes = ", ".join(f"{key.name}: {value.num_reg_images()}" for key, value in models.items())
        report(f"{folder} holds models of several sizes ({sizes} images): {largest.name} is taken")
    return largest, models[largest]


def _read_model(folder: Path) -> Any:
    pycolmap = import_pycolmap()
    try:
        return pycolmap.Reconstruction(folder)
    except (ValueError, RuntimeError, IndexError) as error:
        raise InputError(f"{folder} holds no readable COLMAP model: estimate it again") from error


def _image_file(root: Path, name: str) -> Path:
    file = root / name
    if not file.is_file():
        raise InputError(f"{file}, named in the COLMAP model, does not exist: add it")
    return file


def _photo(image: Any, file: Path, mask: Path | None, camera: Any) -> PosedPhoto:
    size = image_size(file)
    if size != (camera.width, camera.height):
        raise InputError(
            f"{file} is {size[0]}x{size[1]}, but its camera in the COLMAP model is "
            f"{camera.width}x{camera.height}: give the photos that the model was made from"
        )
    return PosedPhoto(
        name=image.name,
        image=file,
        mask=mask,
        size=size,
        camera=camera.calibration_matrix() if camera.model_name in PINHOLES else camera,
        camera_to_world=image.cam_from_world().inverse().matrix(),
        clockwise=read_exif(file).clockwise,
    )


def _points(model: Any) -> tuple[Float[np.ndarray, "p 3"], UInt8[np.ndarray, "p 3"]]:
    points = [point for point in model.points3D.values() if point.track.length() >= MIN_TRACK]
    positions = np.array([point.xyz for point in points], dtype=np.float64)
    colours = np.array([point.color for point in points], dtype=np.uint8)
    return positions.reshape(-1, 3), colours.reshape(-1, 3)
