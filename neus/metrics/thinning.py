"""Greedy thinning of points to a least distance, exactly as the plain loop, by many threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

AXIS_BITS = 21
"""Of each coordinate in the key of a cell, so that three of them fit 63 bits."""
UNDECIDED, KEPT, REMOVED = 0, 1, 2


def thin(
    points: Float[np.ndarray, "n 3"],
    radius: float,
    order: Int[np.ndarray, "n"],
    workers: int = 1,
    advance: Callable[[float], None] = lambda share: None,
) -> Bool[np.ndarray, "n"]:
    """Greedy thinning: in ``order``, keep each point with no kept point within ``radius`` (<=) yet.

    The plain loop is serial only in appearance. A point is removed once a kept one that comes
    before it is near, and kept once all near ones before it are removed; neither can be revoked.
    So the points are sorted by cubes of side ``radius`` and visited in rounds, each thread with a
    stretch of them, until none is undecided. The rounds number O(log^2 n) in a random order
    (Blelloch et al., SPAA 2012), and what is kept does not depend on ``workers``.

    Memory is about 60 bytes a point beside the arguments. ``advance`` is told which share of the
    points is decided.

    Returns:
        Whether each point is kept, in the order of ``points``.

    Raises:
        InputError: the points reach over more than two million times the radius.
    """
    if len(points) == 0:
        return np.zeros(0, np.bool_)
    keys = _cell_keys(points, radius)
    by_cell = np.argsort(keys)
    keys = keys[by_cell]
    sorted_points = np.ascontiguousarray(points[by_cell], dtype=np.float64)
    rank = np.empty(len(points), np.int32)
    rank[order] = np.arange(len(points), dtype=np.int32)
    rank = rank[by_cell]
    state = np.full(len(points), UNDECIDED, np.int8)
    undecided = np.arange(len(points), dtype=np.int32)
    with ThreadPoolExecutor(workers) as pool:
        while len(undecided):
            stretches = np.array_split(undecided, workers)
            list(
                pool.map(lambda s: _decide(s, sorted_points, keys, rank, radius, state), stretches)
            )
            undecided = undecided[state[undecided] == UNDECIDED]
            advance(1 - len(undecided) / len(points))
    kept = np.empty(len(points), np.bool_)
    kept[by_cell] = state == KEPT
    return kept


def _cell_keys(points: Float[np.ndarray, "n 3"], radius: float) -> Int[np.ndarray, "n"]:
    """Cubes in lexicographic order of (x, y, z), from 1, so that no neighbour has a negative one.

    Their side is a hair more than the radius: rounding cannot put near points two cubes apart.
    """
    low = points.min(axis=0)
    side = radius * (1 + 1e-6)
    if np.max(points.max(axis=0) - low) / side >= 2**AXIS_BITS - 3:
        raise InputError(
            f"the points reach over more than {radius * 2**AXIS_BITS:.3g}, too far to be thinned "
            f"to {radius:g}: bring the mesh into the unit of the reference first"
        )
    keys = np.zeros(len(points), np.int64)
    for axis in range(3):
        cells = np.floor((points[:, axis] - low[axis]) / side).astype(np.int64)
        keys = keys << AXIS_BITS | cells + 1
    return keys


@njit(cache=True, nogil=True)
def _decide(undecided, points, keys, rank, radius, state):
    """One round over a stretch of undecided points, in the order of their cells.

    The cubes around a point are nine columns of three, each a run of the sorted points; as the
    point moves on, so do the starts of the runs, and never back. Other threads may decide points
    meanwhile: whatever is seen of that is final.
    """
    starts = np.zeros(9, np.int64)
    for i in undecided:
        near_kept, waits = False, False
        for column in range(9):
            dx, dy = column // 3 - 1, column % 3 - 1
            first = keys[i] + (dx << 2 * AXIS_BITS) + (dy << AXIS_BITS) - 1
            starts[column] = _first_not_below(keys, starts[column], first)
            for j in range(starts[column], len(keys)):
                if keys[j] > first + 2:
                    break
                if rank[j] >= rank[i] or state[j] == REMOVED:
                    continue
                x = points[j, 0] - points[i, 0]
                y = points[j, 1] - points[i, 1]
                z = points[j, 2] - points[i, 2]
                if x * x + y * y + z * z <= radius * radius:
                    near_kept |= state[j] == KEPT
                    waits = True
            if near_kept:
                break
        if near_kept:
            state[i] = REMOVED
        elif not waits:
            state[i] = KEPT


@njit(cache=True, nogil=True)
def _first_not_below(keys, start, key):
    """Where the sorted keys reach ``key``: strides that double, then halving."""
    stride = 1
    low = start  # all before it are below the key
    while low + stride <= len(keys) and keys[low + stride - 1] < key:
        low += stride
        stride *= 2
    high = min(low + stride - 1, len(keys))
    while low < high:
        middle = (low + high) // 2
        if keys[middle] < key:
            low = middle + 1
        else:
            high = middle
    return low
