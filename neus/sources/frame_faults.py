"""What is wrong with the frames of a file: equal faults in one sentence, all faults at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from neus.errors import listed
from neus.sources.given_poses import FrameError

T = TypeVar("T")


class FrameFaults:
    """Collects the faults of a file's frames.

    Args:
        file: that is named.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._found: dict[tuple[str, str, str], list[tuple[str, str]]] = defaultdict(list)

    def noted(self, frame: str, read: Callable[[], T]) -> T | None:
        """What ``read`` returns, or None if it finds a fault, which is kept."""
        try:
            return read()
        except FrameError as fault:
            self._found[fault.key, fault.expected, fault.remedy].append((frame, fault.found))
            return None

    def sentences(self) -> list[str]:
        """One for each kind of fault, with the first frames that have it."""
        lines = []
        for (key, expected, remedy), faults in self._found.items():
            found = dict.fromkeys(found for _, found in faults)
            names = listed([name for name, _ in faults])
            who = f"frame {names}" if len(faults) == 1 else f"{len(faults)} frames ({names})"
            lines.append(
                f"{self._file}, {who}, key {key}: found {listed(list(found), 2)}, expected "
                f"{expected}: {remedy}"
            )
        return lines
