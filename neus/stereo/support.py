"""How far the cloud around a point bears it out.

Right depths lie on surfaces: around a point they spread in two directions and not in the third,
which is the point's normal. Where stereo guesses, on gloss and bare walls, they scatter; on a thin
strut they follow a line, and the plane that a window of pixels sees there faces the camera.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
_AT_ONCE = 1 << 14
"""Cells that are looked at together: what is computed of them stays in the cache."""


def support_of_points(
    position: Float[np.ndarray, "p 3"],
    normal: Float[np.ndarray, "p 3"],
    footprint: Float[np.ndarray, "p"],
    threads: int = 1,
) -> Float[np.ndarray, "p"]:
    """Between 0, where points around it scatter, and 1, where they lie in the point's own plane.

    With the variances a <= b <= c of the points around in their principal directions, each widened
    by a fraction of a pixel, and the angle between the first of these and the normal:
    (1 - a / b)^2 cos^4.

    Args:
        position: in the scene frame, within the unit sphere.
        normal: unit.
        footprint: of a pixel at each point, in scene units.
        threads: that share the work, whose result does not depend on them.
    """
    if not len(position):
        return np.zeros(0, np.float32)
    pixel = max(float(np.median(footprint)), 4 / SIDE)
    side = CELL * pixel
    x, y, z = (np.floor(part / side).astype(np.int64) + SIDE // 2 for part in _columns(position))
    codes, owner = np.unique((x * SIDE + y) * SIDE + z, return_inverse=True)
    sums = _sums(position, owner)

    def shape_of(begin: int) -> tuple[np.ndarray, np.ndarray]:
        part = slice(begin, begin + _AT_ONCE)
        return np.linalg.eigh(_covariances(_around(codes, sums, part)))

    with ThreadPoolExecutor(threads) as pool:
        shapes = list(pool.map(shape_of, range(0, len(codes), _AT_ONCE)))
    variances, directions = (np.concatenate(part) for part in zip(*shapes, strict=True))
    variances = variances.clip(0) + (BLUR * pixel) ** 2
    flat = 1 - variances[:, 0] / variances[:, 1]
    x, y, z = (
        part[owner] * own
        for part, own in zip(_columns(directions[:, :, 0]), _columns(normal), strict=True)
    )
    along = x + y + z
    return (flat[owner] ** 2 * along**4).astype(np.float32)


def _columns(vectors: Float[np.ndarray, "p 3"]) -> tuple[np.ndarray, ...]:
    """x, y and z, each in one piece of memory: what goes through them is several times as fast."""
    return tuple(np.ascontiguousarray(vectors[:, k]) for k in range(3))


def _sums(
    position: Float[np.ndarray, "p 3"], owner: Int[np.ndarray, "p"]
) -> Float[np.ndarray, "c 10"]:
    """Of each cell: number, coordinates, and their products."""
    x, y, z = (part.astype(np.float64) for part in _columns(position))
    parts = (np.ones_like(x), x, y, z, x * x, x * y, x * z, y * y, y * z, z * z)
    return np.stack([np.bincount(owner, part) for part in parts], axis=1)


def _around(
    codes: Int[np.ndarray, "c"], sums: Float[np.ndarray, "c 10"], part: slice
) -> Float[np.ndarray, "d 10"]:
    """Sums over each cell of a part and the 26 around it. ``codes`` are sorted."""
    found = np.zeros_like(sums[part])
    for i, j in product((-1, 0, 1), repeat=2):
        wanted = codes[part] + ((i * SIDE + j) * SIDE - 1)
        at = np.searchsorted(codes, wanted)
        for _ in range(3):  # cells that follow each other along the last axis do so in ``codes``
            near = np.minimum(at, len(codes) - 1)
            there = codes[near] == wanted
            found += sums[near] * there[:, None]
            at, wanted = at + there, wanted + 1
    return found


def _covariances(sums: Float[np.ndarray, "c 10"]) -> Float[np.ndarray, "c 3 3"]:
    means = sums[:, 1:] / sums[:, :1]
    centre, products = means[:, :3], means[:, 3:]
    upper = products[:, [[0, 1, 2], [1, 3, 4], [2, 4, 5]]]
    return upper - centre[:, :, None] * centre[:, None]
