"""The small file that says how far a program is."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from neus.files import written_whole


@dataclass(frozen=True)
class State:
    """How far a program was at a moment.

    Attributes:
        part: what it was at, in words for people.
        share: of its whole time that has gone by, between 0 and 1.
        left: seconds until its end.
        later: those of them that parts take which have not begun.
        at: seconds since the epoch when this was so.
        kept: share of the work that an earlier attempt had done, between 0 and 1.
    """

    part: str
    share: float
    left: float
    later: float
    at: float
    kept: float = 0.0

    def left_at(self, now: float) -> float:
        """Seconds until the end at a later moment, if all goes as it was thought.

        A part that says nothing for long eats up none of the time of those after it.
        """
        return max(self.left - max(now - self.at, 0.0), self.later)


def file_of(log: Path) -> Path:
    """Where a program whose words go to ``log`` says how far it is."""
    return log.with_name(f"{log.name}.progress")


def write_state(path: Path, state: State) -> None:
    """Write the file, whole or not at all."""
    with written_whole(path) as partial:
        partial.write_text(json.dumps(asdict(state)), encoding="utf-8")


def read_state(path: Path) -> State | None:
    """What a file says; None where there is none, or none of this kind."""
    try:
        content = json.loads(path.read_bytes())
        return State(
            str(content["part"]),
            float(content["share"]),
            float(content["left"]),
            float(content["later"]),
            float(content["at"]),
            float(content.get("kept", 0.0)),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
