"""Which mask belongs to which image, and what counts as a mask at all."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from neus.errors import InputError, listed, refusal
from neus.images import SUFFIXES, open_with_pillow, read_alpha
from neus.sources.beside import masks_beside, match_masks
from neus.sources.headers import image_size
from neus.sources.photos import IMAGE_FOLDERS, MASK_FOLDERS, folders_called, images_in

MaskChoice = Literal["auto", "all", "none", "own"]
"""auto: the masks that there are, in a folder, beside the images or as alpha channels, of all
images or of some. all: a mask in a file for every image. none: no masks. own: the alpha channel of
each image or, where it has none, all that is not black."""

PNG_COLOUR_TYPE, WITH_ALPHA = 25, frozenset({3, 4, 6})
"""Offset in the file; palettes (3) may hold alpha, grey (4) and colour (6) with alpha do."""
ALPHA_KINDS = SUFFIXES - {".png", ".jpg", ".jpeg", ".bmp"}
"""Kinds besides PNG that may have an alpha channel, which Pillow says without decoding them."""
ALPHA_MODES = ("RGBA", "LA", "PA", "RGBa", "La")


def choose_masks(
    folder: Path,
    images: Sequence[Path],
    root: Path,
    choice: MaskChoice,
    *,
    report: Callable[[str], None] = lambda line: None,
) -> list[Path | None]:
    """The mask of each image: a file, the image itself, or None.

    An image's mask is in a folder ``masks/`` or ``mask/`` of the scan, of the folder of images or
    of the image's own; else beside it (:func:`neus.sources.photos.masks_beside`); else its alpha
    channel, if that hides anything.

    Args:
        folder: of the scan.
        images: below ``root``; masks lie in the same subfolders as their images, or in none.
        choice: see :data:`MaskChoice`.
        report: hears of masks beside images.

    Raises:
        InputError: masks are missing that ``choice`` asks for, or belong to no image, or have
            another size than their image; all of them are named.
    """
    if choice == "none":
        return [None] * len(images)
    if choice == "own":
        return list(images)
    folders, found = _in_folders(folder, images, root)
    if folders and not any(found.values()):
        raise refusal(
            folders[0],
            "no mask with the name of an image",
            f"masks called like {images[0].name}",
            "rename them, or set masks to false",
        )
    beside = _beside([image for image in images if image not in found])
    if beside:
        names = listed(sorted(mask.name for mask in beside.values()), 3)
        report(f"{len(beside)} masks lie beside their images and are used ({names})")
    found |= beside
    check_sizes({image: mask for image, mask in found.items() if mask is not None})
    if choice == "all":
        _check_all(folder, images, found)
    own = {image: image for image in images if image not in found and _brings_alpha(image)}
    return [found.get(image, own.get(image)) for image in images]


def check_sizes(masks: dict[Path, Path]) -> None:
    """Hold the size of masks against that of their images, without decoding them.

    Masks painted over an upright photo may have its sides the other way round.

    Raises:
        InputError: some differ; the first are named with both sizes.
    """
    off = []
    for image, mask in masks.items():
        if mask == image:
            continue
        size, own = image_size(image), image_size(mask)
        if own not in (size, size[::-1]):
            off.append(f"{mask} is {own[0]}x{own[1]}, its image {image} {size[0]}x{size[1]}")
    if off:
        raise InputError(
            f"{len(off)} of {len(masks)} masks: found another size than their images' "
            f"({listed(off, 3)}), expected the same: make them again at the size of the images"
        )


def _in_folders(
    folder: Path, images: Sequence[Path], root: Path
) -> tuple[list[Path], dict[Path, Path]]:
    """The folders of masks that there are, and the masks in them."""
    folders: dict[Path, None] = {}
    found: dict[Path, Path] = {}
    for parent in dict.fromkeys(image.parent for image in images):
        below = [image for image in images if image.parent == parent]
        for place in _places(folder, root, parent):
            if not place.is_dir():
                continue
            folders[place] = None
            left = [image for image in below if image not in found]
            masks = match_masks(left, images_in(place))
            found |= {i: mask for i, mask in zip(left, masks, strict=True) if mask is not None}
    return list(folders), found


def _places(folder: Path, root: Path, parent: Path) -> list[Path]:
    """Where masks of the images in ``parent`` may lie, the likeliest first."""
    relative = parent.relative_to(root) if parent.is_relative_to(root) else Path()
    bases = [(folder, relative), (root, relative), (parent, Path())]
    is_of_images = folder.name.lower() in IMAGE_FOLDERS  # then masks lie beside it
    bases += [(parent.parent, Path())] if parent != folder or is_of_images else []
    places = [
        place / below for base, below in bases for place in folders_called(base, MASK_FOLDERS)
    ]
    return [place for place in dict.fromkeys(places) if place != parent]


def _beside(images: Sequence[Path]) -> dict[Path, Path]:
    """Masks that lie beside their images."""
    wanted, found = set(images), {}
    for parent in dict.fromkeys(image.parent for image in images):
        pairs = masks_beside(images_in(parent))
        found |= {i: m for i, m in pairs.items() if i in wanted and m not in wanted}
    return found


def _check_all(folder: Path, images: Sequence[Path], found: dict[Path, Path]) -> None:
    bare = [image.name for image in images if image not in found]
    if bare:
        raise refusal(
            folder,
            f"no mask for {len(bare)} of {len(images)} images ({listed(bare)})",
            "a mask for each in masks/ or mask/, as the key masks: true asks",
            "add what is missing, or set masks to auto or false",
        )


def _brings_alpha(image: Path) -> bool:
    """Whether an image has an alpha channel that hides something; decodes it only if it may."""
    suffix = image.suffix.lower()
    if suffix == ".png":
        with image.open("rb") as file:
            colour_type = file.read(PNG_COLOUR_TYPE + 1)[-1:]
        may = colour_type[:1] != b"" and colour_type[0] in WITH_ALPHA
    elif suffix in ALPHA_KINDS:
        with open_with_pillow(image) as opened:
            may = opened.mode in ALPHA_MODES or "transparency" in opened.info
    else:
        may = False
    return may and read_alpha(image) is not None
