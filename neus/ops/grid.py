"""Layout of the multiresolution hash grid in one flat table (Mueller et al. 2022, section 3)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

HASH_PRIMES = (1, 2_654_435_761, 805_459_861)
"""Multipliers of the spatial hash (Mueller et al. 2022, eq. 4)."""


@dataclass(frozen=True)
class GridLayout:
    """Which table rows belong to which level, and how cells map to rows.

    At level l a position x in [0, 1]^3 lies at ``x * scale[l] + 0.5`` in units of cells; the half
    staggers the levels. A level whose cells all fit into its rows is indexed directly, row by row;
    any other is hashed. Rows wrap modulo the level's count, as in tiny-cuda-nn.
    """

    levels: int
    features: int
    log2_entries: int
    base_resolution: int
    finest_resolution: int

    @cached_property
    def growth(self) -> float:
        if self.levels == 1:
            return 1.0
        return (self.finest_resolution / self.base_resolution) ** (1 / (self.levels - 1))

    @cached_property
    def scale(self) -> np.ndarray:
        """``[levels]`` float32: cells per unit length."""
        level = np.arange(self.levels)
        return (self.base_resolution * self.growth**level - 1).astype(np.float32)

    @cached_property
    def resolution(self) -> np.ndarray:
        """``[levels]`` int32: grid points per axis."""
        return np.ceil(self.scale).astype(np.int32) + 1

    @cached_property
    def dense(self) -> np.ndarray:
        """``[levels]`` bool: indexed directly, without hashing."""
        return self.resolution.astype(np.int64) ** 3 <= self.hashed_rows

    @property
    def hashed_rows(self) -> int:
        return 1 << self.log2_entries

    @cached_property
    def offsets(self) -> np.ndarray:
        """``[levels + 1]`` int64: first row of each level, and the total."""
        cells = self.resolution.astype(np.int64) ** 3
        rows = np.where(self.dense, (cells + 7) // 8 * 8, self.hashed_rows)
        return np.concatenate([[0], np.cumsum(rows)])

    @property
    def rows(self) -> int:
        return int(self.offsets[-1])

    @property
    def width(self) -> int:
        """Length of the encoding: levels times features."""
        return self.levels * self.features

    def cell_size(self, active_levels: int) -> float:
        """Side of a cell of the finest active level, in units of the [0, 1] cube."""
        return 1 / math.ceil(float(self.scale[active_levels - 1]))
