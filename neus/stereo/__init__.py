"""Dense stereo of the training views, before any network is trained.

In goes a canonical scene; out come a depth map of each training view, how far each depth is to be
trusted, and one cloud with normals and the views that saw each point, in the scene frame and unit
(``fused.ply`` alone is in the source's). Held-out views take part in nothing. The search for depths
is the operator ``patchmatch`` of ``neus.ops``. The cloud itself needs numpy alone, and so do the
exposures of photos, which it tells of; ``reconstruction``, ``folder``, ``settings``, ``sources``,
``side_by_side`` and ``warm_up``, some of which compile kernels, are imported by name.
"""

from neus.stereo.exposure import at_one_exposure
from neus.stereo.points import POINTS, StereoPoints, read_figures, read_points
from neus.stereo.support import support_of_points

__all__ = [
    "POINTS",
    "StereoPoints",
    "at_one_exposure",
    "read_figures",
    "read_points",
    "support_of_points",
]
