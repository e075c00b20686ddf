"""Rates and weights as functions of the step alone."""

from __future__ import annotations

from neus.config import LearningRateConfig, Schedule


def learning_rate_factor(config: LearningRateConfig, step: int, steps: int) -> float:
    """Linear rise over the warm-up, then exponential decay to ``final_factor`` at the last step."""
    progress = step / steps
    if progress < config.warmup:
        return (step + 1) / (config.warmup * steps + 1)
    decay = (progress - config.warmup) / max(1 - config.warmup, 1e-9)
    return config.final_factor**decay


def scheduled(value: Schedule, progress: float) -> float:
    """A schedule of ``neus.config`` at a fraction of the budget."""
    if not isinstance(value, list):
        return value
    start, first, last, end = value
    return first + (last - first) * min(1.0, max(0.0, (progress - start) / (end - start)))
