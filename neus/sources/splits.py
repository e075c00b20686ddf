"""Which frames a file of cameras holds out, and which it leaves alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from neus.errors import refusal
from neus.sources.names import folded

Part = Literal["train", "test", "none"]
LISTS = ("train_filenames", "val_filenames", "test_filenames")


def parts_of(
    file: Path, content: Mapping[str, Any], names: Sequence[str]
) -> tuple[list[Part], list[str]]:
    """The part that each frame plays, by nerfstudio's lists of names, and sentences about them.

    ``test_filenames`` are held out, else ``val_filenames``; beside a list of test frames those of
    validation are left alone, as Blender's are. A list of training frames alone holds the others
    out. Frames in no list train, unless the training frames are listed: then they are left alone.

    Args:
        names: ``file_path`` of each frame.

    Raises:
        InputError: a list is none, or no frame is left to train on.
    """
    listed = {key: _names(file, key, content.get(key), names) for key in LISTS}
    if not any(listed.values()):
        return ["train"] * len(names), _unknown(file, listed, names)
    train, val, test = (listed[key] for key in LISTS)
    held_out = test or val
    parts: list[Part] = []
    for name in map(_plain, names):
        if name in held_out:
            parts.append("test")
        elif name in train or (name not in val and not train):
            parts.append("train")
        else:
            parts.append("none" if held_out else "test")
    if "train" not in parts:
        raise refusal(
            f"{file}, keys {', '.join(key for key in LISTS if listed[key])}",
            f"lists of names that leave none of {len(names)} frames to train on",
            "names of the frames that train",
            "correct the names, or take the lists out",
        )
    return parts, [*_said(file, listed, parts), *_unknown(file, listed, names)]


def _said(file: Path, listed: Mapping[str, set[str]], parts: Sequence[Part]) -> list[str]:
    lines = []
    if not listed["test_filenames"]:
        source = "val_filenames" if listed["val_filenames"] else "those not in train_filenames"
        lines.append(
            f"{file}: no test_filenames: {source} are held out ({parts.count('test')} frames)"
        )
    if parts.count("none"):
        lines.append(
            f"{file}: {parts.count('none')} frames neither train nor are held out by its lists of "
            "names: they are left alone"
        )
    return lines


def _unknown(file: Path, listed: Mapping[str, set[str]], names: Sequence[str]) -> list[str]:
    known = set(map(_plain, names))
    return [
        f"{file}: {len(missing)} names in {key} belong to no frame"
        for key, entries in listed.items()
        if (missing := entries - known)
    ]


def _names(file: Path, key: str, value: Any, frames: Sequence[str]) -> set[str]:
    """The names in a list, as the frames write them where they mean the same file."""
    if value is not None and not isinstance(value, list):
        raise refusal(f"{file}, key {key}", repr(value)[:40], "a list of names", "write one")
    by_tail: dict[str, set[str]] = defaultdict(set)
    for frame in map(_plain, frames):
        for tail in _tails(frame):
            by_tail[tail].add(frame)
    return {_meant(_plain(name), by_tail) for name in value or () if isinstance(name, str) and name}


def _meant(name: str, by_tail: Mapping[str, set[str]]) -> str:
    """The one frame whose path ends like a name, with the most parts; else the name itself."""
    if name in by_tail.get(name, ()):
        return name
    for tail in _tails(name):
        found = by_tail.get(tail, set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            break
    return name


def _tails(name: str) -> list[str]:
    """The ends of a path, the longest first, with its suffix and then without any."""
    parts = name.split("/")
    ends = ["/".join(parts[i:]) for i in range(len(parts))]
    bare = [end.removesuffix(PurePosixPath(name).suffix) for end in ends]
    return [*ends, *bare]


def _plain(name: str) -> str:
    return folded(name.replace("\\", "/").removeprefix("./"))
