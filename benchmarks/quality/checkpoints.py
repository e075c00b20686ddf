"""Checkpoints of a running training, kept for the curve of error against time."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def keeping_checkpoints(folder: Path, kept: Path, parts: Sequence[int]) -> Iterator[None]:
    """While the block runs, link the first checkpoint past each of ``parts`` into ``kept``."""
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.5):
            keep(folder, kept, parts)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        done.set()
        watcher.join()


def keep(folder: Path, kept: Path, parts: Sequence[int]) -> None:
    """Link what :func:`keeping_checkpoints` wants of the checkpoints that there are."""
    step_of = {path: int(path.stem.removeprefix("step-")) for path in folder.glob("step-*.pt")}
    have = [int(path.stem.removeprefix("step-")) for path in kept.glob("step-*.pt")]
    for part, end in zip(parts, [*parts[1:], sys.maxsize], strict=False):
        if any(part <= step < end for step in have):
            continue
        fitting = sorted(step for step in step_of.values() if part <= step < end)
        for path, step in step_of.items():
            if fitting and step == fitting[0]:
                kept.mkdir(parents=True, exist_ok=True)
                try:
                    os.link(path, kept / path.name)
                except FileNotFoundError:  # training has just dropped it: the next one will do
                    continue
