"""What was found out about files, remembered as long as they stay the same."""

from __future__ import annotations

import json
import math
import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

from neus.files.whole import written_whole

SETTLED_NS = 2_000_000_000
"""A file younger than this may change again within one tick of its clock: it is not remembered."""

PAUSES = 20
"""Between two times that facts are written, in units of the time that the first one took."""


class Facts:
    """Facts about files by their path, size, times of content and inode, and inode itself.

    A file whose content was replaced by another of the same size and time has another inode or
    another time of change (ctime), which nothing but the system can set.

    Args:
        store: JSON file that keeps them, or None; one that cannot be read or written is
            passed over.
    """

    def __init__(self, store: Path | None) -> None:
        self._store, self._lock = store, Lock()
        self._known: dict[str, dict[str, Any]] = _read(store)
        self._is_new = False
        self._kept_at, self._took = -math.inf, 0.0

    def of(self, path: Path, fact: str, find_out: Callable[[Path], Any]) -> Any:
        """A fact about a file, found out if it is not known of the file as it is now.

        Raises:
            OSError: the file cannot be read.
        """
        state = path.stat()
        mark, name = _mark(state), _name(path)
        with self._lock:
            entry = self._known.get(name)
            if entry is not None and entry.get("state") == mark and fact in entry:
                return entry[fact]
        value = find_out(path)
        newest = max(state.st_mtime_ns, state.st_ctime_ns)
        if time.time_ns() - newest > SETTLED_NS and path.stat().st_ctime_ns == state.st_ctime_ns:
            with self._lock:
                entry = self._known.get(name)
                if entry is None or entry.get("state") != mark:
                    self._known[name] = entry = {"state": mark}
                entry[fact] = value
                self._is_new = True
        return value

    def knows(self, path: Path, fact: str) -> bool:
        """Whether a fact about a file as it is now need not be found out.

        Raises:
            OSError: the file cannot be read.
        """
        entry = self._known.get(_name(path), {})
        return fact in entry and entry.get("state") == _mark(path.stat())

    def keep(self) -> None:
        """Write what is new to the store, unless that was done a moment ago and takes its time.

        Whoever asks after each of a hundred scans spends a twentieth of the time on it; what is
        then not written is found out again next time.
        """
        began = time.monotonic()
        if self._store is None or not self._is_new or began < self._kept_at + PAUSES * self._took:
            return
        try:
            with written_whole(self._store) as partial:
                partial.write_text(json.dumps(self._known))
            self._is_new, self._kept_at = False, time.monotonic()
            self._took = self._kept_at - began
        except OSError:
            return  # a folder that cannot be written to: all is found out again next time


def _mark(state: os.stat_result) -> list[int]:
    return [state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino]


def _name(path: Path) -> str:
    return os.path.join(os.getcwd(), path)  # as Path.absolute does, in a fifth of the time


def _read(store: Path | None) -> dict[str, dict[str, Any]]:
    try:
        content = json.loads(store.read_bytes()) if store is not None else {}
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
