"""A surface of few triangles that looks like one of many: each pair of them is a block of texels.

Two triangles that share an edge are a quad ``a b d c``, and a quad is a block of 8 x 8 texels in a
square picture. The outer texels of a block lie on the quad's edges, so that blocks of neighbours
agree where they meet, and a texture needs no charts, no seams and no coordinates in the file: the
number of a quad says where its block is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

SIDE = 8
"""Texels along a block's side; JPEG codes blocks of as many pixels by themselves."""


@dataclass(frozen=True)
class Quads:
    """Triangles in pairs.

    Attributes:
        corners: ``[q, 4]`` vertices a, b, c, d of the triangles (a, b, c) and (c, b, d); of a
            triangle that found no partner, d is a.
        pairs: how many of them have two triangles; they come first.
    """

    corners: Int[np.ndarray, "q 4"]
    pairs: int

    @property
    def columns(self) -> int:
        """Blocks side by side in the picture."""
        return max(1, int(np.ceil(np.sqrt(len(self.corners)))))

    @property
    def triangles(self) -> Int[np.ndarray, "f 3"]:
        seconds = self.corners[: self.pairs][:, [2, 1, 3]]
        return np.concatenate([self.corners[:, :3], seconds])


def paired(faces: Int[np.ndarray, "f 3"], vertices: Float[np.ndarray, "v 3"]) -> Quads:
    """Pair triangles across shared edges, longest edges first, which makes the squarest quads."""
    starts, ends = faces.reshape(-1), np.roll(faces, -1, axis=1).reshape(-1)
    owners = np.repeat(np.arange(len(faces)), 3)
    keys = np.minimum(starts, ends).astype(np.int64) * len(vertices) + np.maximum(starts, ends)
    order = np.argsort(keys, kind="stable")
    meets = np.flatnonzero(keys[order][:-1] == keys[order][1:])
    first, second = order[meets], order[meets + 1]
    facing = (starts[first] == ends[second]) & (owners[first] != owners[second])
    first, second = first[facing], second[facing]
    lengths = np.linalg.norm(vertices[starts[first]] - vertices[ends[first]], axis=1)
    is_free = np.ones(len(faces), bool)
    quads = []
    for one, other in np.stack([first, second], axis=1)[np.argsort(-lengths, kind="stable")]:
        if is_free[owners[one]] and is_free[owners[other]]:
            is_free[owners[[one, other]]] = False
            quads.append((_opposite(faces, one), starts[one], ends[one], _opposite(faces, other)))
    alone = faces[is_free][:, [0, 1, 2, 0]]
    pairs = np.array(quads, np.int64).reshape(-1, 4)
    return Quads(np.concatenate([pairs, alone]), len(pairs))


def _opposite(faces: Int[np.ndarray, "f 3"], half_edge: np.intp) -> np.intp:
    """The corner of a triangle that is not on its edge number ``half_edge`` modulo 3."""
    return faces[half_edge // 3, (half_edge + 2) % 3]


def texel_points(
    quads: Quads, vertices: Float[np.ndarray, "v 3"]
) -> Float[np.ndarray, "q SIDE SIDE 3"]:
    """Where on the surface each texel lies; the second half of a lone triangle's block, beside it.

    Texel (row, column) lies at ``t = row / 7`` from a towards c and ``s = column / 7`` from a
    towards b.
    """
    a, b, c, d = (vertices[quads.corners[:, i]][:, None, None] for i in range(4))
    d = np.where(np.arange(len(a))[:, None, None, None] < quads.pairs, d, b + c - a)
    t, s = (grid[None, :, :, None] / (SIDE - 1) for grid in np.mgrid[:SIDE, :SIDE])
    near = a + s * (b - a) + t * (c - a)
    far = d + (1 - s) * (c - d) + (1 - t) * (b - d)
    return np.where(s + t <= 1, near, far)


def atlas(blocks: np.ndarray, columns: int) -> np.ndarray:
    """Blocks ``[q, 8, 8, *c]`` row by row in one picture of ``columns`` blocks across."""
    rows = -(-len(blocks) // columns) or 1
    missing = rows * columns - len(blocks)
    channels = blocks.shape[3:]
    full = np.concatenate([blocks, np.zeros((missing, SIDE, SIDE, *channels), blocks.dtype)])
    grid = full.reshape(rows, columns, SIDE, SIDE, *channels).swapaxes(1, 2)
    return grid.reshape(rows * SIDE, columns * SIDE, *channels)
