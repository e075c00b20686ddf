"""Which frames a file of cameras holds out, and which it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

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
    """
    listed = {key: _names(content.get(key)) for key in LISTS}
    if not any(listed.values()):
        return ["train"] * len(names), []
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
    return parts, _said(file, listed, names, parts)


def _said(
    file: Path, listed: Mapping[str, set[str]], names: Sequence[str], parts: Sequence[Part]
) -> list[str]:
    lines, known = [], set(map(_plain, names))
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
    for key, entries in listed.items():
        if missing := entries - known:
            lines.append(f"{file}: {len(missing)} names in {key} belong to no frame")
    return lines


def _names(value: Any) -> set[str]:
    return {_plain(name) for name in value or () if isinstance(name, str)}


def _plain(name: str) -> str:
    return folded(name.replace("\\", "/").removeprefix("./"))
