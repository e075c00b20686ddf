"""Sines and cosines of rising frequency."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


def frequencies(
    x: Float[Tensor, "n d"], bands: int, shown: float | Tensor
) -> Float[Tensor, "n 2*bands*d"]:
    """sin(2^k x), cos(2^k x) of every coordinate, band by band (Mildenhall et al. 2020, eq. 4).

    Coordinates lie in [-1, 1] and are not multiplied by pi, as in the implementations of NeRF and
    NeuS. While ``shown`` rises from 0 to ``bands``, one band after the other fades in, by the
    weight ``(1 - cos(pi clamp(shown - k, 0, 1))) / 2`` (Nerfies, Park et al. 2021, eq. 8).
    """
    band = torch.arange(bands, device=x.device, dtype=x.dtype)
    phase = x[:, None] * (2**band)[:, None]
    weight = (1 - torch.cos(math.pi * (shown - band).clamp(0, 1))) / 2
    waves = torch.cat([torch.sin(phase), torch.cos(phase)], dim=2) * weight[:, None]
    return waves.flatten(1)
