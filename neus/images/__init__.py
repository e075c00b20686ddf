"""Pictures: photos, masks and videos in, pictures and clips out.

In go files as cameras and people leave them; out come uint8 arrays, RGB ``[height, width, 3]`` or
masks ``[height, width]``, upright and undistorted where a :class:`Rectification` says how. Pixels
have their centres at +0.5.
"""

from neus.images.clips import write_clip
from neus.images.files import (
    PALETTES,
    depth_to_colour,
    normals_to_colour,
    panel,
    resize_coverage,
    resize_image,
    to_uint8,
    write_image,
)
from neus.images.kinds import (
    HEIC,
    JPEG,
    ORIENTATION,
    SUFFIXES,
    UNREAD,
    open_with_pillow,
    reads_heic,
)
from neus.images.masks import read_alpha, read_mask, read_own_mask, resize_seen
from neus.images.orientation import AS_SEEN, Orientation, exif_tags, orientation
from neus.images.rectification import Rectification, turn_camera
from neus.images.stored import colmap_reads, read_image
from neus.images.undistort import LensCamera, pinhole_intrinsics
from neus.images.video import VIDEOS, check_video, extract_frames, is_video

__all__ = [
    "AS_SEEN",
    "HEIC",
    "JPEG",
    "ORIENTATION",
    "PALETTES",
    "SUFFIXES",
    "UNREAD",
    "VIDEOS",
    "LensCamera",
    "Orientation",
    "Rectification",
    "check_video",
    "colmap_reads",
    "depth_to_colour",
    "exif_tags",
    "extract_frames",
    "is_video",
    "normals_to_colour",
    "open_with_pillow",
    "orientation",
    "panel",
    "pinhole_intrinsics",
    "read_alpha",
    "read_image",
    "read_mask",
    "read_own_mask",
    "reads_heic",
    "resize_coverage",
    "resize_image",
    "resize_seen",
    "to_uint8",
    "turn_camera",
    "write_clip",
    "write_image",
]
