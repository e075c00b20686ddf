"""What of a model depends on how far its training has come: a function of the step alone."""

from __future__ import annotations

from dataclasses import dataclass

from neus.config import ModelConfig


@dataclass(frozen=True)
class Stage:
    """The model's settings at one moment of training.

    Attributes:
        active_levels: levels of the hash grid in use.
        step_length: distance between samples, in scene units.
        cos_anneal: 0 to 1, see :func:`neus.ops.alpha.section_alpha`.
    """

    active_levels: int
    step_length: float
    cos_anneal: float


def stage_at(config: ModelConfig, step: int, steps: int) -> Stage:
    """The stage after ``step`` of ``steps`` training steps.

    Levels are switched on evenly from ``initial_levels`` until ``all_levels_at`` (Neuralangelo,
    section 3.2); the sample distance shrinks geometrically until ``last_step_at``.
    """
    progress = step / steps
    grid, marching = config.hash_grid, config.marching
    added = (grid.levels - grid.initial_levels + 1) * _ramp(progress, grid.all_levels_at)
    shrink = marching.last_step / marching.first_step
    return Stage(
        active_levels=min(grid.levels, grid.initial_levels + int(added)),
        step_length=marching.first_step * shrink ** _ramp(progress, marching.last_step_at),
        cos_anneal=_ramp(progress, config.cos_anneal_end),
    )


def _ramp(progress: float, end: float) -> float:
    """0 at the start, 1 from ``end`` on."""
    return min(1.0, progress / end) if end > 0 else 1.0
