"""Dense stereo of the training views, before any network is trained.

In goes a canonical scene; out come a depth map of each training view, how far each depth is to be
trusted, and one cloud with normals and the views that saw each point, in the scene frame and unit
(``fused.ply`` alone is in the source's). Held-out views take part in nothing. The search for depths
is the operator ``patchmatch`` of ``neus.ops``; on the CPU, ``warm_up`` compiles its kernels beforehand.
"""

from neus.stereo.folder import read_figures, read_points, read_view, write_stereo
from neus.stereo.fusion import StereoPoints
from neus.stereo.reconstruction import Stereo, reconstruct
from neus.stereo.settings import StereoSettings

__all__ = [
    "Stereo",
    "StereoPoints",
    "StereoSettings",
    "read_figures",
    "read_points",
    "read_view",
    "reconstruct",
    "write_stereo",
]
