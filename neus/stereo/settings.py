"""How dense stereo is done: the one home of its defaults."""

from __future__ import annotations

from dataclasses import dataclass, field

from neus.ops.stereo import Matching


@dataclass(frozen=True)
class StereoSettings:
    """Everything that decides what stereo finds.

    Attributes:
        pixels: views are made smaller until they have no more pixels each ...
        all_pixels: ... and no more together, which bounds memory: some 100 bytes a pixel.
        levels: of the pyramid, each half as large as the next.
        sweeps: of each level, from the coarsest on.
        near_sources: the nearest views beyond ``narrowest`` degrees, seen from the scene's centre.
        wide_sources: the nearest beyond ``wide`` degrees on top of them.
        narrowest, wide, widest: degrees; ``widest`` is where windows no longer look alike.
        matching: how windows are compared; its iterations are ``sweeps``.
        neighbours: views that a depth is held against.
        agreeing: other views that have to agree for a depth to be kept.
        tolerance: of depths that agree, in pixels' footprints.
        least_correlation: NCC below which a depth is not kept.
    """

    pixels: int = 500_000
    all_pixels: int = 40_000_000
    levels: int = 3
    sweeps: tuple[int, ...] = (6, 3, 3)
    near_sources: int = 6
    wide_sources: int = 2
    narrowest: float = 4.0
    wide: float = 30.0
    widest: float = 60.0
    matching: Matching = field(default_factory=Matching)
    neighbours: int = 24
    agreeing: int = 2
    tolerance: float = 1.5
    least_correlation: float = 0.4
