"""Published figures of a benchmark, as they stand in config/published."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from neus.errors import InputError

PUBLISHED = "published"
"""Where a figure is from; others were run or measured here."""
DETAILS = ("method", "masks", "mean", "minutes", "gpu", "source", "read")


@dataclass(frozen=True)
class BenchmarkRow:
    """One method on the scans of a table, published or ours.

    Attributes:
        values: one figure by scan, and under ``mean``; ``nan`` where there is none.
        deviations: of ``values`` over the seeds, where there are several.
        masks: ``yes``, ``no`` or empty where it is not known.
        culling: what was cut off the mesh; empty where it is not known or does not matter.
        source: where published figures stand; empty for ours.
        from_memory: whether they were put down from memory and not read in the source.
        figures: ``published``, ``run here``, or ``measured here`` of a mesh that existed already.
    """

    method: str
    masks: str
    values: Mapping[str, float]
    minutes: float
    gpu: str
    deviations: Mapping[str, float] = field(default_factory=dict)
    culling: str = ""
    source: str = ""
    from_memory: bool = False
    figures: str = PUBLISHED


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
        minutes,
        line["gpu"],
        source=line["source"],
        from_memory=line["read"] == "no",
    )
