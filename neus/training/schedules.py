"""Learning rate as a function of the step alone."""

from __future__ import annotations

import math

from neus.config import LearningRateConfig, RatePiece


def learning_rate_factor(config: LearningRateConfig, step: int, steps: int) -> float:
    """The product of the schedules at a step; without any, warm-up and decay.

    These are a linear rise, then an exponential fall to ``final_factor`` at the last step.
    """
    progress = step / steps
    if config.schedules:
        return math.prod(sequence_factor(pieces, progress) for pieces in config.schedules)
    if progress < config.warmup:
        return (step + 1) / (config.warmup * steps + 1)
    decay = (progress - config.warmup) / max(1 - config.warmup, 1e-9)
    return config.final_factor**decay


def sequence_factor(pieces: list[RatePiece], progress: float) -> float:
    """The factor of the piece that holds at a fraction of the budget."""
    start = 0.0
    for piece in pieces:
        if progress < piece.until or piece is pieces[-1]:
            along = min(1.0, (progress - start) / (piece.until - start))
            return _factor(piece, along)
        start = piece.until
    raise AssertionError("a sequence has one piece or more")


def _factor(piece: RatePiece, along: float) -> float:
    if piece.kind == "constant":
        return piece.first
    if piece.kind == "linear":
        return piece.first + (piece.last - piece.first) * along
    return piece.first * (piece.last / piece.first) ** along
