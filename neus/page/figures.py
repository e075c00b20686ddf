"""The rows of the page's table: one for each scan and method, with the papers' beside ours."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, stdev
from typing import Any

from neus.tables import Published

LESS, MORE = "less", "more"
COLUMNS: dict[str, tuple[str, str, int]] = {
    "chamfer": ("Chamfer", LESS, 3),
    "accuracy": ("Accuracy", LESS, 3),
    "completeness": ("Completeness", LESS, 3),
    "fscore": ("F-score", MORE, 3),
    "psnr": ("PSNR", MORE, 2),
    "psnr_masked": ("PSNR in mask", MORE, 2),
    "ssim": ("SSIM", MORE, 3),
    "mask_iou": ("Mask IoU", MORE, 3),
    "seconds": ("Minutes", LESS, 1),
    "peak_memory_gib": ("GiB", LESS, 2),
}
"""Heading of a figure, what is better, and its digits after the point."""


@dataclass
class PageRow:
    """Figures of a scan by a method, means over seeds.

    Attributes:
        culling: what was cut off the mesh first; empty for published figures.
        values, deviations: by the names of `COLUMNS`, lengths in ``unit``; deviations where there
            are several seeds.
        difference: of the Chamfer distance, as a share of that of the method it is compared to.
        compared: the name of that method.
        best: the names of figures that are best among those of the scan.
        reason: why there is no distance.
        origin: of the column of the table.
    """

    scan: str
    method: str
    culling: str
    seeds: int
    is_ours: bool
    unit: str = ""
    device: str = ""
    values: dict[str, float] = field(default_factory=dict)
    deviations: dict[str, float] = field(default_factory=dict)
    difference: float | None = None
    compared: str = ""
    best: set[str] = field(default_factory=set)
    reason: str = ""
    origin: str = ""


def page_rows(records: Sequence[Mapping[str, Any]], published: Published) -> list[PageRow]:
    """Rows by scan, ours first, then those of papers for scans measured by DTU's protocol.

    Args:
        records: of `neus.tables.collect_rows`, as dictionaries; missing figures are nan or None.
    """
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for record in records:
        groups.setdefault((record["scan"], record["method"], record["culling"]), []).append(record)
    ours = [_our_row(runs) for runs in groups.values()]
    scans = dict.fromkeys(row.scan for row in ours)
    masks = {(row["scan"], row["method"]): row.get("masks") for row in records}
    rows = []
    for scan in scans:
        of_scan = [row for row in ours if row.scan == scan]
        protocols = {(r.get("unit"), r.get("protocol")) for r in records if r["scan"] == scan}
        if ("mm", "dtu") in protocols and scan in published.scans:
            papers = _papers(published, scan)
        else:
            papers = []
        _compare(of_scan, papers, masks)
        _rank([*of_scan, *papers])
        rows += [*of_scan, *papers]
    return rows


def mean_rows(rows: Sequence[PageRow]) -> list[PageRow]:
    """Of each of our methods over its scans, where there are several; lengths of one unit alone."""
    groups: dict[tuple[str, str], list[PageRow]] = {}
    for row in rows:
        if row.is_ours:
            groups.setdefault((row.method, row.culling), []).append(row)
    return [_mean(group) for group in groups.values() if len(group) > 1]


def _mean(group: list[PageRow]) -> PageRow:
    units = {row.unit for row in group}
    values = {}
    for name in COLUMNS:
        found = [row.values[name] for row in group if name in row.values]
        is_length = name in ("chamfer", "accuracy", "completeness")
        if len(found) == len(group) and (len(units) == 1 or not is_length):
            values[name] = fmean(found)
    first = group[0]
    return PageRow(
        f"mean of {len(group)}",
        first.method,
        first.culling,
        first.seeds,
        is_ours=True,
        unit=first.unit if len(units) == 1 else "",
        values=values,
    )


def _our_row(runs: Sequence[Mapping[str, Any]]) -> PageRow:
    first = runs[0]
    row = PageRow(first["scan"], first["method"], first["culling"], len(runs), is_ours=True)
    for name in COLUMNS:
        found = [float(r[name]) for r in runs if _is_known(r.get(name))]
        if found:
            row.values[name] = fmean(found)
            row.deviations |= {name: stdev(found)} if len(found) > 1 else {}
    row.unit = _text(first.get("unit"))
    row.reason = _text(first.get("reason"))
    row.origin = _text(first.get("origin"))
    devices = dict.fromkeys(text for r in runs if (text := _text(r.get("device"))))
    row.device = re.sub(r"\((R|TM)\)", "", ", ".join(devices))
    return row


def _papers(published: Published, scan: str) -> list[PageRow]:
    rows = []
    for entry in published.rows:
        name = f"{entry.method}, masks" if entry.masks == "yes" else entry.method
        name += "†" if entry.from_memory else ""
        row = PageRow(scan, name, "", 0, is_ours=False, unit="mm", device=entry.gpu)
        if _is_known(entry.values[scan]):
            row.values["chamfer"] = entry.values[scan]
            row.values |= {"seconds": 60 * entry.minutes} if _is_known(entry.minutes) else {}
            rows.append(row)
    return rows


def _compare(
    ours: list[PageRow],
    papers: list[PageRow],
    masks: Mapping[tuple[str, str], Any],
) -> None:
    """Chamfer distances against published NeuS, with masks or without, else our first method."""
    for row in ours:
        name = "NeuS, masks" if masks.get((row.scan, row.method)) == "yes" else "NeuS"
        others = [r for r in papers if r.method == name] or [r for r in ours[:1] if r is not row]
        known = [r for r in others if r.values.get("chamfer") and r.unit == row.unit]
        if known and "chamfer" in row.values:
            row.difference = row.values["chamfer"] / known[0].values["chamfer"] - 1
            row.compared = known[0].method + ("" if known[0].is_ours else " (paper)")


def _rank(rows: list[PageRow]) -> None:
    for name, (_, better, digits) in COLUMNS.items():
        found = {
            id(r): round(r.values[name] / (60 if name == "seconds" else 1), digits)
            for r in rows
            if name in r.values
        }
        if len(found) > 1:
            best = min(found.values()) if better == LESS else max(found.values())
            for row in rows:
                row.best |= {name} if found.get(id(row)) == best else set()


def _is_known(value: Any) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
