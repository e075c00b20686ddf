"""Files that are there whole or not at all, and folders that one process has to itself.

What has its final name is on the disk: a job that ends well on one machine of a cluster has left
what the next one reads on another, also where a file system writes and tells late.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from neus.errors import InputError

PARTIAL = ".partial"
"""Ends the name of a folder that is not finished, and stands before the suffix of such a file."""


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Yield a name beside ``path``, with its suffix, to write to; rename it to ``path`` at the end.

    If the body raises, the unfinished file is removed and whatever ``path`` held before stays.
    Folders that are missing are made. The content is on the disk before the new name is.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.stem}.{os.getpid()}{PARTIAL}{path.suffix}")
    is_part = any(folder.suffix == PARTIAL for folder in path.absolute().parents)
    try:
        yield partial
        (os.replace if is_part else rename_settled)(partial, path)  # else with the whole folder
    finally:
        partial.unlink(missing_ok=True)


def rename_settled(partial: Path, final: Path) -> None:
    """Rename a file or folder once it is on the disk with all that is in it; then settle the name.

    Neither a crash nor a file system that writes late can leave the name without the content.

    Raises:
        OSError: the disk could not take it; ``final`` is then what it was before.
    """
    for folder, _, names in os.walk(partial, topdown=False):
        for path in (Path(folder, name) for name in names):
            if not path.is_symlink():
                _settle(path)
        _settle(Path(folder))
    if not partial.is_dir():
        _settle(partial)
    os.replace(partial, final)
    _settle(final.parent)


def _settle(path: Path) -> None:
    """Have the system write a file, or the names in a folder, to the disk."""
    try:
        descriptor = os.open(path, os.O_RDONLY)
    except PermissionError:  # somebody's own folder that may be written to but not read
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EBADF, errno.ENOTSUP):
            raise
        # a file system that has no such request for folders, as some network shares
    finally:
        os.close(descriptor)


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
