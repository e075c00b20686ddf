"""The operators on CUDA, in float32, as Triton kernels: see ``neus.ops.reference``.

Nothing here waits for the device (but ``march_rays`` without a capacity), and no shape depends on
data, so that a whole training step can be captured in a CUDA graph. ``precision`` says which matrix
products may round. Triton, which torch's wheels for CUDA bring along, compiles the kernels when
they are first used; that has to be before a capture.
"""

from __future__ import annotations

from neus.errors import InputError
from neus.ops.reference import TableGradient

try:
    from neus.ops.cuda.adam import adam_step
    from neus.ops.cuda.compositing import composite
    from neus.ops.cuda.density import grid_network, shade_density
    from neus.ops.cuda.field import sdf_distance
    from neus.ops.cuda.march import march_rays
    from neus.ops.cuda.outside import march_outside
    from neus.ops.cuda.patches import in_sight, patch_costs
    from neus.ops.cuda.sdf import sdf_and_gradient
    from neus.ops.cuda.shading import shade
    from neus.ops.cuda.stereo import patchmatch
except ModuleNotFoundError as error:
    if error.name != "triton":
        raise

    def __getattr__(name: str) -> object:
        """Missing Triton is an error of whoever uses an operator, not of the import."""
        if name.startswith("_"):
            raise AttributeError(name)
        raise InputError(
            "the CUDA operators need triton, which is not installed: install it with"
            " 'pip install triton', or use device 'cpu'"
        )


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
