"""Photos to cameras, by structure from motion.

In goes a folder of photos; out comes a COLMAP model, in a frame and unit of its own, with an
account of which photos could be placed and why others could not. ``photos`` leads through
``features``, ``pairing``, ``matching``, ``mapping`` and ``structure_from_motion``.
"""

from neus.poses.features import sift_device
from neus.poses.gathered import gather, said_of_changes
from neus.poses.method import Method, expected
from neus.poses.photos import estimate_poses
from neus.poses.prepared import Photo

__all__ = [
    "Method",
    "Photo",
    "estimate_poses",
    "expected",
    "gather",
    "said_of_changes",
    "sift_device",
]
