"""Numbers and pictures as text that a script may hold: quantised, deflated, in base64."""

from __future__ import annotations

import base64
import io
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int8, UInt8

STEPS = 65535
"""Of a coordinate, from one side of the box of all points to the other."""
Packed = dict[str, Any]


def packed(values: np.ndarray) -> Packed:
    """An array as the page reads it: its type, its shape, and its deflated bytes in base64.

    Columns are stored one after the other, which deflates to fewer bytes than row by row.
    """
    values = np.asarray(values)
    planes = np.ascontiguousarray(np.moveaxis(values, 0, -1)).astype(values.dtype.newbyteorder("<"))
    content = base64.b64encode(zlib.compress(planes.tobytes(), 9)).decode()
    return {"type": values.dtype.name, "shape": list(values.shape), "deflated": content}


def unpacked(content: Packed) -> np.ndarray:
    """What :func:`packed` took, as the page's script reads it."""
    planes = np.frombuffer(
        zlib.decompress(base64.b64decode(content["deflated"])),
        np.dtype(content["type"]).newbyteorder("<"),
    )
    count, *rest = content["shape"]
    return np.moveaxis(planes.reshape(*rest, count), -1, 0)


def quantised(points: Float[np.ndarray, "n 3"]) -> Packed:
    """Points in whole steps of the box around them, each at most half a step off.

    Returns:
        ``low`` and ``step`` ``[3]`` in the unit of the points, and their ``places``, whole numbers.
    """
    if not len(points):
        return {"low": [0.0] * 3, "step": [0.0] * 3, "places": packed(np.zeros((0, 3), np.uint16))}
    low, high = points.min(axis=0), points.max(axis=0)
    step = (high - low) / STEPS
    places = np.rint((points - low) / np.where(step > 0, step, 1)).astype(np.uint16)
    return {"low": low.tolist(), "step": step.tolist(), "places": packed(places)}


def points_of(content: Packed) -> Float[np.ndarray, "n 3"]:
    """The points that :func:`quantised` put into steps."""
    return np.array(content["low"]) + unpacked(content["places"]) * np.array(content["step"])


def octahedral(normals: Float[np.ndarray, "n 3"]) -> Int8[np.ndarray, "n 2"]:
    """Unit vectors as two bytes each, within 1.2 degrees (Cigolle et al., JCGT 2014, section 3.3).

    A vector is projected onto the octahedron ``|x| + |y| + |z| = 1``, whose lower half is folded
    over the upper one.
    """
    flat = normals / np.maximum(np.abs(normals).sum(axis=1, keepdims=True), 1e-12)
    signs = np.where(flat[:, :2] >= 0, 1.0, -1.0)
    folded = (1 - np.abs(flat[:, 1::-1])) * signs
    return np.rint(127 * np.where(flat[:, 2:] >= 0, flat[:, :2], folded)).astype(np.int8)


def directions_of(bytes_: Int8[np.ndarray, "n 2"]) -> Float[np.ndarray, "n 3"]:
    """The unit vectors that :func:`octahedral` took, as the page's shader reads them."""
    flat = bytes_ / 127.0
    height = 1 - np.abs(flat).sum(axis=1, keepdims=True)
    signs = np.where(flat >= 0, 1.0, -1.0)
    flat = np.where(height >= 0, flat, (1 - np.abs(flat[:, ::-1])) * signs)
    vectors = np.concatenate([flat, height], axis=1)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def picture(image: UInt8[np.ndarray, "h w *c"], quality: int = 82) -> str:
    """A picture as a WebP in an address of its own."""
    return _address(image, "webp", quality=quality, method=4)


def blocks_picture(image: UInt8[np.ndarray, "h w *c"], quality: int = 88) -> str:
    """A picture of independent blocks of 8 x 8 pixels, none of which colours its neighbours.

    JPEG codes each such block by itself where no channel is shrunk (ITU-T T.81, A.2).
    """
    return _address(image, "jpeg", quality=quality, subsampling=0, optimize=True)


def _address(image: np.ndarray, kind: str, **options: Any) -> str:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(image).save(content, kind, **options)
    return f"data:image/{kind};base64,{base64.b64encode(content.getvalue()).decode()}"
