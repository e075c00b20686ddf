"""How photos are placed, how long that takes, and who hears of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from neus.poses.features import SiftDevice
from neus.poses.pairing import PairingChoice

if TYPE_CHECKING:
    from jaxtyping import Float

Report = Callable[[str], None]
"""Receives a line of progress now and then."""
Advance = Callable[[str, float], None]
"""Receives the part of `expected` that is under way, and the share of it that is done."""
Mapper = Literal["incremental", "global"]

MOST_PAIRS = 40
"""For each photo, about, where not all are matched with all."""


@dataclass(frozen=True)
class Method:
    """How photos are placed.

    Attributes:
        max_size: features are sought in photos made no larger than this, in pixels.
        pairing: which pairs are matched, see :func:`neus.poses.pairing.choose_pairs`.
        mapper: ``incremental`` adds photo after photo; ``global`` places all at once, which is
            faster for hundreds of photos.
        lens: COLMAP's name of the camera model that is estimated.
        intrinsics: known ``[3, 3]`` of photos without distortion; then no lens is estimated.
        device: of features and matches, see :func:`neus.poses.features.sift_device`.
        seed: of all random choices.
    """

    max_size: int = 1600
    pairing: PairingChoice = "auto"
    mapper: Mapper = "incremental"
    lens: str = "SIMPLE_RADIAL"
    intrinsics: Float[np.ndarray, "3 3"] | None = None
    device: SiftDevice = "cpu"
    seed: int = 0


def expected(photos: int, pixels: float) -> dict[str, float]:
    """Seconds of each part on two cores: what counts is how they compare.

    Args:
        pixels: of a photo as its file holds it; larger ones are read and made smaller for longer.
    """
    pairs = min(photos * (photos - 1) // 2, MOST_PAIRS * photos)
    placing = 0.0037 * photos**1.5
    seconds = {"features": (0.05 + 0.36e-6 * pixels) * photos, "matches": 1.0 + 0.0055 * pairs}
    return seconds | {"placing": placing, "refining": 0.5 * placing}
