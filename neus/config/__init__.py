"""What a method is: the one home of every default, and the reader of method files.

In go method files and overrides; out comes a frozen :class:`MethodConfig` with every key, lengths
in units of the scene frame. A method file (``config/methods/*.yaml``) holds only what differs from
the defaults of :mod:`~neus.config.model`, :mod:`~neus.config.networks` and
:mod:`~neus.config.training`. Unknown keys and wrong types are refused with the key's name.
Fractions are fractions of the step budget, so that changing ``training.steps`` rescales every
schedule with it. A budget (``config/budgets/*.yaml``) is laid over a method's file, below
overrides.
"""

from neus.config.budgets import RECORD, Budget, load_budget, recorded_budget
from neus.config.identity import identity
from neus.config.loading import identity_as_yaml, load_method, method_as_yaml, without_masks
from neus.config.method import BACKENDS, MethodConfig
from neus.config.model import BACKGROUNDS, MarchingConfig, ModelConfig, OutsideConfig
from neus.config.networks import (
    ACTIVATIONS,
    NUMBERED,
    DensityConfig,
    GradientConfig,
    HashGridConfig,
    RadianceConfig,
    SdfConfig,
)
from neus.config.schedule import scheduled
from neus.config.training import OF_STEREO, LearningRateConfig, LossConfig, RatePiece

__all__ = [
    "ACTIVATIONS",
    "BACKENDS",
    "BACKGROUNDS",
    "NUMBERED",
    "OF_STEREO",
    "RECORD",
    "Budget",
    "DensityConfig",
    "GradientConfig",
    "HashGridConfig",
    "LearningRateConfig",
    "LossConfig",
    "MarchingConfig",
    "MethodConfig",
    "ModelConfig",
    "OutsideConfig",
    "RadianceConfig",
    "RatePiece",
    "SdfConfig",
    "identity",
    "identity_as_yaml",
    "load_budget",
    "load_method",
    "method_as_yaml",
    "recorded_budget",
    "scheduled",
    "without_masks",
]
