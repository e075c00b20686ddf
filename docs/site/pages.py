"""What is done to a page's text, and to a docstring's, before the site sets it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from docs.site.keys import method_keys, workflow_keys

MADE = {"<!-- keys of the workflow -->": workflow_keys, "<!-- keys of methods -->": method_keys}
"""Comments of a page in whose place tables stand."""
OTHERS = "(pages that no list names)"
LINK = re.compile(r"\[([^\]]*)\]\(([^)#:]+)\)")
SEVERAL = re.compile(r"(    )(\w+(?:, \w+)+): (.*)")


def filled(text: str, folder: Path) -> str:
    """A page with its tables and lists; a link to a folder is its name alone.

    Args:
        folder: that the page lies in.
    """

    def plain(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    text = LINK.sub(plain, text)
    if OTHERS in text:
        text = text.replace(OTHERS, "\n".join(others(folder, text)))
    for comment, made in MADE.items():
        if comment in text:
            text = text.replace(comment, made())
    return text


def others(folder: Path, index: str) -> list[str]:
    """Pages of a folder that no list of its index names, so that a new one is not forgotten."""
    named = index.split()
    return [page.stem for page in sorted(folder.glob("*.md")) if page.stem not in (*named, "index")]


def each_by_itself(lines: Iterable[str]) -> list[str]:
    """``a, b: text`` of a docstring's list as ``a: text`` and ``b: as a``."""
    apart = []
    for line in lines:
        found = SEVERAL.fullmatch(line)
        if found is None:
            apart.append(line)
            continue
        first, *more = found[2].split(", ")
        apart += [f"{found[1]}{name}: as ``{first}``." for name in more]
        apart.append(f"{found[1]}{first}: {found[3]}")
    return apart
