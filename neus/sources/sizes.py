"""Images at another size than the one that their cameras were written for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

Size = tuple[int, int]
"""Width and height in pixels."""


def is_resized(stated: Size, size: Size) -> bool:
    """Whether one factor takes both sides of a stated size to those of an image, within a pixel."""
    low = max((side - 1) / of for side, of in zip(size, stated, strict=True))
    high = min((side + 1) / of for side, of in zip(size, stated, strict=True))
    return low <= high


def said_of_sizes(where: object, resized: list[tuple[Path, Size, Size]]) -> list[str]:
    """A sentence for each pair of sizes, stated and of the image.

    Args:
        where: file of the cameras.
        resized: image, stated size and its own.
    """
    count = Counter((stated, size) for _, stated, size in resized)
    return [
        f"{where} is for images of {stated[0]}x{stated[1]}, but {number} are "
        f"{size[0]}x{size[1]}: their intrinsics are scaled to them"
        for (stated, size), number in count.items()
    ]


def as_text(size: Size) -> str:
    return f"{size[0]}x{size[1]}"
