"""The hash grid that a configuration describes."""

from __future__ import annotations

from neus.config import HashGridConfig
from neus.ops.grid import GridLayout


def grid_layout(config: HashGridConfig) -> GridLayout:
    return GridLayout(
        config.levels,
        config.features,
        config.log2_entries,
        config.base_resolution,
        config.finest_resolution,
    )
