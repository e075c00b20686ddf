"""Whether the files of a scan are those that its results were made from.

Snakemake runs a rule again when a value among its params changes. Of a scan's files that value is a
hash of their names and contents. Version 0.1 took their names and sizes: where its value stands in
the record of a finished run, and until a file changes, that value is given again, so that an update
of the program alone makes nothing run.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from neus.files import Facts, written_whole

EARLIER_FOLDERS = ("images", "image", "masks", "mask", "sparse", "sparse/0", "train", "test")
"""Below the folder of a scan, what version 0.1 looked at."""
DIGITS = 16


def content_fingerprint(files: Iterable[tuple[str, Path]], facts: Facts) -> str:
    """A hash of names and contents; a file that is missing counts as such.

    Args:
        files: each with the name that it goes by, which does not say where the scan lies.
    """
    lines = []
    for name, path in sorted(files):
        try:
            lines.append(f"{name} {facts.of(path, 'sha256', _sha256)}")
        except OSError:
            lines.append(f"{name} missing")
    text = "\n".join(lines).encode("utf-8", "surrogateescape")
    return hashlib.sha256(text).hexdigest()[:DIGITS]


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def earlier_fingerprint(path: Path) -> str:
    """What version 0.1 recorded: a hash of names and sizes in the folders that it knew of."""
    folders = [path, *(path / name for name in EARLIER_FOLDERS)] if path.is_dir() else []
    files = sorted(f for folder in folders if folder.is_dir() for f in folder.iterdir())
    lines = [f"{f.relative_to(path)} {f.stat().st_size}" for f in files or [path] if f.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:DIGITS]


def named_files(files: Iterable[Path], folder: Path) -> list[tuple[str, Path]]:
    """Files by their names below a scan's folder, so that a copied folder is still the same."""
    return [
        (f.relative_to(folder).as_posix() if f.is_relative_to(folder) else f.as_posix(), f)
        for f in dict.fromkeys(files)
    ]


class Adopted:
    """Scans whose results version 0.1 made, with the contents that they had when first seen.

    Args:
        store: JSON file that keeps them.
    """

    def __init__(self, store: Path) -> None:
        self._store = store
        try:
            content = json.loads(store.read_bytes())
        except (OSError, ValueError):
            content = {}
        self._known: dict[str, list[str]] = content if isinstance(content, dict) else {}

    def value(
        self, scan: str, content: str, earlier: Callable[[], str], recorded: Collection[str]
    ) -> str:
        """The fingerprint to compare with that of the last run.

        Args:
            scan: name of the scan.
            content: its fingerprint by contents.
            earlier: finds out that of version 0.1; asked only of a scan that was run before.
            recorded: params of the last run, as texts.
        """
        if scan not in self._known and recorded:
            of_old = earlier()
            if any(of_old in param for param in recorded):
                self._known[scan] = [content, of_old]
                self._keep()
        return self._known[scan][1] if self.is_unchanged(scan, content) else content

    def is_unchanged(self, scan: str, content: str) -> bool:
        """Whether version 0.1 made the results of a scan, whose files are the same since."""
        return self._known.get(scan, [None])[0] == content

    def _keep(self) -> None:
        try:
            with written_whole(self._store) as partial:
                partial.write_text(json.dumps(self._known))
        except OSError:
            return  # seen again next time
