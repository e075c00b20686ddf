"""Which kinds of image files are read, how they are told apart, and who decodes them.

OpenCV decodes what it knows; Pillow the rest: AVIF, and HEIC where `pillow-heif` is installed.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import UInt8

HEIC = frozenset({".heic", ".heif", ".hif"})
AVIF = frozenset({".avif"})
JPEG = frozenset({".jpg", ".jpeg", ".jpe", ".jfif"})
SUFFIXES = frozenset({".png", ".tif", ".tiff", ".webp", ".bmp"}) | JPEG | HEIC | AVIF
"""Of files that count as images."""
RAW = frozenset(
    {".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".x3f", ".3fr"}
)
OTHERS = frozenset(
    {".gif", ".jxl", ".jp2", ".jxr", ".exr", ".hdr", ".psd", ".xcf", ".svg", ".tga", ".pcx", ".ico"}
    | {".ppm", ".pgm", ".pbm", ".pnm", ".mpo", ".insp"}
)
UNREAD = RAW | OTHERS
"""Of pictures that nothing here reads: they have to be converted."""
ORIENTATION = 0x0112
"""The tag of EXIF and TIFF."""
HEIF_BRANDS = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})


def reads_heic() -> bool:
    """Whether photos of iPhones can be decoded here."""
    return find_spec("pillow_heif") is not None


def is_heif(head: bytes) -> bool:
    """Whether the first 12 bytes are those of a HEIC file, whatever its name ends in."""
    return head[4:8] == b"ftyp" and head[8:12] in HEIF_BRANDS


def is_avif(head: bytes) -> bool:
    return head[4:8] == b"ftyp" and head[8:12] in (b"avif", b"avis")


def open_with_pillow(path: Path) -> Any:
    """A ``PIL.Image``, its pixels not decoded yet.

    Raises:
        InputError: Pillow does not know the kind, or it is HEIC and pillow-heif is missing.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with path.open("rb") as file:
            head = file.read(12)
        if is_heif(head) and not _register_heic():
            raise InputError(
                f"{path}: found a HEIC photo, expected a kind that is read here: "
                "pip install pillow-heif, or convert it to .jpg"
            )
        return Image.open(path)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"{path}: found a file that cannot be read as an image, expected a picture: "
            "replace the file or leave it out"
        ) from error


@lru_cache
def _register_heic() -> bool:
    if not reads_heic():
        return False
    from pillow_heif import register_heif_opener  # pyright: ignore[reportMissingImports]

    register_heif_opener()
    return True


def decode_with_pillow(path: Path) -> UInt8[np.ndarray, "h w c"]:
    """RGB or RGBA, upright where the file's kind is turned by its decoder (HEIC, AVIF).

    Raises:
        InputError: see `open_with_pillow`; or the file is damaged.
    """
    with open_with_pillow(path) as image:
        has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
        try:
            image.filename = ""  # else Pillow 13 maps the file, and garbles TIFF that lies turned
            image.load()
            if image.mode.startswith("I"):  # 16 bits of grey, which Pillow would cut off at 255
                return np.repeat(_eight_bits(np.asarray(image))[:, :, None], 3, axis=2)
            return np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
        except (OSError, SyntaxError, ValueError) as error:
            raise InputError(
                f"{path}: found a damaged image ({error}), expected a whole one: "
                "copy it again or leave it out"
            ) from error


def _eight_bits(grey: np.ndarray) -> UInt8[np.ndarray, "h w"]:
    return (np.clip(grey, 0, 65535) // 257).astype(np.uint8)


def needs_pillow(path: Path) -> bool:
    """Whether OpenCV is not to be asked: it turns AVIF as it likes, and knows no HEIC."""
    with path.open("rb") as file:
        head = file.read(12)
    return is_heif(head) or is_avif(head)
