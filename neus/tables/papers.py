"""The papers' layout: scans as columns, published methods and ours as rows, one figure a table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from neus.tables.formats import Table
from neus.tables.published import BenchmarkRow, Published
from neus.tables.ranked import ranked_table
from neus.tables.rows import GIVEN, GROUP, OURS, RUN_HERE
from neus.tables.summaries import complete_seeds
from neus.tables.trainings import learnt_from

TANKS = "tanks"
"""The protocol whose figure is the F-score."""


@dataclass(frozen=True)
class Section:
    """A table and its title."""

    title: str
    table: Table


NOTHING = Published((), ())


def papers_sections(
    rows: pd.DataFrame, published: Published, tanks: Published = NOTHING
) -> list[Section]:
    """Chamfer distance, a table for each unit and protocol, the F-score of Tanks and Temples, then
    PSNR of held-out and other views.

    Chamfer distances by DTU's protocol on scans of the benchmark stand beside the published ones.
    Values are means over seeds, with the sample standard deviation where there are several; our
    mean is over the seeds with which every scan was run. In each column the best and the
    second-best value, as shown to two decimals, are ranked.

    Args:
        rows: of `collect_rows`.
        published: Chamfer distances on DTU.
        tanks: F-scores on Tanks and Temples.
    """
    records: list[dict[str, Any]] = rows.to_dict("records")  # pyright: ignore
    groups: dict[tuple[str, str, bool], list[dict[str, Any]]] = {}
    for record in records:
        if not math.isnan(record["chamfer"]) and record["protocol"] != TANKS:
            unit, protocol = record["unit"] or "", record["protocol"] or ""
            is_benchmark = (unit, protocol) == ("mm", "dtu") and record["scan"] in published.scans
            groups.setdefault((unit, protocol, is_benchmark), []).append(record)
    sections = [
        _chamfer_section(group, unit, protocol, published if is_benchmark else Published((), ()))
        for (unit, protocol, is_benchmark), group in groups.items()
    ]
    of_tanks = [r for r in records if r["protocol"] == TANKS and not math.isnan(r["fscore"])]
    if of_tanks:
        sections.append(_fscore_section(of_tanks, tanks))
    for figure, which in (("psnr", "held-out"), ("psnr_train", "training")):
        measured = [record for record in records if not math.isnan(record[figure])]
        if measured:
            sections.append(_psnr_section(measured, figure, which))
    return sections


def _chamfer_section(
    records: list[dict[str, Any]], unit: str, protocol: str, published: Published
) -> Section:
    scans = published.scans or tuple(dict.fromkeys(record["scan"] for record in records))
    names = _names(records)
    ours = [
        _our_row(runs, "chamfer", scans, names[runs[0]["method"], runs[0]["budget"]])
        for runs in _grouped(records, GROUP)
    ]
    entries = [*published.rows, *ours]
    by = "DTU's protocol" if protocol == "dtu" else "distances to the reference surface"
    notes = [f"Chamfer distance in {unit or 'units of the source'}, by {by}; less is better."]
    notes += learnt_from(records, "images_train")
    if any(record["origin"] == GIVEN for record in records):
        notes.append("Given: a mesh that existed already, culled and measured here.")
    if any(record["origin"] == RUN_HERE for record in records):
        notes.append("Run here: a program of others, on the same images, card and clock.")
    if published.rows:
        notes.append("Culling: what was cut off the mesh before; see docs/dtu.md.")
    return Section(
        f"Chamfer distance, {unit}" if unit else "Chamfer distance",
        ranked_table(entries, scans, notes, less_is_better=True),
    )


def _fscore_section(records: list[dict[str, Any]], published: Published) -> Section:
    known = all(record["scan"] in published.scans for record in records)
    published = published if known else NOTHING
    scans = published.scans or tuple(dict.fromkeys(record["scan"] for record in records))
    names = _names(records)
    ours = [
        _our_row(runs, "fscore", scans, names[runs[0]["method"], runs[0]["budget"]])
        for runs in _grouped(records, GROUP)
    ]
    notes = [
        "F-score by the protocol of Tanks and Temples; more is better.",
        *learnt_from(records, "images_train"),
        "Ours are aligned by cameras alone; the toolbox of the published ones adds ICP.",
    ]
    table = ranked_table([*published.rows, *ours], scans, notes, less_is_better=False)
    return Section("F-score, Tanks and Temples", table)


def _psnr_section(records: list[dict[str, Any]], figure: str, which: str) -> Section:
    scans = tuple(dict.fromkeys(record["scan"] for record in records))
    names = _names(records)
    once = [same[0] for same in _grouped(records, ("scan", "seed", "method", "budget", "origin"))]
    methods = {  # the same views, however often the mesh was measured
        names[runs[0]["method"], runs[0]["budget"]]: runs
        for runs in _grouped(once, ("method", "budget", "origin"))
    }
    entries = [_our_row(runs, figure, scans, name, culled=False) for name, runs in methods.items()]
    held = {
        "held-out": "Views that training never saw.",
        "training": "Views that training saw, as most papers report them.",
    }[which]
    backgrounds = {
        name: ", ".join(dict.fromkeys(str(r["background"]) for r in runs if r["background"]))
        for name, runs in methods.items()
    }
    listed = "; ".join(
        f"{name.removesuffix(f' ({OURS})')}: {text}" for name, text in backgrounds.items() if text
    )
    notes = [f"PSNR in dB, more is better. {held}"]
    counted = {"psnr": "images_train_views", "psnr_train": "images_train"}[figure]
    notes += learnt_from(records, counted)
    notes += [f"Background behind the object: {listed}."] if listed else []
    table = ranked_table(entries, scans, notes, less_is_better=False)
    return Section(f"PSNR of {which} views, dB", table)


def _names(records: Sequence[dict[str, Any]]) -> dict[tuple[str, Any], str]:
    """What tables call a method and its budget, which is named where there are several."""
    budgets: dict[str, set[Any]] = {}
    for record in records:
        budgets.setdefault(record["method"], set()).add(record["budget"])
    return {
        (record["method"], record["budget"]): " ".join(
            [
                record["method"],
                *([record["budget"] or "method"] if len(budgets[record["method"]]) > 1 else []),
                f"({record['origin']})",
            ]
        )
        for record in records
    }


def _grouped(
    records: Sequence[dict[str, Any]], columns: Sequence[str]
) -> list[list[dict[str, Any]]]:
    """Records that are equal in some columns, in the order in which the first of them stand."""
    groups: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for record in records:
        groups.setdefault(tuple(record[name] for name in columns), []).append(record)
    return list(groups.values())


def _our_row(
    records: Sequence[dict[str, Any]],
    figure: str,
    scans: tuple[str, ...],
    name: str,
    *,
    culled: bool = True,
) -> BenchmarkRow:
    found = {scan: [r[figure] for r in records if r["scan"] == scan] for scan in scans}
    complete = complete_seeds(records, scans).values()
    found["mean"] = [fmean(record[figure] for record in runs) for runs in complete]
    seconds = [r["seconds"] for r in records if not math.isnan(r["seconds"])]
    return BenchmarkRow(
        method=name,
        masks=records[0]["masks"] or "",
        values={name: fmean(values) if values else math.nan for name, values in found.items()},
        deviations={name: stdev(values) for name, values in found.items() if len(values) > 1},
        minutes=fmean(seconds) / 60 if seconds else math.nan,
        gpu=", ".join(dict.fromkeys(r["device"] for r in records if isinstance(r["device"], str))),
        culling=records[0]["culling"] if culled else "",
        figures="measured here" if records[0]["origin"] == GIVEN else RUN_HERE,
    )
