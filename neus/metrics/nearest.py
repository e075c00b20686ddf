"""Distances to the nearest of many points, bounded, and as fast for points far from all of them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from neus.metrics.boxes import box_tree, morton_codes, nearest_search

if TYPE_CHECKING:
    from jaxtyping import Float

LEAF = 8
"""Points under one leaf of the tree."""
CHUNK = 1 << 16
"""Queries that a thread takes at a time."""


def nearest_distances(
    queries: Float[np.ndarray, "n 3"],
    targets: Float[np.ndarray, "m 3"],
    bound: float,
    workers: int = 1,
    advance: Callable[[float], None] = lambda share: None,
) -> Float[np.ndarray, "n"]:
    """Exact distance of each query to the nearest target; ``inf`` where it is ``bound`` or more.

    Queries are answered in Morton order, and the target found for one bounds the search for the
    next. A k-d tree that starts afresh looks at a broad disc of nearly equal candidates where the
    queries lie far off a surface; here the disc has the radius of the step between two queries.
    ``advance`` is told which share of the queries is answered.
    """
    distances = np.full(len(queries), np.inf)
    if len(queries) == 0 or len(targets) == 0:
        return distances
    targets = np.ascontiguousarray(targets[np.argsort(morton_codes(targets))], dtype=np.float64)
    lower, upper = box_tree(targets, targets, LEAF)
    order = np.argsort(morton_codes(queries))
    chunks = [order[start : start + CHUNK] for start in range(0, len(order), CHUNK)]

    def answer(chunk: np.ndarray) -> None:
        squared = np.empty(len(chunk))
        points = np.ascontiguousarray(queries[chunk], dtype=np.float64)
        unused = np.empty(len(chunk), np.int64)
        _nearest(points, targets, lower, upper, bound * bound, squared, unused)
        distances[chunk] = np.where(squared < bound * bound, np.sqrt(squared), np.inf)

    with ThreadPoolExecutor(workers) as pool:
        for done, _ in enumerate(pool.map(answer, chunks), start=1):
            advance(done / len(chunks))
    return distances


@njit(nogil=True)
def _squared(a, b):
    x, y, z = a[0] - b[0], a[1] - b[1], a[2] - b[2]
    return x * x + y * y + z * z


_nearest = nearest_search(_squared, LEAF)
