"""Files that are there whole or not at all, and folders that one process has to itself."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neus.errors import InputError


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a name beside ``path``, with its suffix, to write to; rename it to ``path`` at the end.

    If the body raises, the unfinished file is removed and whatever ``path`` held before stays.
    Folders that are missing are made.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def held_alone(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same folder out; the system frees it if we die.

    Raises:
        InputError: another process holds the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"another process is at work in {folder}: wait until it ends, or stop it"
            ) from None
        yield
