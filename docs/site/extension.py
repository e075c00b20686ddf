"""Fills the pages of the site with what is made from the code, as an extension of Sphinx."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sphinx.domains.python import PyAttribute

from docs.site.formulas import add_formulas
from docs.site.pages import each_by_itself, filled
from docs.site.rooms import write_rooms

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FRONT = '<meta http-equiv="refresh" content="0; url={0}.html"><a href="{0}.html">neus</a>\n'


def setup(app: Sphinx) -> dict[str, Any]:
    add_formulas(app)
    for kind in PyAttribute.doc_field_types:  # of all kinds of objects: they share the list
        if kind.name == "variable":
            kind.label = "Attributes"
    app.connect("builder-inited", lambda app: write_rooms(Path(app.srcdir)))
    app.connect("source-read", fill)
    app.connect("autodoc-process-docstring", for_napoleon, priority=400)  # before it
    app.connect("build-finished", write_front)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    source[0] = filled(source[0], Path(app.env.doc2path(name)).parent)


def for_napoleon(
    app: Sphinx, what: str, name: str, found: Any, options: Any, lines: list[str]
) -> None:
    """Bars are absolute values; a line that says two things of one kind is one for each."""
    lines[:] = each_by_itself([line.replace("|", r"\|") for line in lines])


def write_front(app: Sphinx, error: Exception | None) -> None:
    """The site is opened by its index.html, while its first page lies in docs/."""
    if error is None and app.builder.format == "html":
        Path(app.outdir, "index.html").write_text(FRONT.format(app.config.root_doc))
