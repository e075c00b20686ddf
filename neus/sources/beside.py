"""Which files belong to which image by their names: masks, thumbnails, numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

MASK_NAME = re.compile(r"masks?[ _.-]+(?P<after>.+)|(?P<before>.+?)[ _.-]+masks?", re.IGNORECASE)
THUMBNAIL_NAME = re.compile(
    r"(?:thumb|thumbnail|tn)[ _.-]+(?P<after>.+)|(?P<before>.+?)[ _.-]+(?:thumb|thumbnail|tn)",
    re.IGNORECASE,
)
PNG_COLOUR_TYPE, GREY = 25, (0, 3)
"""Offset in the file; grey and palette, which masks are and photos are not."""


def masks_beside(images: Sequence[Path]) -> dict[Path, Path]:
    """Images to the masks that lie beside them, by the names that tools give these.

    ``IMG_1_mask.png``, ``IMG_1.mask.png``, ``mask_IMG_1.png`` or ``IMG_1.jpg.mask.png`` is the mask
    of ``IMG_1.jpg``, if that lies in the same folder: ``carnival_mask.jpg`` alone is a photo.
    ``IMG_1.jpg.png``, COLMAP's name, is one if it is grey.
    """
    beside = named_after(images, MASK_NAME)
    by_name = {(image.parent, image.name): image for image in images}
    for mask in images:
        photo = by_name.get((mask.parent, mask.stem))
        if photo is not None and photo not in beside and _is_grey_png(mask):
            beside[photo] = mask
    return beside


def named_after(images: Sequence[Path], pattern: re.Pattern[str]) -> dict[Path, Path]:
    """Images to those that are called like them and something of ``pattern``."""
    by_stem = {(image.parent, image.stem): image for image in images}
    by_stem |= {(image.parent, image.name): image for image in images}
    found: dict[Path, Path] = {}
    for image in images:
        match = pattern.fullmatch(image.stem)
        of = match and by_stem.get((image.parent, match["after"] or match["before"]))
        if of and of != image:
            found.setdefault(of, image)
    return {of: image for of, image in found.items() if of not in found.values()}


def _is_grey_png(path: Path) -> bool:
    if path.suffix.lower() != ".png":
        return False
    with path.open("rb") as file:
        head = file.read(PNG_COLOUR_TYPE + 1)
    return len(head) > PNG_COLOUR_TYPE and head[PNG_COLOUR_TYPE] in GREY


def match_masks(images: Sequence[Path], masks: Sequence[Path]) -> list[Path | None]:
    """The mask of each image: of the same name, else of the same number (000012.png and 012.png).

    ``photo.jpg.png``, the name that COLMAP asks for, and ``photo_mask.png`` are masks of
    ``photo.jpg``, too. None stands for those that are missing.
    """
    by_name = {mask.stem: mask for mask in masks}
    for mask in masks:
        match = MASK_NAME.fullmatch(mask.stem)
        if match:
            by_name.setdefault(match["after"] or match["before"], mask)
    by_number = _by_number(masks) if len(_by_number(images)) == len(images) else {}
    return [
        by_name.get(image.stem) or by_name.get(image.name) or by_number.get(number_in(image.stem))
        for image in images
    ]


def number_in(stem: str) -> int | None:
    """The last number in a name: 12 for ``000012``, 7 for ``IMG_0007_mask``, None for ``front``."""
    numbers = re.findall(r"[0-9]+", stem)
    return int(numbers[-1]) if numbers else None


def _by_number(paths: Sequence[Path]) -> dict[int | None, Path]:
    """Files by their number, without numbers that several files share."""
    numbers = [number_in(path.stem) for path in paths]
    count = Counter(numbers)
    pairs = zip(numbers, paths, strict=True)
    return {number: path for number, path in pairs if number is not None and count[number] == 1}
