"""Middlebury's multi-view scans: images on black and one ``*_par.txt`` with their cameras."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from neus.errors import Faults, listed, refusal
from neus.sources.capture import Capture, PosedPhoto, assemble
from neus.sources.given_poses import nearest_rotation
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.names import Finder
from neus.sources.photos import MASK_FOLDERS, folders_called

NUMBERS = 21
"""On a line after the name: K, R and t of the projection ``K [R | t]``."""
NOT_A_ROTATION = 1e-3


def read_middlebury(
    path: Path, *, masks: MaskChoice, report: Callable[[str], None] = lambda line: None
) -> Capture:
    """Read a scan of Seitz et al., CVPR 2006; its frame is in metres.

    The masks are what is not black, unless the folder holds others. Half a pixel is added to the
    principal points: the files count pixel centres from 0.

    Args:
        path: the folder, or the list of cameras in it.
        report: hears of masks beside images.

    Raises:
        InputError: there is not one list of cameras, or a line of it or an image is unusable; all
            faults that were found are named.
    """
    file = path if path.is_file() else _list(path)
    folder = file.parent
    lines = [line.split() for line in file.read_text("utf-8-sig").splitlines() if line.strip()]
    lines = [words for words in lines if len(words) > 1]  # the first line counts the images
    if not lines:
        raise refusal(file, "no camera", "a line for each image", "copy it again")
    finder = Finder(folder)
    images = [finder.find(words[0]) for words in lines]
    for line in finder.account(file):
        report(line)
    missing = [words[0] for words, image in zip(lines, images, strict=True) if image is None]
    if missing:
        raise refusal(
            file,
            f"{len(missing)} of {len(lines)} images that do not exist ({listed(missing)})",
            "the images beside it",
            "add them",
        )
    files = [image for image in images if image is not None]
    if masks == "auto" and not folders_called(folder, MASK_FOLDERS):
        masks = "own"
    found = choose_masks(folder, files, folder, masks, report=report)
    photos, faults = [], Faults()
    for words, image, mask in zip(lines, files, found, strict=True):
        with faults.noted():
            photos.append(_photo(file, words, image, mask))
    faults.raise_any()
    return assemble(photos, unit="m", files=[file])


def _list(folder: Path) -> Path:
    lists = sorted(folder.glob("*_par.txt"))
    if len(lists) != 1:
        raise refusal(
            folder, f"{len(lists)} files *_par.txt", "one", "keep that of the scan, or add it"
        )
    return lists[0]


def _photo(file: Path, words: list[str], image: Path, mask: Path | None) -> PosedPhoto:
    where = f"{file}, the line of {words[0]}"
    try:
        numbers = np.array(words[1:], dtype=np.float64)
        intrinsics, rotation = numbers[:9].reshape(3, 3), numbers[9:18].reshape(3, 3)
        translation = numbers[18:NUMBERS].reshape(3)
    except ValueError:
        raise refusal(where, "other words", f"{NUMBERS} numbers", "copy the file again") from None
    is_rotation = np.allclose(rotation @ rotation.T, np.eye(3), atol=NOT_A_ROTATION)
    if not (np.isfinite(numbers).all() and is_rotation and np.linalg.det(rotation) > 0):
        raise refusal(where, "no rotation", "K, a rotation R and t", "copy the file again")
    if not (intrinsics[[0, 1], [0, 1]] > 0).all():
        raise refusal(where, "a focal length that is not positive", "K", "copy the file again")
    rotation = nearest_rotation(rotation)
    intrinsics[:2, 2] += 0.5
    pose = np.concatenate([rotation.T, -(rotation.T @ translation)[:, None]], axis=1)
    name = image.relative_to(file.parent) if image.is_relative_to(file.parent) else image
    return PosedPhoto(name.as_posix(), image, mask, image_size(image), intrinsics, pose)
