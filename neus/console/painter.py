"""Lines that stay and lines that renew themselves, on a terminal; plain lines elsewhere."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from typing import Protocol, TextIO


class Painter(Protocol):
    """Where lines go.

    Attributes:
        renews: whether lines that are shown stand until others take their place; else each is one
            more line, and `every` seconds are let go by between them.
    """

    renews: bool
    every: float

    def say(self, line: str) -> None:
        """A line that stays."""

    def show(self, lines: Sequence[str]) -> None:
        """Lines that stand until the next call."""

    def mark(self, name: str) -> str:
        """A sign before a line: ``done`` or ``failed``."""
        ...


def painter_for(stream: TextIO) -> Painter:
    """A terminal's, or that of a log."""
    if stream.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return Terminal(stream)
    return Plain(stream)


class Terminal:
    """Lines that stay scroll up; the others stand below them and are drawn over."""

    renews, every = True, 0.0

    def __init__(
        self,
        stream: TextIO,
        columns: Callable[[], int] = lambda: shutil.get_terminal_size().columns,
    ) -> None:
        self._stream, self._columns = stream, columns
        self._shown: list[str] = []

    def say(self, line: str) -> None:
        self._paint([line], self._shown)

    def show(self, lines: Sequence[str]) -> None:
        width = max(self._columns() - 1, 20)
        self._paint([], [line[:width] for line in lines])

    def mark(self, name: str) -> str:
        signs = {"done": "✓", "failed": "✗"}
        try:
            signs[name].encode(self._stream.encoding or "ascii")
        except UnicodeEncodeError:
            return {"done": "+", "failed": "!"}[name]
        return signs[name]

    def _paint(self, staying: Sequence[str], standing: Sequence[str]) -> None:
        """One write, so that nothing flickers and nobody else's line falls between."""
        up = f"\x1b[{len(self._shown)}A" if self._shown else ""
        text = "".join(f"{line}\n" for line in (*staying, *standing))
        self._stream.write(f"\r{up}\x1b[J{text}")
        self._stream.flush()
        self._shown = list(standing)


class Plain:
    """Every line begins with the time; what would renew itself is written now and then."""

    renews, every = False, 30.0

    def __init__(
        self, stream: TextIO, clock: Callable[[], str] = lambda: time.strftime("%H:%M:%S")
    ) -> None:
        self._stream, self._clock = stream, clock

    def say(self, line: str) -> None:
        stamp = self._clock()
        self._stream.write("".join(f"{stamp}  {part}\n" for part in line.splitlines()))
        self._stream.flush()

    def show(self, lines: Sequence[str]) -> None:
        for line in lines:
            self.say(line)

    def mark(self, name: str) -> str:
        return {"done": "+", "failed": "!"}[name]
