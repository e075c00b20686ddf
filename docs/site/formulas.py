"""Formulas as MathML, which browsers set themselves: no script, no network, no pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from latex2mathml.converter import convert

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def add_formulas(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (in_line, None), (displayed, None))


def in_line(writer: Any, node: nodes.math) -> None:
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def displayed(writer: Any, node: nodes.math_block) -> None:
    writer.body.append(writer.starttag(node, "div", CLASS="math"))
    if node["number"]:
        writer.body.append(f'<span class="eqno">({node["number"]})</span>')
    writer.body.append(convert(node.astext(), display="block") + "</div>")
    raise nodes.SkipNode
