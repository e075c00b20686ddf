"""The zero level set of a signed distance: marching cubes where the surface may pass, nowhere else.

The grid of ``resolution`` cells a side is cut into bricks of 4 x 4 x 4 cells. A brick is *active*
if bounds on the field, from its value at the brick's centre, allow a zero in it. Only the grid
points that active bricks touch are evaluated, each exactly once, so that neighbouring blocks of
marching cubes see the same numbers and share their vertices exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

SignedDistance = Callable[[np.ndarray], np.ndarray]
Advance = Callable[[str, float], None]
Item = TypeVar("Item")

EXPECTED = {"bricks": 0.7, "distances": 5.7, "triangles": 1.7, "joining": 0.8}
"""Parts of the work, and how long they take beside each other."""

BRICK = 4  # cells along a side of a brick
BLOCK = 8  # bricks along a side of one call of marching cubes
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
    grid = _Grid(resolution, radius)
    active, inside = _classify_bricks(sdf, grid, lipschitz, batch, advance)
    bricks = _Bricks(sdf, grid, inside, batch)
    fresh = active
    while fresh.any():
        bricks.evaluate(_touched(fresh), advance)
        fresh = bricks.contradicted() & ~active
        active |= fresh
    return _triangulate(bricks, active, advance)


def _counted(items: Sequence[Item], advance: Advance, part: str) -> Iterator[Item]:
    """Go through items of about equal cost, telling how many are done."""
    advance(part, 0.0)
    for done, item in enumerate(items, start=1):
        yield item
        advance(part, done / len(items))


class _Grid:
    """Grid points ``0 .. resolution`` along each axis; point i belongs to brick ``i // BRICK``."""

    def __init__(self, resolution: int, radius: float) -> None:
        self.resolution, self.radius = resolution, radius
        # One layer more than covers the cube, so that every brick in it has an upper neighbour.
        self.bricks = -(-resolution // BRICK) + 1
        self.shape = (self.bricks,) * 3
        self.half_diagonal = 3**0.5 * BRICK * radius / resolution

    def position(self, index: np.ndarray) -> Float[np.ndarray, "*n 3"]:
        """Scene position of (fractional) grid indices, exactly ``radius`` on the cube's walls."""
        return (2 * index / self.resolution - 1) * self.radius


def _query(sdf: SignedDistance, points: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n"]:
    if not len(points):
        return np.zeros(0, np.float32)
    values = np.asarray(sdf(points.astype(np.float32)), np.float32)
    if not np.isfinite(values).all():
        raise InputError(
            "the field is not finite everywhere, so the training has diverged: train again with "
            "a lower learning rate or another seed"
        )
    return values


def _classify_bricks(
    sdf: SignedDistance, grid: _Grid, lipschitz: float, batch: int, advance: Advance
) -> tuple[Bool[np.ndarray, "b b b"], Bool[np.ndarray, "b b b"]]:
    """Which bricks may hold a zero, and which have a negative centre, from one value each.

    In a brick of half diagonal h about c, ``|x| - radius`` is within h of its value at c, and the
    SDF is within ``lipschitz * h`` of its value at the point of the sphere nearest to c, because
    that projection lengthens no distance.
    """
    active, inside = np.zeros(grid.bricks**3, bool), np.zeros(grid.bricks**3, bool)
    reach = grid.half_diagonal
    for start in _counted(range(0, len(active), batch), advance, "bricks"):
        number = np.arange(start, min(start + batch, len(active)))
        brick = np.stack(np.unravel_index(number, grid.shape), axis=1)
        centre = grid.position(BRICK * (brick + 0.5))
        beyond = np.linalg.norm(centre, axis=1) - grid.radius
        near = beyond <= reach
        number, centre, beyond = number[near], centre[near], beyond[near]
        shrink = grid.radius / (grid.radius + np.maximum(beyond, 0))
        value = _query(sdf, centre * shrink[:, None])
        lower = np.maximum(value - lipschitz * reach, beyond - reach)
        upper = np.maximum(value + lipschitz * reach, beyond + reach)
        active[number] = (lower <= 0) & (upper >= 0)
        inside[number] = np.maximum(value, beyond) < 0
    active, inside = active.reshape(grid.shape), inside.reshape(grid.shape)
    for axis in range(3):  # a change of sign between centres, whatever the bounds say
        cells, signs = np.moveaxis(active, axis, 0), np.moveaxis(inside, axis, 0)
        change = signs[1:] != signs[:-1]
        cells[1:] |= change
        cells[:-1] |= change
        cells[-1] = False  # beyond the cube
    return active, inside


def _touched(active: Bool[np.ndarray, "b b b"]) -> Bool[np.ndarray, "b b b"]:
    """Bricks that own a corner of a cell of an active brick."""
    touched = active.copy()
    for axis in range(3):
        cells = np.moveaxis(touched, axis, 0)
        cells[1:] |= cells[:-1].copy()
    return touched


class _Bricks:
    """The field on the grid points of the bricks asked for, and its sign in all others."""

    def __init__(
        self, sdf: SignedDistance, grid: _Grid, inside: Bool[np.ndarray, "b b b"], batch: int
    ) -> None:
        self.sdf, self.grid, self.inside, self.batch = sdf, grid, inside, batch
        self.slot = np.full(grid.shape, -1, np.int32)
        self.brick = np.zeros((0, 3), np.int32)
        self.values = np.zeros((0, BRICK, BRICK, BRICK), np.float32)

    def evaluate(self, wanted: Bool[np.ndarray, "b b b"], advance: Advance) -> None:
        """Evaluate the wanted bricks that have no values yet."""
        brick = np.argwhere(wanted & (self.slot < 0)).astype(np.int32)
        values = np.empty((len(brick), BRICK, BRICK, BRICK), np.float32)
        offsets = np.stack(np.meshgrid(*[np.arange(BRICK)] * 3, indexing="ij"), axis=-1)
        step = max(1, self.batch // BRICK**3)
        for start in _counted(range(0, len(brick), step), advance, "distances"):
            part = slice(start, start + step)
            points = self.grid.position(BRICK * brick[part, None, None, None] + offsets)
            beyond = np.linalg.norm(points, axis=-1) - self.grid.radius
            within = beyond < 0
            beyond[within] = np.maximum(_query(self.sdf, points[within]), beyond[within])
            values[part] = beyond
        self.slot[tuple(brick.T)] = len(self.brick) + np.arange(len(brick))
        self.brick = np.concatenate([self.brick, brick])
        self.values = np.concatenate([self.values, values])

    def contradicted(self) -> Bool[np.ndarray, "b b b"]:
        """Bricks with a corner of a cell whose value has not the sign of the brick's centre."""
        contradicted = np.zeros(self.grid.shape, bool)
        for offset in product((0, 1), repeat=3):
            brick = self.brick - np.array(offset, np.int32)
            exists = (brick >= 0).all(axis=1)
            where = tuple(brick[exists].T)
            shared = tuple(slice(0, 1) if step else slice(None) for step in offset)
            corners = self.values[:, *shared][exists] < 0
            agree = np.where(self.inside[where], corners.all((1, 2, 3)), ~corners.any((1, 2, 3)))
            contradicted[where] |= ~agree
        return contradicted

    def field(self, corner: Int[np.ndarray, "3"]) -> Float[np.ndarray, "x y z"]:
        """The field on the grid points of one block of bricks and on its upper faces."""
        window = tuple(slice(c, c + BLOCK + 1) for c in corner)
        slot = self.slot[window]
        sign = np.where(self.inside[window], np.float32(-1), np.float32(1))
        values = np.broadcast_to(sign[..., None, None, None], (*slot.shape, *(BRICK,) * 3)).copy()
        values[slot >= 0] = self.values[slot[slot >= 0]]
        x, y, z = (BRICK * count for count in slot.shape)
        points = slice(0, BRICK * BLOCK + 1)
        return values.transpose(0, 3, 1, 4, 2, 5).reshape(x, y, z)[points, points, points]


def _triangulate(
    bricks: _Bricks, active: Bool[np.ndarray, "b b b"], advance: Advance
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """March block by block and merge the vertices that blocks share, by their grid edge."""
    edges, indices, faces, count = [], [], [], 0
    blocks = (-(-bricks.grid.bricks // BLOCK),) * 3
    doubled_shape = (2 * BRICK * bricks.grid.bricks + 1,) * 3
    corners = BLOCK * np.stack(np.unravel_index(np.arange(int(np.prod(blocks))), blocks), axis=1)
    full = [c for c in corners if active[tuple(slice(i, i + BLOCK) for i in c)].any()]
    for corner in _counted(full, advance, "triangles"):
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
