"""What a mesh is: triangles over shared vertices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8


@dataclass(frozen=True)
class Mesh:
    """Triangles over shared vertices, counter-clockwise seen from outside.

    Attributes:
        vertices: ``[v, 3]`` in the frame and unit that the holder says.
        faces: ``[f, 3]`` indices into ``vertices``.
        normals: ``[v, 3]`` unit vectors that point outwards, or None.
        colours: ``[v, 3]`` display-referred RGB, or None.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    normals: Float[np.ndarray, "v 3"] | None = None
    colours: UInt8[np.ndarray, "v 3"] | None = None
