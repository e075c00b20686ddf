"""Numbers of a frame: its own keys over those that stand once for all, by any of their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from neus.sources.given_poses import FrameError

OTHER_NAMES = {
    "fl_x": ("fl_x", "fx", "focal_x"),
    "fl_y": ("fl_y", "fy", "focal_y"),
    "cx": ("cx", "c_x"),
    "cy": ("cy", "c_y"),
    "w": ("w", "width", "image_width"),
    "h": ("h", "height", "image_height"),
}
CALIBRATE = "calibrate the camera, or take the frames out"


class Keys:
    """The keys of a frame over those that stand once for all frames."""

    def __init__(self, frame: Mapping[str, Any], shared: Mapping[str, Any]) -> None:
        self.levels = (frame, shared)

    def first(self, *names: str) -> float | None:
        """The value of the first key that there is; a frame's before the shared ones."""
        for level in self.levels:
            value = self.of(level, *names)
            if value is not None:
                return value
        return None

    def of(self, level: Mapping[str, Any], *names: str) -> float | None:
        for name in (other for key in names for other in OTHER_NAMES.get(key, (key,))):
            if level.get(name) is not None:
                return _number(name, level[name])
        return None

    def text(self, name: str) -> str | None:
        values = [level[name] for level in self.levels if level.get(name) is not None]
        return str(values[0]) if values else None

    def numbers(self, name: str) -> list[float]:
        """Those of a list, whose rows are joined; none where there is no list."""
        for level in self.levels:
            if isinstance(level.get(name), list):
                rows = [row if isinstance(row, list) else [row] for row in level[name]]
                return [_number(name, value) for row in rows for value in row]
        return []

    def flag(self, name: str) -> bool:
        values = [level[name] for level in self.levels if level.get(name) is not None]
        return bool(values) and str(values[0]).lower() not in ("false", "0", "")


def _number(key: str, value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        raise FrameError(key, repr(value), "a number", CALIBRATE) from None
