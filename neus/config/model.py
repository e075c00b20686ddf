"""Renderer and background of a model, with its fields."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from neus.config.identity import NEWER
from neus.config.networks import DensityConfig, HashGridConfig, RadianceConfig, SdfConfig

BACKGROUNDS = {"white": 1.0, "black": 0.0, "learned": 0.0}
"""Grey values of what rays see that meet nothing; "learned" puts a field of its own before it."""
KINDS = ("neus", "nerf")
"""Models: a signed distance field, or a field of density."""


@dataclass(frozen=True)
class MarchingConfig:
    """Where samples are placed: occupied cells of a grid, at a step that shrinks while training.

    Attributes:
        occupancy_resolution: cells along each side of the grid; a multiple of 4.
        margin: how far from the surface cells are kept, in units of 1 / inv_s.
        first_step: between samples along a ray, in scene units.
        last_step: the same from ``last_step_at`` on.
        last_step_at: fraction of the budget.
        near: where rays begin, in scene units from their camera.
        far: beyond it, in the same units, what lies in the sphere is not seen; a learned background
            is.
    """

    occupancy_resolution: int = 128
    margin: float = 3.0
    first_step: float = 0.02
    last_step: float = 0.009
    last_step_at: float = 0.3
    near: float = field(default=0.0, metadata=NEWER)
    far: float = field(default=math.inf, metadata=NEWER)


@dataclass(frozen=True)
class OutsideConfig:
    """Field of all that lies outside the unit sphere, for ``background: learned``.

    Attributes:
        hash_grid: over contracted space.
        density: of what is there.
        radiance: its colour.
        occupancy_resolution: cells along each side of the grid over contracted space.
        first_ratio: by what share each section of a ray is longer than the one before.
        last_ratio: the same from ``last_ratio_at`` on.
        last_ratio_at: fraction of the budget.
        far: where sections end, in radii of the sphere.
    """

    hash_grid: HashGridConfig = field(
        default_factory=lambda: HashGridConfig(
            levels=9,
            log2_entries=15,
            base_resolution=8,
            finest_resolution=512,
            initial_levels=3,
            all_levels_at=0.5,
        )
    )
    density: DensityConfig = field(default_factory=lambda: DensityConfig(initial_density=1.0))
    radiance: RadianceConfig = field(
        default_factory=lambda: RadianceConfig(hidden_layers=1, direction_degree=1)
    )
    occupancy_resolution: int = 96
    first_ratio: float = 0.3
    last_ratio: float = 0.1
    last_ratio_at: float = 0.5
    far: float = 1000.0


@dataclass(frozen=True)
class ModelConfig:
    """Fields, and what stands behind them.

    Attributes:
        kind: ``neus``, a signed distance, or ``nerf``, a density.
        hash_grid: of the field in the unit sphere.
        sdf: of the kind ``neus``.
        density: of the kind ``nerf``.
        radiance: colours in the unit sphere.
        marching: where rays have their samples.
        outside: for a background that is learned.
        background: ``white``, ``black``, or ``learned``, a field of its own.
        cos_anneal_end: fraction of the budget until which rays that leave the surface count in
            part, which keeps the beginning from stalling (NeuS).
    """

    kind: str = "neus"
    hash_grid: HashGridConfig = field(default_factory=HashGridConfig)
    sdf: SdfConfig = field(default_factory=SdfConfig)
    density: DensityConfig = field(default_factory=DensityConfig)
    radiance: RadianceConfig = field(default_factory=RadianceConfig)
    marching: MarchingConfig = field(default_factory=MarchingConfig)
    outside: OutsideConfig = field(default_factory=OutsideConfig)
    background: str = "white"
    cos_anneal_end: float = 0.1
