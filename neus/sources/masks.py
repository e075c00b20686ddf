"""Which mask belongs to which image, and what counts as a mask at all."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from neus.errors import InputError
from neus.images import read_alpha
from neus.sources.headers import image_size
from neus.sources.photos import MASK_FOLDERS, first_folder, images_in, match_masks

MaskChoice = Literal["auto", "all", "none", "own"]
"""auto: the masks that there are, in a folder or as alpha channels, of all images or of some.
all: a mask in a folder for every image. none: no masks. own: the alpha channel of each image or,
where it has none, all that is not black."""

PNG_COLOUR_TYPE, WITH_ALPHA = 25, frozenset({3, 4, 6})
"""Offset in the file; palettes (3) may hold alpha, grey (4) and colour (6) with alpha do."""


def choose_masks(
    folder: Path,
    images: Sequence[Path],
    root: Path,
    choice: MaskChoice,
) -> list[Path | None]:
    """The mask of each image: a file, the image itself, or None.

    Args:
        folder: holds ``masks/`` or ``mask/``.
        images: below ``root``; masks lie in the same subfolders as their images.
        choice: see :data:`MaskChoice`.

    Raises:
        InputError: masks are missing that ``choice`` asks for, or belong to no image, or have
            another size than their image.
    """
    if choice == "none":
        return [None] * len(images)
    if choice == "own":
        return list(images)
    masks = first_folder(folder, MASK_FOLDERS)
    if masks is None and choice == "all":
        raise InputError(
            f"{folder} holds no folder masks/ or mask/: add a mask for each photo, or set masks to "
            "false"
        )
    if masks is None:
        return list(images) if _brings_alpha(images[0]) else [None] * len(images)
    found = _from_folder(masks, images, root, insist=choice == "all")
    if not any(found):
        raise InputError(
            f"no mask in {masks} has the name of an image: rename them, or set masks to false"
        )
    for image, mask in zip(images, found, strict=True):
        if mask is not None:
            _check_size(image, mask)
    return found


def _brings_alpha(image: Path) -> bool:
    """Whether an image has an alpha channel that hides something; decodes it only if it may."""
    if image.suffix.lower() != ".png":
        return False
    with image.open("rb") as file:
        colour_type = file.read(PNG_COLOUR_TYPE + 1)[-1:]
    return colour_type[:1] != b"" and colour_type[0] in WITH_ALPHA and read_alpha(image) is not None


def _from_folder(
    masks: Path, images: Sequence[Path], root: Path, *, insist: bool
) -> list[Path | None]:
    found: dict[Path, Path | None] = {}
    for parent in dict.fromkeys(image.parent for image in images):
        folder = masks / parent.relative_to(root)
        below = [image for image in images if image.parent == parent]
        files = images_in(folder) if folder.is_dir() else []
        found |= zip(below, match_masks(below, files, folder, insist=insist), strict=True)
    return [found[image] for image in images]


def _check_size(image: Path, mask: Path) -> None:
    """Masks painted over an upright photo may have its sides the other way round."""
    size, mask_size = image_size(image), image_size(mask)
    if mask_size not in (size, size[::-1]):
        raise InputError(
            f"{mask} is {mask_size[0]}x{mask_size[1]}, but its image {image} is "
            f"{size[0]}x{size[1]}: make them the same size"
        )
