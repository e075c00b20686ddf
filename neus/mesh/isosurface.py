"""The zero level set of a signed distance: marching cubes where the surface may pass, nowhere else.

The grid of ``resolution`` cells a side is cut into bricks of 4 x 4 x 4 cells. A brick is *active*
if bounds on the field, from its value at the brick's centre, allow a zero in it. Only the grid
points that active bricks touch are evaluated, each exactly once, so that neighbouring blocks of
marching cubes see the same numbers and share their vertices exactly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.mesh.bricks import (
    BLOCK,
    BRICK,
    Advance,
    Bricks,
    Grid,
    SignedDistance,
    classify_bricks,
    counted,
    touched_by,
)

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

EXPECTED = {"bricks": 0.9, "distances": 7.2, "triangles": 2.8, "joining": 0.2}
"""Parts of the work, and how long they take beside each other."""

MARGIN = 1e-4  # of a cell, between a vertex and the grid points at the ends of its edge


class EmptySurface(InputError):  # noqa: N818  (the field's word; InputError carries the suffix)
    """The field has no zero crossing inside the sphere."""


def extract_isosurface(
    sdf: SignedDistance,
    resolution: int,
    *,
    radius: float = 1.0,
    lipschitz: float = 2.0,
    batch: int = 2**18,
    advance: Advance = lambda part, share: None,
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """Triangulate the zero level set of ``max(sdf(x), |x| - radius)``, a closed surface.

    Where the field is negative on the sphere, the sphere closes it. Vertices lie on grid edges,
    placed by linear interpolation (Lorensen and Cline, SIGGRAPH 1987), and are shared by all
    triangles that meet there: every edge has exactly two triangles, which run along it in opposite
    directions.

    Args:
        sdf: takes ``[n, 3]`` float32 points of the scene frame, none outside the sphere, to ``[n]``
            signed distances, positive outside the object.
        resolution: cells along a side of the cube ``[-radius, radius]^3``.
        radius: of the sphere about the origin, scene units.
        lipschitz: bound on the gradient's norm, 1 for an exact distance. A surface that is steeper
            is still followed from brick to brick once one brick of it is found; ``math.inf``
            evaluates the whole grid, for a field that is no distance.
        batch: the most points in one call of ``sdf`` (64 at least).
        advance: is told which part of `EXPECTED` is under way, and which share of it is done.

    Returns:
        Vertices in the scene frame (float64) and faces (int64), counter-clockwise from outside.

    Raises:
        EmptySurface: the field is positive everywhere.
        InputError: the field is not finite, or ``resolution`` is not positive.
    """
    if resolution < 1:
        raise InputError(f"the mesh resolution {resolution} is not positive: use 256 to 1024")
    grid = Grid(resolution, radius)
    active, inside = classify_bricks(sdf, grid, lipschitz, batch, advance)
    bricks = Bricks(sdf, grid, inside, batch)
    fresh = active
    while fresh.any():
        bricks.evaluate(touched_by(fresh), advance)
        fresh = bricks.contradicted() & ~active
        active |= fresh
    return _triangulate(bricks, active, advance)


def _triangulate(
    bricks: Bricks, active: Bool[np.ndarray, "b b b"], advance: Advance
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """March block by block and merge the vertices that blocks share, by their grid edge."""
    edges, indices, faces, count = [], [], [], 0
    blocks = (-(-bricks.grid.bricks // BLOCK),) * 3
    doubled_shape = (2 * BRICK * bricks.grid.bricks + 1,) * 3
    corners = BLOCK * np.stack(np.unravel_index(np.arange(int(np.prod(blocks))), blocks), axis=1)
    full = [c for c in corners if active[tuple(slice(i, i + BLOCK) for i in c)].any()]
    for corner in counted(full, advance, "triangles"):
        midpoint, index, triangles = _march(bricks.field(corner))
        shifted = midpoint + 2 * BRICK * corner
        edges.append(np.ravel_multi_index(tuple(shifted.T), doubled_shape))
        indices.append(index + BRICK * corner)
        faces.append(triangles + count)
        count += len(index)
    if not count:
        raise EmptySurface(
            f"no surface: the SDF is positive everywhere within {bricks.grid.radius:g} of the "
            "origin; train longer, and check the masks and the normalisation"
        )
    advance("joining", 0.0)
    _, first, merged = np.unique(np.concatenate(edges), return_index=True, return_inverse=True)
    vertices = bricks.grid.position(np.concatenate(indices)[first])
    advance("joining", 1.0)
    return vertices, merged[np.concatenate(faces)]


def _march(
    field: Float[np.ndarray, "x y z"],
) -> tuple[Int[np.ndarray, "v 3"], Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """Marching cubes of one block: twice the midpoint of each vertex's edge, vertices, faces.

    Only signs go in, so every vertex comes back at the middle of its edge and names it exactly;
    its place on the edge follows from the field.
    """
    import mcubes

    halves, faces = mcubes.marching_cubes(np.where(field < 0, np.float32(-1), np.float32(1)), 0.0)
    midpoint = np.rint(2 * halves).astype(np.int64)
    low, high = midpoint >> 1, (midpoint + 1) >> 1
    at_low = field[tuple(low.T)].astype(np.float64)
    at_high = field[tuple(high.T)].astype(np.float64)
    # Vertices of several edges that meet in one grid point would make triangles without area.
    along = np.clip(at_low / (at_low - at_high), MARGIN, 1 - MARGIN)
    return midpoint, low + (high - low) * along[:, None], faces[:, ::-1].astype(np.int64)
