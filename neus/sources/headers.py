"""Image sizes from the first bytes of a file, so that a folder is checked without decoding it."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

from neus.errors import refusal
from neus.images import open_with_pillow

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
JPEG_END = b"\xff\xd9"
TAIL = 1 << 16
JPEG_FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""Markers SOF0 to SOF15; the three left out define tables (ITU T.81, table B.1)."""


def image_size(path: Path) -> tuple[int, int]:
    """Width and height of an image file in pixels, as stored (no orientation tag applied).

    Those of PNG and JPEG are read here, which also tells files that are cut off; those of other
    kinds by Pillow.

    Raises:
        InputError: the file is missing, empty, cut off, or no image inside.
    """
    try:
        with path.open("rb") as file:
            signature = file.read(8)
            if signature == PNG_SIGNATURE:
                size, end = _png_size(file), b"IEND"
            elif signature[:2] == JPEG_SIGNATURE:
                file.seek(2)
                size, end = _jpeg_size(file), JPEG_END
            else:
                size, end = None, b""
            if size is not None and min(size) >= 1 and not _holds(file, end):
                raise refusal(
                    path, "a file that is cut off", "a whole one", "copy it again or leave it out"
                )
    except OSError as error:
        reason = error.strerror or str(error)
        raise refusal(path, reason, "an image", "check the file, or leave it out") from error
    if size is None and signature not in (PNG_SIGNATURE, b"") and signature[:2] != JPEG_SIGNATURE:
        with open_with_pillow(path) as image:
            size = image.size
    if size is None or min(size) < 1:
        raise refusal(path, "no image inside", "a picture", "replace the file or leave it out")
    return size


def _holds(file: BinaryIO, marker: bytes) -> bool:
    """Whether a marker follows, looked for near the end of the file first, where it should be."""
    here = file.tell()
    size = file.seek(0, 2)
    file.seek(max(here, size - TAIL))
    if marker in file.read():
        return True
    file.seek(here)  # phones append short films to their photos
    return marker in file.read()


def _png_size(file: BinaryIO) -> tuple[int, int] | None:
    header = file.read(16)
    if len(header) < 16 or header[4:8] != b"IHDR":
        return None
    width, height = struct.unpack(">II", header[8:])
    return width, height


def _jpeg_size(file: BinaryIO) -> tuple[int, int] | None:
    """Skip from segment to segment up to the frame header."""
    while True:
        segment = file.read(4)
        if len(segment) < 4 or segment[0] != 0xFF:
            return None
        if segment[1] == 0xFF:  # a fill byte: the marker starts one byte later
            file.seek(-3, 1)
            continue
        if segment[1] in JPEG_FRAME_HEADERS:
            frame = file.read(5)
            if len(frame) < 5:
                return None
            height, width = struct.unpack(">HH", frame[1:])
            return width, height
        file.seek(struct.unpack(">H", segment[2:])[0] - 2, 1)
