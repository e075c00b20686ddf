"""A tree of bounding boxes over things in Morton order, for searches by branch and bound.

Node 1 is the root, the children of node i are 2 i and 2 i + 1, and the last half of the nodes are
leaves of equally many things, so that the tree needs no links.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def box_tree(
    lower: Float[np.ndarray, "n 3"], upper: Float[np.ndarray, "n 3"], leaf: int
) -> tuple[Float[np.ndarray, "nodes 3"], Float[np.ndarray, "nodes 3"]]:
    """Lower and upper corners of all nodes; leaves without things lie at infinity.

    Args:
        lower, upper: boxes of the things, in Morton order.
        leaf: things under one leaf.
    """
    leaves = 1
    while leaves * leaf < len(lower):
        leaves *= 2
    lows = _joined(lower, leaves, leaf, np.minimum, np.inf)
    highs = _joined(upper, leaves, leaf, np.maximum, -np.inf)
    highs[np.isneginf(highs)] = np.inf
    return lows, highs


def morton_codes(points: Float[np.ndarray, "n 3"]) -> Int[np.ndarray, "n"]:
    """Interleave 21 bits of each coordinate: neighbours in the code are neighbours in space."""
    low = points.min(axis=0)
    extent = float(np.ptp(points, axis=0).max()) or 1.0
    codes = np.zeros(len(points), np.uint64)
    for axis in range(3):  # one at a time, for the memory's sake
        spread = ((points[:, axis] - low[axis]) / extent * (2**21 - 1)).astype(np.uint64)
        for shift, kept in (
            (32, 0x1F00000000FFFF),
            (16, 0x1F0000FF0000FF),
            (8, 0x100F00F00F00F00F),
            (4, 0x10C30C30C30C30C3),
            (2, 0x1249249249249249),
        ):
            spread = (spread | spread << np.uint64(shift)) & np.uint64(kept)
        codes |= spread << np.uint64(axis)
    return codes


@njit(nogil=True)
def squared_to_box(point, lower, upper):
    """Squared distance from a point to a box, 0 inside."""
    total = 0.0
    for k in range(3):
        outside = max(lower[k] - point[k], 0.0, point[k] - upper[k])
        total += outside * outside
    return total


def nearest_search(squared_distance: Callable[..., Any], leaf: int) -> Callable[..., None]:
    """Compile the search for the nearest thing to each query.

    Args:
        squared_distance: compiled function of a query and a thing.
        leaf: things under one leaf of the tree.

    Returns:
        A function of queries ``[n, 3]`` in Morton order, things in Morton order, the tree's two
        sides and a squared bound, which fills ``squared[n]``, at most the bound, and
        ``positions[n]``, which mean nothing where nothing lies within the bound.
    """

    @njit(nogil=True)
    def search(queries, things, lower, upper, squared_bound, squared, positions):
        """Branch and bound, the nearer child first.

        The thing that was nearest to the last query bounds the search for the next. The slack
        keeps that thing itself in the running, so that no answer depends on the queries before it.
        """
        first_leaf = len(lower) // 2
        nodes = np.empty(64, np.int64)
        node_squared = np.empty(64)
        found = 0
        for i in range(len(queries)):
            query = queries[i]
            last = squared_distance(query, things[found]) * (1 + 1e-9) + 1e-300
            best = min(last, squared_bound)
            depth = 1
            nodes[0], node_squared[0] = 1, 0.0
            while depth > 0:
                depth -= 1
                if node_squared[depth] >= best:
                    continue
                node = nodes[depth]
                if node >= first_leaf:
                    start = (node - first_leaf) * leaf
                    for j in range(start, min(start + leaf, len(things))):
                        distance = squared_distance(query, things[j])
                        if distance < best:
                            best, found = distance, j
                    continue
                near, far = 2 * node, 2 * node + 1
                near_squared = squared_to_box(query, lower[near], upper[near])
                far_squared = squared_to_box(query, lower[far], upper[far])
                if far_squared < near_squared:
                    near, far = far, near
                    near_squared, far_squared = far_squared, near_squared
                nodes[depth], node_squared[depth] = far, far_squared
                nodes[depth + 1], node_squared[depth + 1] = near, near_squared
                depth += 2
            squared[i], positions[i] = best, found

    return search


def _joined(bounds: np.ndarray, leaves: int, leaf: int, join: np.ufunc, empty: float) -> np.ndarray:
    """Fill the tree from its leaves to its root with one side of the boxes."""
    padded = np.full((leaves * leaf, 3), empty)
    padded[: len(bounds)] = bounds
    nodes = np.full((2 * leaves, 3), empty)
    nodes[leaves:] = join.reduce(padded.reshape(leaves, leaf, 3), axis=1)
    while leaves > 1:
        nodes[leaves // 2 : leaves] = join(
            nodes[leaves : 2 * leaves : 2], nodes[leaves + 1 : 2 * leaves : 2]
        )
        leaves //= 2
    return nodes
