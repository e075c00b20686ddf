"""How far the cloud around a point bears it out.

Right depths lie on surfaces: around a point they spread in two directions and not in the third,
which is the point's normal. Where stereo guesses, on gloss and bare walls, they scatter; on a thin
strut they follow a line, and the plane that a window of pixels sees there faces the camera.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

CELL = 4.0
"""Side of a cell in median footprints; a point is held against its cell and the 26 around it."""
BLUR = 0.25
"""Footprints by which variances are widened, so that a few points on one spot are no plane."""
SIDE = 1 << 20
"""Cells along a side that a code has room for."""


def support_of_points(
    position: Float[np.ndarray, "p 3"],
    normal: Float[np.ndarray, "p 3"],
    footprint: Float[np.ndarray, "p"],
) -> Float[np.ndarray, "p"]:
    """Between 0, where points around it scatter, and 1, where they lie in the point's own plane.

    With the variances a <= b <= c of the points around in their principal directions, each widened
    by a fraction of a pixel, and the angle between the first of these and the normal:
    (1 - a / b)^2 cos^4.

    Args:
        position: in the scene frame, within the unit sphere.
        normal: unit.
        footprint: of a pixel at each point, in scene units.
    """
    if not len(position):
        return np.zeros(0, np.float32)
    pixel = max(float(np.median(footprint)), 4 / SIDE)
    side = CELL * pixel
    x, y, z = np.floor(position / side).astype(np.int64).T + SIDE // 2
    codes, owner = np.unique((x * SIDE + y) * SIDE + z, return_inverse=True)
    variances, directions = np.linalg.eigh(_covariances(_around(codes, _sums(position, owner))))
    variances = variances.clip(0) + (BLUR * pixel) ** 2
    flat = 1 - variances[:, 0] / variances[:, 1]
    along = (directions[owner, :, 0] * normal).sum(axis=1)
    return (flat[owner] ** 2 * along**4).astype(np.float32)


def _sums(
    position: Float[np.ndarray, "p 3"], owner: Int[np.ndarray, "p"]
) -> Float[np.ndarray, "c 10"]:
    """Of each cell: number, coordinates, and their products."""
    x, y, z = position.astype(np.float64).T
    parts = (np.ones_like(x), x, y, z, x * x, x * y, x * z, y * y, y * z, z * z)
    return np.stack([np.bincount(owner, part) for part in parts], axis=1)


def _around(
    codes: Int[np.ndarray, "c"], sums: Float[np.ndarray, "c 10"]
) -> Float[np.ndarray, "c 10"]:
    """Sums over each cell and the 26 around it. ``codes`` are sorted."""
    found = np.zeros_like(sums)
    for i, j, k in product((-1, 0, 1), repeat=3):
        wanted = codes + (i * SIDE + j) * SIDE + k
        at = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
        there = codes[at] == wanted
        found[there] += sums[at[there]]
    return found


def _covariances(sums: Float[np.ndarray, "c 10"]) -> Float[np.ndarray, "c 3 3"]:
    means = sums[:, 1:] / sums[:, :1]
    centre, products = means[:, :3], means[:, 3:]
    upper = products[:, [[0, 1, 2], [1, 3, 4], [2, 4, 5]]]
    return upper - centre[:, :, None] * centre[:, None]
