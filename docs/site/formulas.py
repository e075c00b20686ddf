"""Formulas as MathML, which browsers set themselves: no script, no network, no pictures.

What a browser needs is a font that knows how; STIX Two Math comes with the package ``ziamath``.
"""

from __future__ import annotations

import re
import shutil
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FONT = "STIXTwoMath-Regular.ttf"
BOLD = re.compile(r'<mi mathvariant="bold">([A-Za-z])</mi>')
"""Browsers leave this attribute to letters that are bold by themselves."""


def add_formulas(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (in_line, None), (displayed, None))
    app.connect("build-finished", copy_font)


def mathml(latex: str, display: str = "inline") -> str:
    return BOLD.sub(lambda found: f"<mi>{bold(found[1])}</mi>", convert(latex, display=display))


def bold(letter: str) -> str:
    """The letter among Unicode's mathematical ones."""
    return chr(0x1D400 + ord(letter) - ord("A") - 6 * letter.islower())


def in_line(writer: Any, node: nodes.math) -> None:
    writer.body.append(mathml(node.astext()))
    raise nodes.SkipNode


def displayed(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({node["number"]})</span>')
    writer.body.append(mathml(node.astext(), "block") + "</div>")
    raise nodes.SkipNode


def copy_font(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        with as_file(files("ziamath") / "fonts" / FONT) as font:
            shutil.copy(font, Path(app.outdir, "_static", FONT))
