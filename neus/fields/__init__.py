"""Fields over space: hash grid and networks for distance, density and radiance.

In go points of the scene frame, in the unit ball or contracted into it, and unit directions; out
come signed distances with their gradient, densities, features and display-referred RGB. What
depends on the device is asked of a backend of operators, which callers hand in.
"""

from neus.fields.density import DensityField
from neus.fields.fusion import unfused_colours, unfused_density, unfused_field
from neus.fields.mlp import Layers
from neus.fields.radiance import RadianceField, VolumeRadiance
from neus.fields.sdf import SHARPNESS, SdfField
from neus.fields.unfused import UnfusedSdfField

__all__ = [
    "SHARPNESS",
    "DensityField",
    "Layers",
    "RadianceField",
    "SdfField",
    "UnfusedSdfField",
    "VolumeRadiance",
    "unfused_colours",
    "unfused_density",
    "unfused_field",
]
