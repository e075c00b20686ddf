"""Means and standard deviations over seeds, and means over scans."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Any

import pandas as pd

from neus.tables.rows import DISTANCES, GROUP, MEAN, NUMBERS, STD, TEXTS, as_frame

Record = dict[str, Any]


def summaries(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows to set below those of `collect_rows`, for each method, budget and culling.

    Where a scan was run with several seeds, their mean and their sample standard deviation (in the
    column ``seed``); where there are several scans, the mean over them, ``scan`` being `MEAN`, of
    the seeds with which every scan was run, and the deviation of these means over the seeds.

    A figure that one of the runs lacks has no mean, and distances have none where units or
    protocols differ.
    """
    known = rows.astype(object).where(rows.notna(), None).to_dict("records")
    groups: dict[tuple[str | None, ...], list[Record]] = {}
    for record in known:
        groups.setdefault(tuple(record[name] for name in GROUP), []).append(record)
    return as_frame([row for group in groups.values() for row in _of_group(group)])


def complete_seeds(records: Sequence[Record], scans: Sequence[str]) -> dict[str, list[Record]]:
    """The runs of each seed with which every one of the scans was run, in the order of scans."""
    by_key = {(record["seed"], record["scan"]): record for record in records}
    seeds = dict.fromkeys(record["seed"] for record in records)
    return {
        seed: [by_key[seed, scan] for scan in scans]
        for seed in seeds
        if all((seed, scan) in by_key for scan in scans)
    }


def _of_group(records: list[Record]) -> list[Record]:
    scans = list(dict.fromkeys(record["scan"] for record in records))
    found = []
    for scan in scans:
        found += _over_seeds([record for record in records if record["scan"] == scan])
    if len(scans) > 1:
        complete = complete_seeds(records, scans).values()
        means = [_joined(runs, fmean) | {"scan": MEAN, "seed": MEAN} for runs in complete]
        found += _over_seeds(means) if len(means) > 1 else means
    return found


def _over_seeds(records: list[Record]) -> list[Record]:
    if len(records) < 2:
        return []
    return [
        _joined(records, fmean) | {"seed": MEAN},
        _joined(records, stdev) | {"seed": STD},
    ]


def _joined(records: list[Record], join: Callable[[list[float]], float]) -> Record:
    joined = {name: records[0][name] for name in ("scan", *GROUP)}
    for name in NUMBERS:
        values = [record[name] for record in records]
        joined[name] = None if None in values else join([float(value) for value in values])
    for name in TEXTS:
        values = {record[name] for record in records}
        joined[name] = values.pop() if len(values) == 1 else None
    if joined["unit"] is None or joined["protocol"] is None:
        joined |= dict.fromkeys(("unit", "protocol", *DISTANCES))
    return joined
