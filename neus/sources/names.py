"""Files by the names that other programs wrote down for them, and names that differ.

A name in a file of cameras may have been written on another machine: with Windows' backslashes, as
an absolute path, as a URL, in another case or Unicode form, without its suffix. What is on the disk
decides; the file as it is written comes first.
"""

from __future__ import annotations

import hashlib
import os
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from functools import cached_property
from pathlib import Path, PurePosixPath
from urllib.parse import unquote

from neus.images import SUFFIXES
from neus.sources.photos import files_below

DRIVE = re.compile(r"^[A-Za-z]:[\\/]")
WEB_URL = re.compile(r"^https?://[^/]*", re.IGNORECASE)
FILE_URL = re.compile(r"^file:(?://(?:localhost)?(?=/))?", re.IGNORECASE)
LONGEST = 120
"""Bytes of a name that files are written under: file systems take 255, with suffixes and marks."""
SPLIT_FOLDERS = frozenset({"train", "test", "val"})
IMAGE_PLACES = (
    *("images", "image", "rgb", "input", "photos", "color", "frames"),
    *("images_2", "images_4", "images_8"),
)
MASK_PLACES = ("masks", "mask")
"""Below a scan's folder: where an image, or a mask, is looked for by its last name alone."""

WAYS = {
    "other slashes": "with Windows' backslashes",
    "elsewhere": "as absolute paths of another place, found by their last parts",
    "other folder": "with another folder than the one that they lie in",
    "other case": "in another case or Unicode form",
    "other suffix": "with another suffix",
    "escaped": "as URLs",
}
"""How a name may differ from its file's, in words for `Finder.account`."""


def plain_path(text: str) -> str:
    """A path as a shell would take it: a file URL, ``~`` and ``./`` resolved.

    Backslashes become slashes where no file has the name as it is written.
    """
    if FILE_URL.match(text):
        text = unquote(FILE_URL.sub("", text))
        text = text[1:] if DRIVE.match(text[1:]) else text
    text = os.path.expanduser(text)
    if "\\" in text and not os.path.lexists(text):
        text = text.replace("\\", "/")
    if DRIVE.match(text) and not os.path.lexists(text):  # the disks of Windows as WSL shows them
        mounted = f"/mnt/{text[0].lower()}/{text[3:]}"
        text = mounted if os.path.lexists(mounted) else text
    return text


