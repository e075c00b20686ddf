"""How many pictures a scan has and how large they are in use, by which its jobs take long."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from neus.errors import InputError
from neus.pipeline.scans import Scan
from neus.sources import Capture, find_photos, image_size

LOOKED_AT = 16
"""Photos whose headers are read, spread over all of them."""


@dataclass(frozen=True)
class Pictures:
    """What is known of them before anything runs.

    Attributes:
        count: training and held-out ones together.
        pixels: of one of them, after it was made smaller.
        stored: pixels of its file.
    """

    count: int
    pixels: float
    stored: float


def pictures_of(scan: Scan, capture: Capture | None = None) -> Pictures | None:
    """The pictures of a scan; None where they are made by the run, or nothing can be read.

    Args:
        capture: what was read of a posed scan.
    """
    if scan.source == "demo":
        pixels = scan.demo["width"] * scan.demo["height"]
        return Pictures(scan.demo["views"], pixels, pixels)
    if capture is not None:
        cameras = capture.scene.cameras
        sizes = [int(w) * int(h) for w, h in zip(cameras.widths, cameras.heights, strict=True)]
        return _in_use(scan, len(sizes), sizes)
    if scan.source != "photos" or not scan.path.is_dir():
        return None
    try:
        images = find_photos(scan.path).images
        some = images[:: -(-len(images) // LOOKED_AT)]
        sizes = [width * height for width, height in map(image_size, some)]
    except InputError:  # a broken one, of which others speak
        return None
    return _in_use(scan, len(images), sizes)


def _in_use(scan: Scan, count: int, sizes: list[int]) -> Pictures | None:
    if not sizes:
        return None
    stored = statistics.median(sizes)
    if scan.image_size is not None:
        return Pictures(count, scan.image_size[0] * scan.image_size[1], stored)
    return Pictures(count, stored / scan.downscale**2, stored)
