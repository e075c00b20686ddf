"""Where rays need samples: occupancy grids of surfaces and of densities.

In go a field and points in the cube around the unit sphere; out come states of cells in the scene
frame that ``neus.ops`` marches through.
"""

from neus.rendering.density_grid import DensityGrid
from neus.rendering.occupancy import OccupancyGrid

__all__ = ["DensityGrid", "OccupancyGrid"]
