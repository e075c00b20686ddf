"""Readers of data formats: scans as they lie on disk in, captures out.

In goes a folder in somebody's layout; out comes a :class:`Capture`: posed photos, their masks and
points in the source's frame and unit, with OpenCV's axes and pixel centres at +0.5; no image is
opened yet. ``demo`` makes a procedural scan with its exact surface, by kernels that are compiled
when it is imported.
"""

from neus.sources.capture import Capture
from neus.sources.colmap import import_pycolmap
from neus.sources.dtu import read_dtu
from neus.sources.exif import read_exif
from neus.sources.headers import image_size
from neus.sources.intrinsics import read_intrinsics
from neus.sources.masks import MaskChoice
from neus.sources.photos import IMAGE_FOLDERS, MASK_FOLDERS, find_images, number_in
from neus.sources.readers import SOURCES, check_source, read_source
from neus.sources.segmentation import load_network, mask_photos

__all__ = [
    "IMAGE_FOLDERS",
    "MASK_FOLDERS",
    "SOURCES",
    "Capture",
    "MaskChoice",
    "check_source",
    "find_images",
    "image_size",
    "import_pycolmap",
    "load_network",
    "mask_photos",
    "number_in",
    "read_dtu",
    "read_exif",
    "read_intrinsics",
    "read_source",
]
