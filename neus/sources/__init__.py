"""Readers of data formats: scans as they lie on disk in, captures out.

In goes a folder in somebody's layout; out comes a :class:`Capture`: posed photos, their masks and
points in the source's frame and unit, with OpenCV's axes and pixel centres at +0.5; no image is
opened yet. ``demo`` makes a procedural scan with its exact surface, by kernels that are compiled
when it is imported.
"""

from neus.sources.beside import number_in
from neus.sources.blank_masks import blank_masks, without_blank_masks
from neus.sources.capture import Capture
from neus.sources.colmap import read_colmap
from neus.sources.colmap_model import import_pycolmap
from neus.sources.dtu import read_dtu
from neus.sources.headers import image_size
from neus.sources.intrinsics import read_intrinsics
from neus.sources.location import read_location
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.names import plain_path
from neus.sources.photos import (
    PhotoFolder,
    find_photos,
    holds_no_photos,
    image_root,
)
from neus.sources.readers import SOURCES, check_source, read_source
from neus.sources.segmentation import load_network, mask_photos

__all__ = [
    "SOURCES",
    "Capture",
    "MaskChoice",
    "PhotoFolder",
    "blank_masks",
    "check_source",
    "choose_masks",
    "find_photos",
    "holds_no_photos",
    "image_root",
    "image_size",
    "import_pycolmap",
    "load_network",
    "mask_photos",
    "number_in",
    "plain_path",
    "read_colmap",
    "read_dtu",
    "read_intrinsics",
    "read_location",
    "read_source",
    "without_blank_masks",
]
