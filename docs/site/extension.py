"""Fills the pages of the site with what is made from the code, as an extension of Sphinx."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docs.site.formulas import add_formulas
from docs.site.keys import method_keys, workflow_keys
from docs.site.rooms import write_rooms

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MADE = {"<!-- keys of the workflow -->": workflow_keys, "<!-- keys of methods -->": method_keys}
"""Comments of a page that the site fills."""
OTHERS = "(pages that no list names)"
LINK = re.compile(r"\[([^\]]*)\]\(([^)#:]+)\)")
FRONT = '<meta http-equiv="refresh" content="0; url={0}.html"><a href="{0}.html">neus</a>\n'


def setup(app: Sphinx) -> dict[str, Any]:
    add_formulas(app)
    app.connect("builder-inited", lambda app: write_rooms(Path(app.srcdir)))
    app.connect("source-read", fill)
    app.connect("autodoc-process-docstring", without_substitutions)
    app.connect("build-finished", write_front)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Put tables of keys where a page wants them; a link to a folder is its name alone."""
    folder = app.env.doc2path(name).parent

    def plain(link: re.Match[str]) -> str:
        return link[1] if (folder / link[2]).is_dir() else link[0]

    text = LINK.sub(plain, source[0]).replace(OTHERS, "\n".join(others(folder, source[0])))
    for comment, made in MADE.items():
        if comment in text:
            text = text.replace(comment, made())
    source[0] = text


def others(folder: Path, index: str) -> list[str]:
    """Pages of a folder that no list of its index names, so that a new one is not forgotten."""
    named = index.split()
    return [page.stem for page in sorted(folder.glob("*.md")) if page.stem not in (*named, "index")]


def without_substitutions(
    app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]
) -> None:
    """Bars in docstrings are absolute values."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def write_front(app: Sphinx, error: Exception | None) -> None:
    """The site is opened by its index.html, while its first page lies in docs/."""
    if error is None and app.builder.format == "html":
        Path(app.outdir, "index.html").write_text(FRONT.format(app.config.root_doc))