def folded(name: str) -> str:
    """What names that differ in case or Unicode form alone have in common."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


class Finder:
    """Finds the files below a folder that names in a file of cameras mean.

    Args:
        suffixes: of the files that count.
        places: folders below, where one is looked for by its last name alone: the first that has
            it counts.

    Attributes:
        folder: what relative names are relative to.
        ways: how many names differed from their file's, by the keys of :data:`WAYS`.
    """

    def __init__(
        self,
        folder: Path,
        suffixes: Collection[str] = SUFFIXES,
        places: Sequence[str] = IMAGE_PLACES,
    ) -> None:
        self.folder = folder
        self._places = (folder, *(folder / place for place in places))
        self.ways: Counter[str] = Counter()
        first = [s for s in (".png", ".jpg", ".jpeg") if s in suffixes]
        rest = sorted(set(suffixes) - set(first))
        self._suffixes = [*first, *rest, *(s.upper() for s in (*first, *rest))]

    def find(self, name: str) -> Path | None:
        """The file that a name means, below ``folder`` if it can be said so; None if there is none.

        Several files that a name might mean alike count as none.
        """
        path, way = self._find(name)
        if path is not None and way is not None:
            self.ways[way] += 1
        return path

    def account(self, file: Path) -> list[str]:
        """A sentence for each way in which names in ``file`` differed from those on the disk."""
        return [
            f"{file}: {count} names are written {WAYS[way]}" for way, count in self.ways.items()
        ]

    def _find(self, name: str) -> tuple[Path | None, str | None]:
        if (path := self._as_written(name)) is not None:
            return path, None
        plain, way = self._without_url(name)
        if way and (path := self._as_written(plain)) is not None:
            return path, way
        slashes = plain.replace("\\", "/")
        way = way or ("other slashes" if slashes != plain else None)
        if way and (path := self._as_written(slashes)) is not None:
            return path, way
        parts = [part for part in PurePosixPath(slashes).parts if part not in ("/", ".", "..")]
        if slashes.startswith(("/", "../", "~")) or DRIVE.match(slashes):
            return self._by_tail(parts if slashes[0] in "/." else parts[1:]), "elsewhere"
        relative = "/".join(parts)
        if (path := self._only(self._by_folded.get(folded(relative), []))) is not None:
            return path, "other case"
        if (path := self._only(self._by_stem.get(folded(relative), []))) is not None:
            return path, "other case"
        stem, suffix = os.path.splitext(relative)
        same = self._only(self._by_stem.get(folded(stem), []))
        if suffix.lower() in self._suffixes and same is not None:
            return same, "other suffix"
        if name != name.strip():
            return self._find(name.strip())
        is_gone = len(parts) > 1 and self.folder.joinpath(*parts[:-1]).is_dir()
        return None if is_gone else self._by_tail(parts), way or "other folder"

    def _as_written(self, name: str) -> Path | None:
        """The file of a relative or absolute name, or of one that lacks its suffix."""
        if not name or "\0" in name:
            return None
        path = self.folder / name
        try:
            if path.is_file():
                return self._below(path)
            parent = path.parent
            candidates = [parent / f"{path.name}{suffix}" for suffix in self._suffixes]
            return next((self._below(each) for each in candidates if each.is_file()), None)
        except OSError:  # a name longer than the file system takes
            return None

    def _below(self, path: Path) -> Path:
        """The same file, named from the folder where it lies below it."""
        plain = Path(os.path.normpath(path))
        if not plain.is_absolute() or self.folder.is_absolute():
            return plain
        absolute = Path(os.path.abspath(self.folder))
        return self.folder / plain.relative_to(absolute) if plain.is_relative_to(absolute) else path

    def _without_url(self, name: str) -> tuple[str, str | None]:
        if WEB_URL.match(name):
            return unquote(WEB_URL.sub("", name)), "elsewhere"
        if FILE_URL.match(name):
            name = unquote(FILE_URL.sub("", name))
            return (name[1:] if DRIVE.match(name[1:]) else name), "escaped"
        return (unquote(name), "escaped") if "%" in name else (name, None)

    def _by_tail(self, parts: list[str]) -> Path | None:
        """The one file whose path ends like ``parts``, with the most of them."""
        for count in range(len(parts), 0, -1):
            tail = "/".join(parts[-count:])
            if (path := self._as_written(tail)) is not None:
                return path
            for table, key in ((self._by_folded, tail), (self._by_stem, os.path.splitext(tail)[0])):
                if (path := self._only(table.get(folded(key), []))) is not None:
                    return path
        if not parts or folded(parts[-2] if len(parts) > 1 else "") in SPLIT_FOLDERS:
            return None  # train/r_0.png is not test/r_0.png
        same = {path.parent: path for path in self._by_last.get(folded(parts[-1]), [])}
        return next((same[place] for place in self._places if place in same), None)

    @staticmethod
    def _only(paths: list[Path]) -> Path | None:
        return paths[0] if len(paths) == 1 else None

    @cached_property
    def _files(self) -> list[Path]:
        return [p for p in files_below(self.folder) if p.suffix.lower() in self._suffixes]

    def _table(self, key: str) -> dict[str, list[Path]]:
        table: dict[str, list[Path]] = defaultdict(list)
        for path in self._files:
            relative = path.relative_to(self.folder)
            text = relative if key == "all" else relative.with_suffix("")
            table[folded(relative.name if key == "last" else text.as_posix())].append(path)
        return table

    @cached_property
    def _by_folded(self) -> dict[str, list[Path]]:
        return self._table("all")

    @cached_property
    def _by_stem(self) -> dict[str, list[Path]]:
        return self._table("stem")

    @cached_property
    def _by_last(self) -> dict[str, list[Path]]:
        return self._table("last")


def distinct_names(names: Sequence[str]) -> list[str]:
    """A name for each image under which files can be written: no two are alike, in any case.

    The stem, if all stems differ; else the folders with it, joined by ``_``; what is still alike
    gets its suffix and then a number. Long names end in a hash.

    Args:
        names: paths below the folder of images, as ``left/0001.png``.
    """
    paths = [PurePosixPath(name) for name in names]
    stems = [folded(path.stem) for path in paths]
    flat = [path.stem for path in paths]
    if len(set(stems)) < len(stems):
        flat = ["_".join(path.with_suffix("").parts) for path in paths]
    flat = [_short(name) for name in flat]
    count = Counter(map(folded, flat))
    flat = [
        f"{name}_{path.suffix[1:]}" if count[folded(name)] > 1 and path.suffix else name
        for name, path in zip(flat, paths, strict=True)
    ]
    taken: set[str] = set()
    for i, name in enumerate(flat):
        number, free = 1, name
        while folded(free) in taken:
            number += 1
            free = f"{name}_{number}"
        taken.add(folded(free))
        flat[i] = free
    return flat


def _short(name: str) -> str:
    """A name of at most :data:`LONGEST` bytes; equal ones stay equal."""
    name = name.replace("/", "_").replace("\\", "_").strip() or "_"
    content = name.encode("utf-8", "surrogateescape")
    if len(content) <= LONGEST:
        return name
    mark = hashlib.sha256(content).hexdigest()[:8]
    return f"{content[: LONGEST - 9].decode('utf-8', 'ignore')}_{mark}"
