"""Folders that are there whole or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from neus.errors import InputError
from neus.files.whole import PARTIAL, rename_settled

SNAKEMAKE_TIMESTAMP = ".snakemake_timestamp"
"""Left by Snakemake in folders that a rule made."""


@contextmanager
def folder_written_whole(target: Path, entries: Collection[str]) -> Iterator[Path]:
    """Yield an empty folder beside ``target`` to fill; rename it to ``target`` at the end.

    If the body raises, the unfinished folder is removed and ``target`` stays as it was. All of it
    is on the disk before it has its final name.

    Args:
        target: the folder to write; one that is there already is replaced.
        entries: all that such a folder may hold. A folder with anything else in it is somebody's
            own and is not replaced.

    Raises:
        InputError: ``target`` holds something that is not in ``entries``, or is a file.
    """
    target = Path(target).absolute()
    _check_replaceable(target, entries)
    partial = target.with_name(f".{target.name}.{os.getpid()}{PARTIAL}")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        if target.exists():
            _check_replaceable(target, entries)
            shutil.rmtree(target)
        rename_settled(partial, target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _check_replaceable(target: Path, entries: Collection[str]) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise InputError(f"{target} is a file: choose another output folder")
    known = {*entries, SNAKEMAKE_TIMESTAMP}
    foreign = sorted(path.name for path in target.iterdir() if path.name not in known)
    if foreign:
        raise InputError(
            f"{target} holds {foreign[0]}, which this program did not write: choose another output "
            "folder"
        )
