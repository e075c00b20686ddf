"""What a program does to be seen: name its parts, and say how far each is."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from contextlib import suppress
from pathlib import Path
from typing import Protocol, TypeVar

from neus.progress.estimate import Estimate
from neus.progress.state import State, write_state

FILE = "NEUS_PROGRESS"
"""Variable of the environment that names the file; `logged` of workflow/shell.sh sets it."""
EVERY = 0.5
"""Seconds between two writings of the file."""

Item = TypeVar("Item", covariant=True)


class Counted(Iterable[Item], Sized, Protocol[Item]):
    """What can be gone through, and says how long it is."""


class Progress:
    """Of a program, whose parts are expected to take some seconds each.

    The file is written at most twice a second; a disk that is full stops no program.

    Args:
        expected: seconds of each part, in their order: estimates for the sizes at hand, of which
            the proportions matter.
        file: to write; by default the environment's, and none where it names none.
        clock: seconds since the epoch.
    """

    def __init__(
        self,
        expected: Mapping[str, float],
        *,
        file: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        named = os.environ.get(FILE)
        self._file = file or (Path(named) if named else None)
        self._estimate, self._clock = Estimate(expected), clock
        self._begin, self._written = clock(), -EVERY

    def at(self, part: str, share: float = 0.0) -> None:
        """Say that a share of a part is done, between 0 and 1."""
        now = self._clock()
        is_new = part != self._estimate.part
        self._estimate.update(part, share, now)
        if self._file is None or (now - self._written < EVERY and not is_new):
            return
        self._written = now
        left = self._estimate.left(now)
        spent = now - self._begin
        whole = spent + left
        share, later = spent / whole if whole else 0.0, self._estimate.later()
        kept = self._estimate.kept
        with suppress(OSError):
            write_state(self._file, State(part, share, left, later, now, kept))

    def of(self, part: str) -> Callable[[float], None]:
        """A function that takes the share of this part that is done."""
        return lambda share: self.at(part, share)

    def over(self, part: str, items: Counted[Item]) -> Iterator[Item]:
        """Go through items of about equal cost, counting them."""
        count = len(items)
        self.at(part)
        for done, item in enumerate(items, start=1):
            yield item
            self.at(part, done / count)
