"""One table of text cells as Markdown, LaTeX (booktabs) or aligned plain text."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "±": r"$\pm$",
    "†": r"$^\dagger$",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


@dataclass(frozen=True)
class Cell:
    """Text of a table's cell, and whether it is the best or second-best of its column."""

    text: str
    rank: Literal["", "best", "second"] = ""


@dataclass(frozen=True)
class Table:
    """Headings, one alignment (``l`` or ``r``) per column, rows of cells, and sentences below."""

    headings: tuple[str, ...]
    alignments: str
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()


def significant(value: float, digits: int) -> str:
    """A number with that many significant digits, never in exponential notation."""
    if not math.isfinite(value) or value == 0:
        return f"{value:.{digits - 1}f}"
    exponent = math.floor(math.log10(float(f"{abs(value):.{digits - 1}e}")))
    return f"{value:.{max(0, digits - 1 - exponent)}f}"


def to_markdown(table: Table) -> str:
    """GitHub's Markdown: the best in bold, the second-best underlined."""
    ranked = {"": "{}", "best": "**{}**", "second": "<u>{}</u>"}
    lines = [
        [heading.replace("|", r"\|") for heading in table.headings],
        [":--" if alignment == "l" else "--:" for alignment in table.alignments],
        *(
            [ranked[cell.rank].format(cell.text.replace("|", r"\|")) for cell in row]
            for row in table.rows
        ),
    ]
    body = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    return "\n\n".join([body, *table.notes]) + "\n"


def to_latex(table: Table) -> str:
    """A ``tabular`` that needs the package booktabs; the notes follow it in small print."""
    ranked = {"": "{}", "best": r"\textbf{{{}}}", "second": r"\underline{{{}}}"}
    lines = [
        rf"\begin{{tabular}}{{{table.alignments}}}",
        r"\toprule",
        " & ".join(map(_escape_latex, table.headings)) + r" \\",
        r"\midrule",
        *(
            " & ".join(ranked[cell.rank].format(_escape_latex(cell.text)) for cell in row) + r" \\"
            for row in table.rows
        ),
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par{{\footnotesize {_escape_latex(note)}}}" for note in table.notes),
    ]
    return "\n".join(lines) + "\n"


def to_text(table: Table) -> str:
    """Aligned columns for a terminal: ``*`` after the best, ``+`` after the second-best."""
    is_ranked = any(cell.rank for row in table.rows for cell in row)
    suffixes = {"": " " if is_ranked else "", "best": "*", "second": "+"}
    lines = [
        list(table.headings),
        *([cell.text + suffixes[cell.rank] for cell in row] for row in table.rows),
    ]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    aligned = [
        "  ".join(
            text.ljust(width) if alignment == "l" else text.rjust(width)
            for text, width, alignment in zip(line, widths, table.alignments, strict=True)
        ).rstrip()
        for line in lines
    ]
    rule = "-" * max(map(len, aligned))
    return "\n".join([aligned[0], rule, *aligned[1:], *table.notes]) + "\n"


def _escape_latex(text: str) -> str:
    return "".join(LATEX.get(character, character) for character in text)
