"""The operators on the CPU, in float32, as numba kernels: see ``neus.ops.reference``.

Samples are worked on in tiles that stay in a core's cache from the first layer of a network to the
last (``vector_code``, ``products``, ``sdf_kernels``, ``shading_kernels``, ``relu_kernels``); the
hash grid is read and written level by level over all samples (``grid_kernels``,
``table_kernels``), so that a level's table stays there.
"""

from neus.ops.cpu.density import grid_network, shade_density
from neus.ops.cpu.outside import march_outside
from neus.ops.cpu.patches import in_sight, patch_costs
from neus.ops.cpu.rays import composite, march_rays
from neus.ops.cpu.sdf import sdf_and_gradient, sdf_distance
from neus.ops.cpu.shading import shade
from neus.ops.cpu.stereo import patchmatch
from neus.ops.cpu.table import TableGradient, adam_step

__all__ = [
    "TableGradient",
    "adam_step",
    "composite",
    "grid_network",
    "in_sight",
    "march_outside",
    "march_rays",
    "patch_costs",
    "patchmatch",
    "sdf_and_gradient",
    "sdf_distance",
    "shade",
    "shade_density",
]
