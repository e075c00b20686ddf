"""Where samples outside the unit sphere lie: the part of the rule that no data decide."""

from __future__ import annotations

import math

import torch
from torch import Tensor

MOST_DEPTH = 12.0
"""Optical depth after which a ray ends: light is down to e^-12, or e^-6 where the grid remembers
twice the density that there is."""


def growth(ratio: float, far: float, device: torch.device) -> Tensor:
    """``[k]`` powers of ``1 + ratio`` below ``far`` (float32), by which sections grow.

    Every backend multiplies the same numbers, so that all place a sample in the same cell.
    """
    count = max(1, math.ceil(math.log(far) / math.log1p(ratio)))
    powers = (1 + ratio) ** torch.arange(count, dtype=torch.float64)
    return powers.to(device, torch.float32)
