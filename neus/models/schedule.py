"""What of a model depends on how far its training has come: a function of the step alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

from neus.config import ModelConfig, scheduled


@dataclass(frozen=True)
class Stage:
    """The model's settings at one moment of training.

    Attributes:
        active_levels: levels of the hash grid in use, or bands of a field of sines.
        step_length: distance between samples, in scene units.
        cos_anneal: 0 to 1, see :func:`neus.ops.alpha.section_alpha`.
        direction_bands: bands of sines through which directions are seen; a fraction fades in.
        max_inv_s: sharpness of the surface that is not exceeded.
    """

    active_levels: int
    step_length: float
    cos_anneal: float
    direction_bands: float = 0.0
    max_inv_s: float = math.inf


def stage_at(config: ModelConfig, step: int, steps: int) -> Stage:
    """The stage after ``step`` of ``steps`` training steps.

    Levels are switched on evenly between ``levels_from`` and ``all_levels_at`` (Neuralangelo,
    section 3.2); the sample distance shrinks geometrically until ``last_step_at``.
    """
    progress = step / steps
    marching, radiance = config.marching, config.radiance
    shrink = marching.last_step / marching.first_step
    return Stage(
        active_levels=_active_levels(config, progress),
        step_length=marching.first_step * shrink ** _ramp(progress, marching.last_step_at),
        cos_anneal=_ramp(progress, config.cos_anneal_end),
        direction_bands=radiance.direction_bands * _ramp(progress, radiance.all_bands_at),
        max_inv_s=scheduled(config.sdf.max_inv_s, progress),
    )


def _active_levels(config: ModelConfig, progress: float) -> int:
    grid, sdf = config.hash_grid, config.sdf
    if sdf.encoding == "frequency":
        return int(sdf.bands * _ramp(progress, sdf.all_bands_at))
    added = (grid.levels - grid.initial_levels + 1) * _ramp(
        progress - grid.levels_from, grid.all_levels_at - grid.levels_from
    )
    return min(grid.levels, grid.initial_levels + int(added))


def _ramp(progress: float, end: float) -> float:
    """0 at the start, 1 from ``end`` on."""
    return min(1.0, max(0.0, progress) / end) if end > 0 else 1.0
