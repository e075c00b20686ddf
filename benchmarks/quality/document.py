"""The yardstick's table in markdown, from the records of runs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from benchmarks.quality.requests import BASELINE
from benchmarks.quality.scans import Scan
from benchmarks.quality.statistics import (
    Estimate,
    counts,
    difference,
    estimate,
    mean_over,
    seconds_until,
)
from benchmarks.quality.surface_figures import FEW, OPENNESS, VIEWS, names_of

Record = Mapping[str, Any]


def document(
    records: Sequence[Record], floors: Mapping[str, Record], scans: Sequence[Scan], heading: str
) -> str:
    """All tables: a row per scan and lever, the levers' means, and where the error lies.

    Args:
        records: of :func:`benchmarks.quality.runs.perform`.
        floors: figures of the exact surface, by scan.
        scans: in the order of the rows.
        heading: what stands above: the date, the machine, the command.
    """
    present = [scan for scan in scans if any(r["scan"] == scan.name for r in records)]
    parts = [heading, "## Each scan", table_of_scans(records, floors, present)]
    parts += ["## Levers", table_of_levers(records, floors, present)]
    parts += ["## Error by the number of training views that see a point"]
    parts += [NOTE_OF_PARTS, table_of_parts(records, present, "by_views", names_of(VIEWS))]
    parts += ["## Error by openness"]
    parts += [NOTE_OF_OPENNESS, table_of_parts(records, present, "by_openness", names_of(OPENNESS))]
    return "\n\n".join(parts) + "\n"


NOTE_OF_PARTS = """\
Each cell: completeness in mm / share of the scan's error. The error of a point of the mesh belongs
to the reference point next to it; a row's shares add up to 100 %."""
NOTE_OF_OPENNESS = """\
The same by the share of the cosine-weighted hemisphere over a point that is free of other surface:
a hollow has little, the open has 1."""


def of(records: Sequence[Record], scan: str, lever: str) -> list[Record]:
    return [r for r in records if r["scan"] == scan and r["lever"] == lever]


def levers_in(records: Sequence[Record]) -> list[str]:
    """In order of appearance, the baseline first."""
    names = dict.fromkeys(record["lever"] for record in records)
    return sorted(names, key=lambda name: name != BASELINE)


def table_of_scans(
    records: Sequence[Record], floors: Mapping[str, Record], scans: Sequence[Scan]
) -> str:
    head = ["scan", "lever", "seeds", "overall, mm", "accuracy", "completeness", "floor"]
    head += ["missed", f"{FEW} views, mm", f"error on {FEW}", "within 0.3 %"]
    head += ["PSNR, dB", "after affine fit"]
    head += ["seconds", "seconds to goal"]
    rows = []
    for scan in scans:
        for lever in levers_in(records):
            found = of(records, scan.name, lever)
            if found:
                rows.append(row_of_scan(scan, lever, found, floors[scan.name]))
    return markdown(head, rows)


def row_of_scan(scan: Scan, lever: str, found: Sequence[Record], floor: Record) -> list[str]:
    def over(value: Callable[[Record], float | None]) -> Estimate:
        return estimate(v for r in found if (v := value(r)) is not None)

    times = [seconds_until(record["curve"], scan.goal) for record in found]
    reached = [time for time in times if time is not None]
    to_goal = f"{estimate(reached).mean:.0f}" if len(reached) == len(found) else "not reached"
    few = over(lambda r: r["surface"]["by_views"][FEW]["completeness"])
    share = over(lambda r: r["surface"]["by_views"][FEW]["share_of_error"])
    return [
        scan.name + (" (apart)" if scan.group == "apart" else ""),
        lever,
        str(len(found)),
        str(over(lambda r: r["surface"]["overall"])),
        f"{over(lambda r: r['surface']['accuracy']).mean:.3f}",
        f"{over(lambda r: r['surface']['completeness']).mean:.3f}",
        f"{floor['overall']:.3f}",
        percent(over(lambda r: r["surface"]["missed"]).mean),
        f"{few.mean:.2f}",
        percent(share.mean),
        percent(over(lambda r: r["surface"]["within"]).mean),
        f"{over(lambda r: r['views']['psnr']).mean:.2f}",
        f"{over(lambda r: r['views']['psnr_affine']).mean:.2f}",
        f"{over(lambda r: r['seconds']).mean:.0f}",
        f"{to_goal} ({scan.goal:g} mm)",
    ]


def table_of_levers(
    records: Sequence[Record], floors: Mapping[str, Record], scans: Sequence[Scan]
) -> str:
    """Means over the scans that count, tuned and apart, and their differences to the baseline."""
    base = {
        scan.name: estimate(r["surface"]["overall"] for r in of(records, scan.name, BASELINE)).mean
        for scan in scans
        if of(records, scan.name, BASELINE)
    }
    counting = counts(base, {name: floors[name]["overall"] for name in base})
    left_out = sorted(name for name, does in counting.items() if not does)
    rows = []
    for lever in levers_in(records):
        for group, label in (("tuned", "all but those apart"), ("apart", "apart")):
            names = [s.name for s in scans if s.group == group and counting.get(s.name, False)]
            names = [name for name in names if of(records, name, lever)]
            if names:
                rows.append(row_of_lever(records, lever, label, names))
    head = ["lever", "scans", "mean overall, mm", "less the baseline", f"{FEW} views, mm"]
    head += ["less the baseline", "mean PSNR after affine fit, dB", "less the baseline"]
    sentence = "Means over the scans that every lever of a row has run on, with standard errors."
    if left_out:
        sentence += (
            f" Within 20 % of the floor from the start, and not counted: {', '.join(left_out)}."
        )
    return sentence + "\n\n" + markdown(head, rows)


def row_of_lever(
    records: Sequence[Record], lever: str, label: str, names: Sequence[str]
) -> list[str]:
    values: tuple[Callable[[Record], float], ...] = (
        lambda r: r["surface"]["overall"],
        lambda r: r["surface"]["by_views"][FEW]["completeness"],
        lambda r: r["views"]["psnr_affine"],
    )
    row = [lever, f"{label}: {', '.join(names)}"]
    for value in values:
        ours = {name: [value(r) for r in of(records, name, lever)] for name in names}
        theirs = {name: [value(r) for r in of(records, name, BASELINE)] for name in names}
        row.append(str(mean_over([estimate(v) for v in ours.values()])))
        gained = mean_over([difference(ours[name], theirs[name]) for name in names])
        row.append("" if lever == BASELINE else signed(gained))
    return row


def table_of_parts(
    records: Sequence[Record], scans: Sequence[Scan], key: str, names: Sequence[str]
) -> str:
    rows = []
    for scan in scans:
        for lever in levers_in(records):
            found = of(records, scan.name, lever)
            if not found:
                continue
            row = [scan.name, lever]
            for name in names:
                parts = [record["surface"][key][name] for record in found]
                off = [p["completeness"] for p in parts if p["completeness"] is not None]
                share = estimate(p["share_of_error"] for p in parts).mean
                row.append(f"{estimate(off).mean:.2f} / {percent(share)}" if off else "-")
            rows.append(row)
    return markdown(["scan", "lever", *names], rows)


def percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.0f} %"


def signed(value: Estimate) -> str:
    text = str(value)
    return text if text.startswith("-") else f"+{text}"


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])
