"""The pixels of image files as cameras are calibrated on: turned as stored, never mirrored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.images.kinds import ORIENTATION, decode_with_pillow, needs_pillow
from neus.images.orientation import PNG_SIGNATURE, TIFF_SIGNATURES, exif_tags, orientation

if TYPE_CHECKING:
    from jaxtyping import UInt8


def read_image(path: Path) -> UInt8[np.ndarray, "h w 3"]:
    """Read an image as RGB, its pixels as they are stored.

    A camera's intrinsics describe the stored pixels, so a photo is not turned as its orientation
    tag asks. One that is stored mirrored is mirrored back: no camera sees the world like that. An
    alpha channel is dropped, and 16 bits a channel become 8.

    Raises:
        InputError: the file is missing or no image.
    """
    import cv2

    return np.ascontiguousarray(read_stored(path, cv2.IMREAD_COLOR)[:, :, ::-1])


def read_stored(path: Path, flags: int) -> np.ndarray:
    """What OpenCV makes of an image with ``flags`` of its ``imread``, not turned, mirrored back.

    Raises:
        InputError: the file is missing or no image.
    """
    if not Path(path).is_file():
        raise InputError(f"{path} does not exist: check the folder of images")
    image = _decoded(Path(path), flags)
    return image[:, ::-1] if orientation(Path(path)).is_mirrored else image


def _decoded(path: Path, flags: int) -> np.ndarray:
    import cv2

    if not needs_pillow(path):
        image = cv2.imread(str(path), flags | cv2.IMREAD_IGNORE_ORIENTATION)
        if image is not None and image.dtype in (np.uint8, np.uint16):
            return image
    image = decode_with_pillow(path)
    image = image[:, :, :3] if flags == cv2.IMREAD_COLOR else image
    return image[:, :, [2, 1, 0, 3][: image.shape[2]]]


def colmap_reads(path: Path) -> bool:
    """Whether COLMAP sees the same pixels in a file as `read_image`."""
    with path.open("rb") as file:
        head = file.read(12)
    if head[:4] in TIFF_SIGNATURES:
        return exif_tags(path).get(ORIENTATION, 1) == 1
    is_read = head[:2] in (b"\xff\xd8", b"BM") or head[:8] == PNG_SIGNATURE
    return is_read and not orientation(path).is_mirrored
