"""A method: a model and how it is trained."""

from __future__ import annotations

from dataclasses import dataclass, field

from neus.config.model import ModelConfig
from neus.config.training import TrainingConfig

BACKENDS = ("auto", "tcnn")
"""Operators that training runs on: the device's own, or tiny-cuda-nn's and nerfacc's (CUDA)."""


@dataclass(frozen=True)
class MethodConfig:
    """All keys of a method.

    Attributes:
        model: what is learnt.
        training: how.
        backend: ``auto``, the device's own operators, or ``tcnn``, tiny-cuda-nn's and nerfacc's.
    """

    model: ModelConfig = field(default_factory=ModelConfig)
    training: TrainingConfig = field(default_factory=TrainingConfig)
    backend: str = "auto"
