"""A folder of photos, with or without masks: what is in it, and whether it can be used."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from neus.errors import InputError
from neus.sources.headers import image_size

SUFFIXES = frozenset({".png", ".jpg", ".jpeg"})
IMAGE_FOLDERS = ("images", "image")
MASK_FOLDERS = ("masks", "mask")


@dataclass(frozen=True)
class PhotoFolder:
    """Photos in natural order of their names.

    Attributes:
        images: the files; their stems differ.
        masks: one for each image, in the same order, or None.
        sizes: width and height of each image in pixels.
    """

    images: tuple[Path, ...]
    masks: tuple[Path, ...] | None
    sizes: tuple[tuple[int, int], ...]


def find_photos(path: Path, *, masks: bool) -> PhotoFolder:
    """Find and check the photos of a capture, reading no more than the headers.

    Args:
        path: holds the photos in ``images/``, in ``image/`` or itself.
        masks: whether to expect a mask for each photo in ``masks/`` or ``mask/``.

    Raises:
        InputError: see :func:`find_images` and :func:`find_masks`.
    """
    images = find_images(path)
    sizes = tuple(image_size(image) for image in images)
    if masks and first_folder(path, MASK_FOLDERS) is None:
        raise InputError(
            f"{path} holds no folder masks/ or mask/: add a mask for each photo, or set masks to "
            "false"
        )
    return PhotoFolder(tuple(images), find_masks(path, images, sizes) if masks else None, sizes)


def find_images(path: Path) -> list[Path]:
    """The images in ``path/images``, ``path/image`` or ``path``, in natural order; others ignored.

    Raises:
        InputError: the folder is missing or holds no image, or two images differ in suffix only.
    """
    folder = first_folder(path, IMAGE_FOLDERS)
    if folder is None and not path.is_dir():
        raise InputError(f"the folder {path} does not exist: point to a folder with photos")
    folder = folder or path
    images = images_in(folder)
    if not images:
        raise InputError(f"{folder} holds no .png, .jpg or .jpeg image: add or convert the photos")
    stem, count = Counter(image.stem for image in images).most_common(1)[0]
    if count > 1:
        raise InputError(f"{folder} holds {count} images called {stem}: give each its own name")
    return images


def find_masks(
    path: Path, images: Sequence[Path], sizes: Sequence[tuple[int, int]]
) -> tuple[Path, ...]:
    """The masks of ``images``, in their order, from ``path/masks``, ``path/mask`` or ``path``.

    Raises:
        InputError: the folder is missing, an image has no mask, or one of another size.
    """
    folder = first_folder(path, MASK_FOLDERS) or path
    if not folder.is_dir():
        raise InputError(f"the folder {folder} does not exist: point to a folder with masks")
    masks = [mask for mask in match_masks(images, images_in(folder), folder) if mask]
    for image, size, mask in zip(images, sizes, masks, strict=True):
        mask_size = image_size(mask)
        if mask_size != size:
            raise InputError(
                f"{mask} is {mask_size[0]}x{mask_size[1]}, but its image {image} is "
                f"{size[0]}x{size[1]}: make them the same size"
            )
    return tuple(masks)


def match_masks(
    images: Sequence[Path], masks: Sequence[Path], folder: Path, *, insist: bool = True
) -> list[Path | None]:
    """The mask of each image: of the same name, else of the same number (000012.png and 012.png).

    ``photo.jpg.png``, the name that COLMAP asks for, is the mask of ``photo.jpg``.

    Args:
        insist: whether every image must have one; else None stands for those that are missing.

    Raises:
        InputError: ``insist`` and images have no mask in ``folder``; all are named.
    """
    by_name = {mask.stem: mask for mask in masks}
    by_number = _by_number(masks) if len(_by_number(images)) == len(images) else {}
    matched = [
        by_name.get(image.stem) or by_name.get(image.name) or by_number.get(number_in(image.stem))
        for image in images
    ]
    bare = [image.name for image, mask in zip(images, matched, strict=True) if mask is None]
    if bare and insist:
        named = " nor for ".join(bare)
        raise InputError(f"{folder} holds no mask for the image {named}: add what is missing")
    return matched


def number_in(stem: str) -> int | None:
    """The last number in a name: 12 for ``000012``, 7 for ``IMG_0007_mask``, None for ``front``."""
    numbers = re.findall(r"\d+", stem)
    return int(numbers[-1]) if numbers else None


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sorting key that puts ``img9`` before ``img10``."""
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdigit() else (-1, part) for part in parts]


def _by_number(paths: Sequence[Path]) -> dict[int | None, Path]:
    """Files by their number, without numbers that several files share."""
    numbers = [number_in(path.stem) for path in paths]
    count = Counter(numbers)
    pairs = zip(numbers, paths, strict=True)
    return {number: path for number, path in pairs if number is not None and count[number] == 1}


def first_folder(path: Path, names: Sequence[str]) -> Path | None:
    """The first of the folders ``path/name`` that exists, or None."""
    return next((path / name for name in names if (path / name).is_dir()), None)


def images_in(folder: Path) -> list[Path]:
    """Image files, hidden ones left out (``._photo.jpg`` of macOS is no image)."""
    files = (path for path in folder.iterdir() if path.is_file())
    images = (p for p in files if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(images, key=lambda path: (natural_order(path.name), path.name))
