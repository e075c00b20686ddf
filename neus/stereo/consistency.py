"""Which depths the other views agree with, and how far each is to be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.scene import Cameras
from neus.stereo.maps import HostMaps
from neus.stereo.settings import StereoSettings
from neus.stereo.sources import angles_between

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from neus.ops.cuda.maps import DeviceMaps

CERTAIN = 0.9
"""NCC from which a window's likeness takes nothing off the confidence."""
PAIR = 0.15
"""Confidence of what two views alone agree on."""

HIDING = 0.25
"""Of the number of views that agree on a depth: as many may be sure of something before it."""


@dataclass(frozen=True)
class Agreement:
    """What the other views say of a view's depths.

    Attributes:
        agree: ``[h, w]`` number of other views whose depth agrees.
        violate: ``[h, w]`` of those that see through the point to something they are sure of.
        hidden: ``[h, w]`` of those that are sure of something before the point.
        confidence: ``[h, w]`` in [0, 1]; 0 where a depth is not kept.
    """

    agree: Int[np.ndarray, "h w"]
    violate: Int[np.ndarray, "h w"]
    hidden: Int[np.ndarray, "h w"]
    confidence: Float[np.ndarray, "h w"]

    @property
    def kept(self) -> Bool[np.ndarray, "h w"]:
        return self.confidence > 0


def neighbours_of(cameras: Cameras, count: int, widest: float) -> list[list[int]]:
    """The nearest views of each, as seen from the scene's centre, within ``widest`` degrees."""
    angles = angles_between(cameras)
    order = np.argsort(angles, axis=1, kind="stable")
    return [
        [j for j in order[i].tolist() if j != i and angles[i, j] <= widest][:count]
        for i in range(len(cameras))
    ]


def agreements(
    maps: HostMaps | DeviceMaps,
    correlations: list[Float[np.ndarray, "h w"]],
    settings: StereoSettings,
) -> list[Agreement]:
    """Hold every depth against the neighbours' maps.

    A first round asks how many agree. Only depths that enough agree with may say, in a second,
    that they see through somebody else's point, or lie before it: a mirror shows a surface that is
    not there behind one that is. A depth that more views see through than agree with it goes, and
    so does one that has more than :data:`HIDING` of their number before it.

    Args:
        maps: of all views; what each is sure of stays noted in them.
        correlations: of each view's windows.
        settings: how many have to agree, and how much windows have to be alike.
    """
    likeness = [torch.from_numpy(correlation).to(maps.device) for correlation in correlations]
    for view, sure in enumerate(maps.sure):
        sure.copy_(maps.compared(view)[0] >= settings.agreeing)
    result = []
    for view, alike in enumerate(likeness):
        agree, violate = maps.compared(view)
        hidden = maps.hidden(view)
        kept = maps.sure[view] & (violate < agree) & (hidden <= HIDING * agree)
        trust = confidence(alike, agree, violate + hidden, settings.least_correlation)
        result.append((agree, violate, hidden, torch.where(kept, trust, 0).float()))
    return [Agreement(*(part.cpu().numpy() for part in parts)) for parts in result]


def confidence(
    correlation: Float[Tensor, "*n"],
    agree: Int[Tensor, "*n"],
    against: Int[Tensor, "*n"],
    least: float,
) -> Float[Tensor, "*n"]:
    """How far a depth is to be trusted, in [0, 1].

    The product of likeness (NCC from ``least`` to :data:`CERTAIN`; noise is part of the NCC, so
    that little texture means little likeness), number (1 - 2^(1 - n) for n agreeing views,
    :data:`PAIR` for one), and the share of the views that agree among those that say anything,
    ``against`` of them something else.
    """
    likeness = ((correlation - least) / (CERTAIN - least)).clip(0, 1)
    numbers = _numbers(agree.device)
    number = numbers[agree.clip(max=len(numbers) - 1)]
    return likeness * number * agree / (agree + against).clip(min=1)


# Kept on the device, since a copy to it makes the host wait.
@lru_cache(maxsize=8)
def _numbers(device: torch.device) -> Float[Tensor, "m"]:
    """What numbers of views that agree are worth; from the last one on it is 1, in 64 bits."""
    worth = [0, PAIR] + [1 - 2.0 ** (1 - n) for n in range(2, 60)]
    return torch.tensor(worth, dtype=torch.float64, device=device)
