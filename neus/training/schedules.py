"""Learning rate as a function of the step alone."""

from __future__ import annotations

from neus.config import LearningRateConfig


def learning_rate_factor(config: LearningRateConfig, step: int, steps: int) -> float:
    """Linear rise over the warm-up, then exponential decay to ``final_factor`` at the last step."""
    progress = step / steps
    if progress < config.warmup:
        return (step + 1) / (config.warmup * steps + 1)
    decay = (progress - config.warmup) / max(1 - config.warmup, 1e-9)
    return config.final_factor**decay
