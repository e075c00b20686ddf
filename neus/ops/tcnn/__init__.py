"""The operators on tiny-cuda-nn and nerfacc, for CUDA machines that have both; see
``neus.ops.reference``.

Where they differ from the other backends:

- The grid is tiny-cuda-nn's, in float32 on the same table. Its scales are powers taken in float32:
  at 2048 cells they differ from ours by some 1e-7 of themselves, 1e-3 of a cell. Growth factors
  that are powers of two agree to the bit.
- The network of the distance is torch's, since tiny-cuda-nn's have no second derivative. The
  gradient comes from autograd, backwards through its own graph.
- The networks of densities and of colour are tiny-cuda-nn's, in float16: the logarithm of a density
  is then known to some 0.002, the density to a part in 500.
- Outside the unit sphere rays are marched by plain torch, and so are patches compared.
- Rays are marched and composited by nerfacc, which waits for the device and makes arrays whose size
  depends on data: a training step cannot be captured in a CUDA graph.

The packages are imported by what uses them first; ``require_packages`` says what is missing.
"""

from neus.ops.reference import TableGradient, adam_step, in_sight, march_outside, patch_costs
from neus.ops.tcnn.density import grid_network, shade_density
from neus.ops.tcnn.packages import require_packages
from neus.ops.tcnn.rays import composite, march_rays
from neus.ops.tcnn.sdf import sdf_and_gradient, sdf_distance
from neus.ops.tcnn.shading import shade

__all__ = [
    "TableGradient",
    "adam_step",
    "composite",
    "grid_network",
    "in_sight",
    "march_outside",
    "march_rays",
    "patch_costs",
    "require_packages",
    "sdf_and_gradient",
    "sdf_distance",
    "shade",
    "shade_density",
]
