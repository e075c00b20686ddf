"""Into the unit sphere: where the object is, how large, and which way is up.

In goes a capture in its source's frame and the keys ``sphere``, ``up`` and ``scale`` of a scan; out
comes the scene, the object in the unit sphere around the origin and +z upwards, with the similarity
back to the source's frame, in metres where a scale is known.
"""

from neus.placement.keys import GPS, scale_from, sphere_from, up_from
from neus.placement.normalize import Ball, SphereChoice, check_cameras, normalize
from neus.placement.scale import to_metric

__all__ = [
    "GPS",
    "Ball",
    "SphereChoice",
    "check_cameras",
    "normalize",
    "scale_from",
    "sphere_from",
    "to_metric",
    "up_from",
]
