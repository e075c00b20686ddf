"""The scans of the yardstick: what each is of, how it is photographed, and what makes it hard."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field

from benchmarks.quality.developing import Sensor

GENERATOR = 1
"""Raise it whenever pictures or ground truth change: old renderings and runs then count no more."""
HOLDOUT = 8
"""Every eighth view, from the first, is kept out of training."""
GROUPS = {"tuned": "levers may be tuned on it", "apart": "never tuned on, reported apart"}


@dataclass(frozen=True)
class Scan:
    """One scan of the yardstick.

    Attributes:
        name: also the folder below the cache.
        shape: module of :mod:`benchmarks.quality.shapes`.
        difficulty: what makes it hard, in a line.
        millimetres: diameter of the sphere that all of the shape lies in.
        views, width, height: the photos.
        rig: ``cone`` (DTU's), ``rings`` or ``sphere``.
        zoom: of the photos; beyond 1 they cut the object off.
        surroundings: ``nothing``, ``table`` or ``room``.
        poses: whether the cameras have to be found from the photos.
        masks: whether training may use the masks.
        brightness: gain of all photos.
        sensor: how they were taken.
        group: of :data:`GROUPS`.
        goal: overall in mm whose time is measured.
    """

    name: str
    shape: str
    difficulty: str
    millimetres: float
    goal: float
    views: int = 49
    width: int = 400
    height: int = 300
    rig: str = "cone"
    zoom: float = 1.0
    surroundings: str = "table"
    poses: bool = False
    masks: bool = True
    brightness: float = 0.8
    sensor: Sensor = field(default_factory=Sensor)
    group: str = "tuned"

    @property
    def method(self) -> str:
        """The method file that the scan is trained with by default."""
        return "neus-mask" if self.masks else "neus"

    def key(self, seed: int, generator: int = GENERATOR) -> str:
        """Short digest of all that its pictures and its ground truth follow from."""
        looks = {k: v for k, v in asdict(self).items() if k not in ("difficulty", "goal", "group")}
        text = json.dumps([generator, seed, looks], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


SCANS = (
    Scan(
        "skull",
        "skull",
        "deep sockets, a nose, arches with hollows behind them; few views look in",
        millimetres=300,
        goal=0.8,
    ),
    Scan(
        "courtyard",
        "courtyard",
        "a deep courtyard between three wings; large in the picture, cut off at its edges",
        millimetres=300,
        goal=0.8,
        zoom=1.65,
        brightness=0.9,
    ),
    Scan(
        "sphere360",
        "elephant",
        "all around, above and below; glossy, patterned",
        millimetres=220,
        goal=0.4,
        views=64,
        rig="sphere",
        surroundings="nothing",
        sensor=Sensor(aperture=55.0),
    ),
)


def scan_named(name: str) -> Scan:
    """The scan of that name; ``KeyError`` where there is none."""
    return {scan.name: scan for scan in SCANS}[name]
