"""How a photo lies in its file: turned or mirrored against what was seen, by its EXIF tags.

JPEG, PNG, WebP and AVIF keep the pixels as the sensor read them and a tag beside them. TIFF and
HEIC are put upright by what decodes them (libtiff, Pillow, libheif): their tags say nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.images.kinds import ORIENTATION, is_heif, open_with_pillow

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
TIFF_SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
CLOCKWISE = {1: 0, 2: 0, 3: 2, 4: 2, 5: 3, 6: 1, 7: 1, 8: 3}
MIRRORED = frozenset({2, 4, 5, 7})
"""By the tag's value: quarter turns to the right, after the row was read from right to left."""


@dataclass(frozen=True)
class Orientation:
    """Attributes:
    clockwise: quarter turns to the right that put the photo upright, 0 to 3.
    is_mirrored: whether left and right change places before that, as front cameras need it.
    """

    clockwise: int = 0
    is_mirrored: bool = False

    @property
    def turn_alone(self) -> int:
        """The tag of a photo that is turned like this one, and mirrored back."""
        return (1, 6, 3, 8)[self.clockwise]


AS_SEEN = Orientation()


def orientation(path: Path) -> Orientation:
    """How the pixels that a file is decoded to lie; a tag that makes no sense counts as none.

    Raises:
        InputError: the file is no image.
    """
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] in TIFF_SIGNATURES or is_heif(head):
        return AS_SEEN
    tag = exif_tags(path).get(ORIENTATION, 1)
    return Orientation(CLOCKWISE.get(tag, 0), tag in MIRRORED)


def exif_tags(path: Path) -> Any:
    """The tags of an image, a ``PIL.Image.Exif``; damaged ones count as not there.

    No pixel is decoded, though the tags of PNG may stand behind them.

    Raises:
        InputError: the file is no image.
    """
    from PIL import Image

    with path.open("rb") as file:
        is_png = file.read(8) == PNG_SIGNATURE
    tags = Image.Exif()
    try:
        if is_png:
            tags.load(_exif_of_png(path))
        else:
            with open_with_pillow(path) as image:
                tags = image.getexif()
    except InputError:
        raise
    except (SyntaxError, ValueError, KeyError, TypeError, EOFError, OSError):
        return Image.Exif()
    return tags


def _exif_of_png(path: Path) -> bytes:
    """The content of the chunk eXIf (PNG, third edition, 11.3.4.5), or nothing."""
    with path.open("rb") as file:
        file.seek(len(PNG_SIGNATURE))
        while len(header := file.read(8)) == 8:
            length, kind = int.from_bytes(header[:4], "big"), header[4:]
            if kind == b"eXIf":
                return file.read(length)
            if kind == b"IEND":
                break
            file.seek(length + 4, 1)
    return b""
