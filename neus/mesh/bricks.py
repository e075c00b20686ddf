"""A field on the bricks of a grid that its zero level set may pass through, and nowhere else.

Bounds on the field, from its value at the centre of a brick, say whether there can be a zero in it.
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

BRICK = 4  # cells along a side of a brick
BLOCK = 8  # bricks along a side of one call of marching cubes


class Grid:
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


def counted(items: Sequence[Item], advance: Advance, part: str) -> Iterator[Item]:
    """Go through items of about equal cost, telling how many are done."""
    advance(part, 0.0)
    for done, item in enumerate(items, start=1):
        yield item
        advance(part, done / len(items))


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


def classify_bricks(
    sdf: SignedDistance, grid: Grid, lipschitz: float, batch: int, advance: Advance
) -> tuple[Bool[np.ndarray, "b b b"], Bool[np.ndarray, "b b b"]]:
    """Which bricks may hold a zero, and which have a negative centre, from one value each.

    In a brick of half diagonal h about c, ``|x| - radius`` is within h of its value at c, and the
    SDF is within ``lipschitz * h`` of its value at the point of the sphere nearest to c, because
    that projection lengthens no distance.
    """
    active, inside = np.zeros(grid.bricks**3, bool), np.zeros(grid.bricks**3, bool)
    reach = grid.half_diagonal
    for start in counted(range(0, len(active), batch), advance, "bricks"):
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


def touched_by(active: Bool[np.ndarray, "b b b"]) -> Bool[np.ndarray, "b b b"]:
    """Bricks that own a corner of a cell of an active brick."""
    touched = active.copy()
    for axis in range(3):
        cells = np.moveaxis(touched, axis, 0)
        cells[1:] |= cells[:-1].copy()
    return touched


class Bricks:
    """The field on the grid points of the bricks asked for, and its sign in all others."""

    def __init__(
        self, sdf: SignedDistance, grid: Grid, inside: Bool[np.ndarray, "b b b"], batch: int
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
        for start in counted(range(0, len(brick), step), advance, "distances"):
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
