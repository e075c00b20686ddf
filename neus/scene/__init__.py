"""The canonical scene: posed images of one object, and the way back to the source's frame.

In go cameras, images, masks and points of any source; out comes a :class:`Scene` and its folder,
which nerfstudio and instant-ngp read, too. Cameras are OpenCV's, camera-to-world; after placement
the object lies in the unit sphere of the scene frame, upright along +z, and ``Scene.to_source``
leads back.
"""

from neus.scene.cameras import OPENGL_FROM_OPENCV, Cameras, from_projections, has_centre, look_at
from neus.scene.focus import focus_point, looks_away, whole_radius
from neus.scene.paths import PATHS, camera_path
from neus.scene.points import read_points, write_points
from neus.scene.reading import (
    TRANSFORMS,
    Frame,
    Scene,
    load_image,
    load_images,
    load_mask,
    load_masks,
    load_scene,
)
from neus.scene.similarity import Similarity, umeyama
from neus.scene.standpoint import standpoint
from neus.scene.vertical import ground_normal, up_direction
from neus.scene.writing import write_scene

__all__ = [
    "OPENGL_FROM_OPENCV",
    "PATHS",
    "TRANSFORMS",
    "Cameras",
    "Frame",
    "Scene",
    "Similarity",
    "camera_path",
    "focus_point",
    "from_projections",
    "ground_normal",
    "has_centre",
    "load_image",
    "load_images",
    "load_mask",
    "load_masks",
    "load_scene",
    "look_at",
    "looks_away",
    "read_points",
    "standpoint",
    "umeyama",
    "up_direction",
    "whole_radius",
    "write_points",
    "write_scene",
]
