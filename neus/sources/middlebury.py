"""Middlebury's multi-view scans: images on black and one ``*_par.txt`` with their cameras."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from neus.errors import InputError
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.photos import MASK_FOLDERS, first_folder

NUMBERS = 21
"""On a line after the name: K, R and t of the projection ``K [R | t]``."""
NOT_A_ROTATION = 1e-3


def read_middlebury(path: Path, *, masks: MaskChoice) -> Capture:
    """Read a scan of Seitz et al., CVPR 2006; its frame is in metres.

    The masks are what is not black, unless the folder holds others. Half a pixel is added to the
    principal points: the files count pixel centres from 0.

    Raises:
        InputError: there is not one list of cameras, or a line of it or an image is unusable.
    """
    lists = sorted(path.glob("*_par.txt"))
    if len(lists) != 1:
        raise InputError(f"{path} holds {len(lists)} files *_par.txt: keep one, that of the scan")
    lines = [line.split() for line in lists[0].read_text().splitlines() if line.strip()]
    lines = [words for words in lines if len(words) > 1]  # the first line counts the images
    if not lines:
        raise InputError(f"{lists[0]} lists no camera: copy it again")
    images = [path / words[0] for words in lines]
    if masks == "auto" and first_folder(path, MASK_FOLDERS) is None:
        masks = "own"
    found = choose_masks(path, images, path, masks)
    return assemble(
        [
            _photo(lists[0], words, image, mask)
            for words, image, mask in zip(lines, images, found, strict=True)
        ],
        unit="m",
    )


def _photo(file: Path, words: list[str], image: Path, mask: Path | None) -> PosedPhoto:
    if not image.is_file():
        raise InputError(f"{image}, named in {file}, does not exist: add it")
    try:
        numbers = np.array(words[1:], dtype=np.float64)
        intrinsics, rotation = numbers[:9].reshape(3, 3), numbers[9:18].reshape(3, 3)
        translation = numbers[18:NUMBERS].reshape(3)
    except ValueError:
        raise InputError(f"{file}: the line of {words[0]} has not {NUMBERS} numbers") from None
    if not np.allclose(rotation @ rotation.T, np.eye(3), atol=NOT_A_ROTATION):
        raise InputError(f"{file}: the line of {words[0]} holds no rotation: copy the file again")
    intrinsics[:2, 2] += 0.5
    pose = np.concatenate([rotation.T, -(rotation.T @ translation)[:, None]], axis=1)
    return PosedPhoto(image.name, image, mask, image_size(image), intrinsics, pose)
