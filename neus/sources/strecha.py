"""Scans of Strecha et al., CVPR 2008: photos, each with a ``.camera`` file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from neus.errors import Faults, refusal
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.given_poses import nearest_rotation
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.photos import find_photos
from neus.sources.sizes import Size, as_text, is_resized, said_of_sizes

NUMBERS = 26
"""K, three zeros, the rotation camera-to-world, the centre, width and height."""
NOT_A_ROTATION = 1e-3


def read_strecha(
    path: Path, *, masks: MaskChoice, report: Callable[[str], None] = lambda line: None
) -> Capture:
    """Read photos with their ``{image}.camera`` files, beside them or in a folder of their own.

    The frame is the scan's, in metres.

    Raises:
        InputError: a photo has no readable camera file, or one for another aspect; all faults that
            were found are named.
    """
    photos = find_photos(path)
    for line in photos.account:
        report(line)
    images = list(photos.images)
    found = choose_masks(path, images, photos.root, masks, report=report)
    folder = _camera_folder(path, images)
    read, resized, faults = [], [], Faults()
    for image, mask in zip(images, found, strict=True):
        with faults.noted():
            photo, stated = _photo(folder, image, mask, photos.root)
            read.append(photo)
            resized += [(image, stated, photo.size)] if stated != photo.size else []
    faults.raise_any()
    for line in said_of_sizes(folder, resized):
        report(line)
    files = [folder / f"{image.name}.camera" for image in images]
    return assemble(read, unit="m", files=files)


def _camera_folder(path: Path, images: list[Path]) -> Path:
    for folder in (images[0].parent, path, *sorted(p for p in path.iterdir() if p.is_dir())):
        if (folder / f"{images[0].name}.camera").is_file():
            return folder
    raise refusal(
        path, f"no {images[0].name}.camera", "a camera file for each image", "add the cameras"
    )


def _photo(folder: Path, image: Path, mask: Path | None, root: Path) -> tuple[PosedPhoto, Size]:
    file = folder / f"{image.name}.camera"
    if not file.is_file():
        raise refusal(file, "no such file", f"the camera of {image.name}", "add it")
    try:
        numbers = np.array(file.read_text("utf-8-sig").split(), dtype=np.float64)
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) != NUMBERS or not np.isfinite(numbers).all():
        raise refusal(file, "other words", f"{NUMBERS} numbers", "copy it again")
    intrinsics, rotation = numbers[:9].reshape(3, 3), numbers[12:21].reshape(3, 3)
    size, stated = image_size(image), (int(numbers[24]), int(numbers[25]))
    if size != stated and not (min(stated) > 0 and is_resized(stated, size)):
        raise refusal(
            image,
            f"an image of {as_text(size)}, but {file} is for {as_text(stated)}",
            "photos of their own size, or made smaller",
            "give these",
        )
    factors = np.array([size[0] / stated[0], size[1] / stated[1], 1.0])
    if not np.allclose(rotation.T @ rotation, np.eye(3), atol=NOT_A_ROTATION):
        raise refusal(file, "no rotation", "K, a rotation and a centre", "copy it again")
    rotation = nearest_rotation(rotation)
    pose = np.concatenate([rotation, numbers[21:24, None]], axis=1)
    name = image.relative_to(root).as_posix()
    return PosedPhoto(name, image, mask, size, intrinsics * factors[:, None], pose), stated
