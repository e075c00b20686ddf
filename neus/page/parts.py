"""The heavy parts of the page: a script for each scan and each run, loaded when they are opened.

A page that is opened from a file may fetch nothing, but it may run scripts that lie beside it. Each
part is one call, ``neusPart(name, content)``; its first line, a comment, says what it was made of,
so that a part is made anew only when that has changed, and holds the little that the page shows
before the part is loaded.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.files import written_whole

FORMAT = 3
"""Raised when a part of this version differs from what the last one made of the same files."""
MARK = "// neus "


def part(
    path: Path, name: str, sources: Iterable[Path], make: Callable[[], tuple[dict, dict]]
) -> dict[str, Any]:
    """The head of a part, which is made first if it is missing or its sources have changed.

    Args:
        name: what the page's script knows it by.
        sources: files and folders that it is made of; of folders the files directly in them count.
        make: returns the head, and the content.
    """
    print_ = fingerprint(sources)
    kept = head_of(path)
    if kept is not None and kept.get("fingerprint") == print_:
        return kept["head"]
    head, content = make()
    first = json.dumps({"fingerprint": print_, "head": head}, allow_nan=False)
    call = f"neusPart({as_script(name)}, {as_script(content)});"
    with written_whole(path) as partial:
        partial.write_text(f"{MARK}{first}\n{call}\n", encoding="utf-8")
    return head


def head_of(path: Path) -> dict[str, Any] | None:
    """The first line of a part; None where there is none, or one that nobody can read."""
    try:
        with path.open(encoding="utf-8") as file:
            line = file.readline()
        content = json.loads(line.removeprefix(MARK))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) and "head" in content else None


def fingerprint(sources: Iterable[Path]) -> str:
    """Of the names, sizes and times of files, as far as they exist, wherever they lie now."""
    facts = [repr(FORMAT)]
    for source in sources:
        files = sorted(source.iterdir()) if source.is_dir() else [source]
        facts += [
            f"{source.name} {file.name} {file.stat().st_size} {file.stat().st_mtime_ns}"
            for file in files
            if file.is_file()
        ]
    return hashlib.sha256("\n".join(facts).encode()).hexdigest()[:16]


def as_script(content: Any) -> str:
    """A value as JavaScript that may stand in a page: no ``<``, and no line that JSON alone allows.

    Raises:
        InputError: a number that is not finite.
    """
    try:
        text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise InputError(f"the page takes finite numbers alone: {error}") from error
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
