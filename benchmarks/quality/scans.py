"""The scans of the yardstick: what each is of, how it is photographed, and what makes it hard."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

from benchmarks.quality.developing import Sensor
from neus.errors import InputError

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
        "lattice",
        "lattice",
        "thin struts, leaves, a pierced ball: holes to see through",
        millimetres=240,
        goal=0.8,
        views=40,
        rig="rings",
        brightness=1.0,
    ),
    Scan(
        "creases",
        "creases",
        "sharp edges, stairs, square holes; large in the picture, cut off at its edges",
        millimetres=220,
        goal=0.5,
        width=480,
        height=360,
        zoom=1.6,
    ),
    Scan(
        "glossy",
        "helmet",
        "a dark, glossy helmet, hollow behind its slits",
        millimetres=320,
        goal=1.0,
        brightness=1.1,
        sensor=Sensor(exposure_spread=0.12),
    ),
    Scan(
        "plain",
        "jug",
        "white glaze without a mark on it: nothing for stereo to hold on to",
        millimetres=280,
        goal=0.6,
        brightness=0.75,
    ),
    Scan(
        "sphere360",
        "elephant",
        "all around, above and below; glossy, patterned, slightly out of focus at its ends",
        millimetres=220,
        goal=0.4,
        views=64,
        rig="sphere",
        surroundings="nothing",
        sensor=Sensor(aperture=12.0),
    ),
    Scan(
        "room",
        "sculpture",
        "on the floor of a furnished room, without masks",
        millimetres=180,
        goal=0.6,
        views=48,
        rig="rings",
        surroundings="room",
        masks=False,
    ),
    Scan(
        "photos",
        "cairn",
        "a heap of stones; its cameras are found from the photos, whose exposure varies",
        millimetres=260,
        goal=0.6,
        views=36,
        rig="rings",
        poses=True,
        sensor=Sensor(exposure_spread=0.15, white_spread=0.02),
    ),
    Scan(
        "apart-1",
        "pumpkin",
        "a hollow behind a carved face; kept apart",
        millimetres=260,
        goal=0.8,
        sensor=Sensor(exposure_spread=0.12),
        group="apart",
    ),
    Scan(
        "apart-2",
        "castle",
        "a yard behind walls, thin battlements; kept apart",
        millimetres=300,
        goal=0.8,
        zoom=1.3,
        brightness=0.9,
        group="apart",
    ),
)
SUBSET = ("skull", "courtyard", "glossy", "sphere360")
"""The scans that levers are judged on: three that fail in different ways, one that is right."""


def scan_named(name: str) -> Scan:
    """The scan of that name; ``KeyError`` where there is none."""
    return {scan.name: scan for scan in SCANS}[name]


def chosen(names: Sequence[str]) -> list[Scan]:
    """The scans of these names.

    Raises:
        InputError: there is none of a name.
    """
    known = {scan.name: scan for scan in SCANS}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise InputError(f"--scans {unknown[0]}: the scans are {', '.join(known)}")
    return [known[name] for name in names]
