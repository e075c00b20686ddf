"""The papers' layout: scans as columns, published methods and ours as rows."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import TYPE_CHECKING, Any, Literal

from neus.errors import InputError
from neus.tables.formats import Cell, Table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

DETAILS = ("method", "masks", "mean", "minutes", "gpu", "source", "read")


@dataclass(frozen=True)
class BenchmarkRow:
    """One method on a benchmark.

    Attributes:
        values: Chamfer distance in mm by scan, and under ``mean``; ``nan`` where there is none.
        deviations: of ``values`` over the seeds, where there are several.
        masks: ``yes``, ``no`` or empty where it is not known.
        source: where published figures stand; empty for ours.
        from_memory: whether they were put down from memory and not read in the source.
    """

    method: str
    masks: str
    values: Mapping[str, float]
    deviations: Mapping[str, float]
    minutes: float
    gpu: str
    source: str = ""
    from_memory: bool = False


@dataclass(frozen=True)
class Published:
    """The benchmark's scans and the published methods, both in the order of the file."""

    scans: tuple[str, ...]
    rows: tuple[BenchmarkRow, ...]


def load_published(path: Path) -> Published:
    """Read a CSV file with a row per method and the columns ``method, masks, (scans), mean,
    minutes, gpu, source, read``; every column of another name is a scan.

    Raises:
        InputError: the file cannot be read, lacks a column or has a cell that is no number.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no readable CSV file ({error}); restore it") from error
    names = list(lines[0]) if lines else []
    missing = [name for name in DETAILS if name not in names]
    if missing:
        raise InputError(f"{path}: lacks the columns {', '.join(missing)}; add them")
    scans = tuple(name for name in names if name not in DETAILS)
    for line in lines:
        if line["read"] not in ("yes", "no"):
            raise InputError(f"{path}: read of {line['method']} must be yes or no")
    return Published(scans, tuple(_published_row(line, scans, path) for line in lines))


def benchmark_table(
    rows: pd.DataFrame, published: Published, uses_masks: Mapping[str, bool]
) -> Table | None:
    """Published rows, then ours: mean over seeds, with the standard deviation where there are more.

    Our mean is over the seeds with which every scan of the benchmark was run. In each column the
    best and the second-best value, as shown to two decimals, are ranked.

    Args:
        rows: of `collect_rows`.
        uses_masks: whether a method of ours was trained with masks; left open where it is absent.

    Returns:
        None where none of our rows follows the DTU protocol in mm on a scan of the benchmark.
    """
    ours: dict[str, list[dict[Any, Any]]] = {}
    for row in rows.to_dict("records"):
        is_dtu = row["scan"] in published.scans and (row["unit"], row["protocol"]) == ("mm", "dtu")
        if is_dtu and not math.isnan(row["chamfer"]):
            ours.setdefault(row["method"], []).append(row)
    if not ours:
        return None
    entries = [
        *published.rows,
        *(_our_row(name, part, published.scans, uses_masks) for name, part in ours.items()),
    ]
    columns = (*published.scans, "mean")
    ranks = {name: _ranks([entry.values[name] for entry in entries]) for name in columns}
    cells = [
        (
            Cell(f"{entry.method}†" if entry.from_memory else entry.method),
            Cell(entry.masks),
            *(Cell(_distance(entry, name), ranks[name][i]) for name in columns),
            Cell(_minutes(entry.minutes)),
            Cell(entry.gpu),
        )
        for i, entry in enumerate(entries)
    ]
    scans = (name.removeprefix("scan") for name in published.scans)
    return Table(
        headings=("method", "masks", *scans, "mean", "minutes", "GPU"),
        alignments="ll" + "r" * len(columns) + "rl",
        rows=tuple(cells),
        notes=_notes(published, any(entry.deviations for entry in entries)),
    )


def _published_row(line: dict[str, str], scans: tuple[str, ...], path: Path) -> BenchmarkRow:
    try:
        values = {name: float(line[name] or "nan") for name in (*scans, "mean")}
        minutes = float(line["minutes"] or "nan")
    except (TypeError, ValueError) as error:
        raise InputError(
            f"{path}: {line['method']} has a cell that is no number: {error}"
        ) from error
    return BenchmarkRow(
        line["method"],
        line["masks"],
        values,
        {},
        minutes,
        line["gpu"],
        source=line["source"],
        from_memory=line["read"] == "no",
    )


def _our_row(
    method: str,
    rows: Sequence[Mapping[Any, Any]],
    scans: tuple[str, ...],
    uses_masks: Mapping[str, bool],
) -> BenchmarkRow:
    chamfer = {name: [row["chamfer"] for row in rows if row["scan"] == name] for name in scans}
    chamfer["mean"] = _means_of_complete_seeds(rows, scans)
    values = {name: fmean(found) if found else math.nan for name, found in chamfer.items()}
    deviations = {name: stdev(found) for name, found in chamfer.items() if len(found) > 1}
    devices = {row["device"] for row in rows if isinstance(row["device"], str)}
    return BenchmarkRow(
        method=f"{method} (ours)",
        masks={True: "yes", False: "no", None: ""}[uses_masks.get(method)],
        values=values,
        deviations=deviations,
        minutes=fmean(row["train_seconds"] for row in rows) / 60,
        gpu=", ".join(sorted(devices)),
    )


def _means_of_complete_seeds(
    rows: Sequence[Mapping[Any, Any]], scans: tuple[str, ...]
) -> list[float]:
    """Mean over the scans for each seed with which every scan was run."""
    by_seed: dict[int, list[float]] = {}
    for row in rows:
        by_seed.setdefault(row["seed"], []).append(row["chamfer"])
    return [fmean(values) for values in by_seed.values() if len(values) == len(scans)]


def _ranks(values: Sequence[float]) -> list[Literal["", "best", "second"]]:
    shown = [round(value, 2) for value in values]
    distinct = sorted({value for value in shown if not math.isnan(value)})
    return [
        "best" if value in distinct[:1] else "second" if value in distinct[1:2] else ""
        for value in shown
    ]


def _distance(entry: BenchmarkRow, name: str) -> str:
    if math.isnan(entry.values[name]):
        return ""
    value = f"{entry.values[name]:.2f}"
    return f"{value} ± {entry.deviations[name]:.2f}" if name in entry.deviations else value


def _minutes(value: float) -> str:
    if math.isnan(value):
        return ""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _notes(published: Published, with_deviations: bool) -> tuple[str, ...]:
    notes = ["Chamfer distance in mm under the DTU protocol."]
    if with_deviations:
        notes.append("Ours: mean over seeds ± sample standard deviation.")
    if any(row.from_memory for row in published.rows):
        notes.append("† from memory, not checked in the source.")
    methods: dict[str, list[str]] = {}
    for row in published.rows:
        name = f"{row.method} with masks" if row.masks == "yes" else row.method
        methods.setdefault(row.source, []).append(name)
    listed = (f"{', '.join(names)}: {source}." for source, names in methods.items())
    notes.append(f"Sources. {' '.join(listed)}")
    return tuple(notes)
