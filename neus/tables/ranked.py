"""Published figures and ours in one table: scans as columns, the best two of each ranked."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Literal

from neus.tables.formats import Cell, Table
from neus.tables.published import PUBLISHED, BenchmarkRow


def ranked_table(
    entries: Sequence[BenchmarkRow],
    scans: tuple[str, ...],
    notes: Sequence[str],
    *,
    less_is_better: bool,
) -> Table:
    """A row for each method.

    Args:
        notes: sentences to set below, before those on marks and sources.
    """
    columns = (*scans, "mean") if len(scans) > 1 else scans
    ranks = {name: _ranks([e.values[name] for e in entries], less_is_better) for name in columns}
    culled = any(entry.culling for entry in entries)
    stand_apart = len({entry.figures == PUBLISHED for entry in entries}) > 1
    cells = [
        (
            Cell(f"{entry.method}†" if entry.from_memory else entry.method),
            *([Cell(entry.figures)] if stand_apart else []),
            Cell(entry.masks),
            *([Cell(entry.culling)] if culled else []),
            *(Cell(_value(entry, name), ranks[name][i]) for name in columns),
            Cell(_minutes(entry.minutes)),
            Cell(entry.gpu),
        )
        for i, entry in enumerate(entries)
    ]
    names = (re.sub(r"^scan(?=\d+$)", "", name) for name in columns)
    return Table(
        headings=(
            *("method", *(["figures"] if stand_apart else []), "masks"),
            *(*(["culling"] if culled else []), *names, "minutes", "GPU"),
        ),
        alignments="ll" + "l" * (stand_apart + culled) + "r" * len(columns) + "rl",
        rows=tuple(cells),
        notes=(*notes, *_notes(entries)),
    )


def _ranks(values: Sequence[float], less_is_better: bool) -> list[Literal["", "best", "second"]]:
    """Of one method alone nothing is said."""
    shown = [round(value, 2) for value in values]
    known = {value for value in shown if not math.isnan(value)}
    if len(shown) < 2:
        return [""] * len(shown)
    best, second, *_ = [*sorted(known, reverse=not less_is_better), math.nan, math.nan]
    return ["best" if v == best else "second" if v == second else "" for v in shown]


def _value(entry: BenchmarkRow, name: str) -> str:
    if math.isnan(entry.values[name]):
        return ""
    value = f"{entry.values[name]:.2f}"
    return f"{value} ± {entry.deviations[name]:.2f}" if name in entry.deviations else value


def _minutes(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.1f}".removesuffix(".0")


def _notes(entries: Sequence[BenchmarkRow]) -> list[str]:
    """What the marks in a table mean, and where its published figures stand."""
    notes = []
    if any(entry.deviations for entry in entries):
        notes.append("Ours: mean over seeds ± sample standard deviation.")
    if any(entry.from_memory for entry in entries):
        notes.append("† not checked in the source itself.")
    methods: dict[str, list[str]] = {}
    for entry in entries:
        if entry.source:
            name = f"{entry.method} with masks" if entry.masks == "yes" else entry.method
            methods.setdefault(entry.source, []).append(name)
    listed = (f"{', '.join(names)}: {source}." for source, names in methods.items())
    return [*notes, f"Sources. {' '.join(listed)}"] if methods else notes
