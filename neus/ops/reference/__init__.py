"""The operators in plain torch, on any device and in any precision: the oracle of the others.

``encode``, ``section`` and ``composite`` are differentiable by autograd as often as wanted.
"""

from neus.ops.reference.density import grid_network, relu_network, shade_density
from neus.ops.reference.distortion import ray_distortion
from neus.ops.reference.grid import Linearized, encode, encode_scatter, linearize, to_grid
from neus.ops.reference.networks import (
    colour_network,
    sdf_and_gradient,
    sdf_distance,
    shade,
    softplus_backward,
    softplus_with_slope,
)
from neus.ops.reference.outside import march_outside, outside_start
from neus.ops.reference.patches import in_sight, patch_costs
from neus.ops.reference.rays import composite, march_rays, section
from neus.ops.reference.stereo import patchmatch
from neus.ops.reference.table import ADAM_DECAY, ADAM_EPSILON, TableGradient, adam_step

__all__ = [
    "ADAM_DECAY",
    "ADAM_EPSILON",
    "Linearized",
    "TableGradient",
    "adam_step",
    "colour_network",
    "composite",
    "encode",
    "encode_scatter",
    "grid_network",
    "in_sight",
    "linearize",
    "march_outside",
    "march_rays",
    "outside_start",
    "patch_costs",
    "patchmatch",
    "ray_distortion",
    "relu_network",
    "sdf_and_gradient",
    "sdf_distance",
    "section",
    "shade",
    "shade_density",
    "softplus_backward",
    "softplus_with_slope",
    "to_grid",
]
