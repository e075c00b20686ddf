"""The places of a texture on the surface: where on the mesh each of its texels lies."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neus.mesh.rasterising import interpolated, rasterised
from neus.mesh.triangles import Mesh
from neus.mesh.unwrapping import Unwrapped

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8


@dataclass(frozen=True)
class Texels:
    """The texels that lie on triangles, row by row.

    Attributes:
        inside: where in the picture they are.
        points, normals: of the surface there, in the frame of the mesh.
        colours: of the mesh's vertices, between them.
    """

    inside: Bool[np.ndarray, "h w"]
    points: Float[np.ndarray, "n 3"]
    normals: Float[np.ndarray, "n 3"]
    colours: UInt8[np.ndarray, "n 3"]

    def picture(self, colours: UInt8[np.ndarray, "n 3"]) -> UInt8[np.ndarray, "h w 3"]:
        """The texels in other colours; each place beside them takes the colour of the nearest.

        Filters and smaller copies of the picture reach beyond the edges of charts.
        """
        from scipy.ndimage import distance_transform_edt

        picture = np.zeros((*self.inside.shape, 3), np.uint8)
        picture[self.inside] = colours
        if not len(colours):
            return picture
        nearest = distance_transform_edt(~self.inside, return_distances=False, return_indices=True)
        rows, columns = nearest  # pyright: ignore
        return picture[rows, columns]


def texels_of(mesh: Mesh, layout: Unwrapped) -> Texels:
    """The texels of a mesh with normals and colours, in the picture of its layout."""
    if mesh.normals is None or mesh.colours is None:
        raise ValueError("a mesh to texture has normals and colours")
    width, height = layout.size
    places, flat = layout.uv * [width, height], np.ones(len(layout.uv))
    seen, _ = rasterised(places, flat, layout.faces, height, width)

    def between(values: np.ndarray) -> np.ndarray:
        return interpolated(seen, places, flat, layout.faces, values[layout.origins])

    normals = between(mesh.normals)
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)
    colours = np.rint(between(mesh.colours)).astype(np.uint8)
    return Texels(seen >= 0, between(mesh.vertices), normals, colours)
