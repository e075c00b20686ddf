"""Scans of Strecha et al., CVPR 2008: photos, each with a ``.camera`` file."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neus.errors import InputError
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.photos import find_images

NUMBERS = 26
"""K, three zeros, the rotation camera-to-world, the centre, width and height."""


def read_strecha(path: Path, *, masks: MaskChoice) -> Capture:
    """Read photos with their ``{image}.camera`` files, beside them or in a folder of their own.

    The frame is the scan's, in metres.

    Raises:
        InputError: a photo has no readable camera file, or one for another size.
    """
    images = find_images(path)
    found = choose_masks(path, images, images[0].parent, masks)
    folder = _camera_folder(path, images)
    return assemble(
        [_photo(folder, image, mask) for image, mask in zip(images, found, strict=True)], unit="m"
    )


def _camera_folder(path: Path, images: list[Path]) -> Path:
    for folder in (images[0].parent, path, *sorted(p for p in path.iterdir() if p.is_dir())):
        if (folder / f"{images[0].name}.camera").is_file():
            return folder
    raise InputError(f"{path} holds no {images[0].name}.camera: add the cameras of the images")


def _photo(folder: Path, image: Path, mask: Path | None) -> PosedPhoto:
    file = folder / f"{image.name}.camera"
    if not file.is_file():
        raise InputError(f"{file} does not exist: add the camera of {image.name}")
    try:
        numbers = np.array(file.read_text().split(), dtype=np.float64)
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) != NUMBERS:
        raise InputError(f"{file} does not hold {NUMBERS} numbers: copy it again")
    intrinsics, rotation = numbers[:9].reshape(3, 3), numbers[12:21].reshape(3, 3)
    size, stated = image_size(image), tuple(numbers[24:].astype(int))
    if size != stated:
        raise InputError(
            f"{image} is {size[0]}x{size[1]}, but {file} is for {stated[0]}x{stated[1]}: give the "
            "photos in their own size"
        )
    pose = np.concatenate([rotation, numbers[21:24, None]], axis=1)
    return PosedPhoto(image.name, image, mask, size, intrinsics, pose)
