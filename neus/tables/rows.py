"""Figures of all runs as rows of a data frame, and as a table."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

import pandas as pd

from neus.errors import InputError
from neus.files import written_whole
from neus.tables.formats import Cell, Table, significant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

VIEW_FIGURES = ("psnr", "psnr_masked", "ssim", "mask_iou")
DISTANCES = ("accuracy", "completeness", "chamfer")
SHARES = ("fscore", "normal_consistency")
TRAIN_FIGURES = ("train_seconds", "steps", "samples_per_second", "peak_memory_gib")
IMAGE_COUNTS = ("images_train", "images_test")
NUMBERS = (*VIEW_FIGURES, *DISTANCES, *SHARES, *TRAIN_FIGURES, *IMAGE_COUNTS)
WHOLE_NUMBERS = ("seed", "steps", *IMAGE_COUNTS)
COLUMNS = (
    *("scan", "method", "seed"),
    *VIEW_FIGURES,
    *DISTANCES,
    *("unit", "protocol"),
    *SHARES,
    *TRAIN_FIGURES,
    "device",
    *IMAGE_COUNTS,
)
MEAN = "mean"
"""In the column ``scan``: the mean over all runs of a method."""

FORMATS: dict[str, tuple[str, str, Callable[[Any], str]]] = {
    "scan": ("scan", "l", str),
    "method": ("method", "l", str),
    "seed": ("seed", "r", str),
    "psnr": ("PSNR", "r", "{:.2f}".format),
    "psnr_masked": ("PSNR in mask", "r", "{:.2f}".format),
    "ssim": ("SSIM", "r", "{:.3f}".format),
    "mask_iou": ("mask IoU", "r", "{:.3f}".format),
    "accuracy": ("accuracy", "r", lambda value: significant(value, 3)),
    "completeness": ("completeness", "r", lambda value: significant(value, 3)),
    "chamfer": ("Chamfer", "r", lambda value: significant(value, 3)),
    "unit": ("unit", "l", str),
    "protocol": ("protocol", "l", str),
    "fscore": ("F-score", "r", "{:.3f}".format),
    "normal_consistency": ("normals", "r", "{:.3f}".format),
    "train_seconds": ("seconds", "r", "{:.0f}".format),
    "steps": ("steps", "r", str),
    "samples_per_second": ("samples/s", "r", "{:,.0f}".format),
    "peak_memory_gib": ("GiB", "r", "{:.2f}".format),
    "device": ("device", "l", str),
    "images_train": ("trained on", "r", str),
    "images_test": ("held out", "r", str),
}
"""Heading, alignment and digits of each column."""


@dataclass(frozen=True)
class Run:
    """One trained model and the files that hold its figures; None where it has none of a kind."""

    scan: str
    method: str
    seed: int
    views: Path | None = None
    mesh: Path | None = None
    train: Path | None = None

    @classmethod
    def from_folder(cls, folder: Path) -> Run:
        """The run in ``{scan}/{method}/seed{seed}``, with those files that lie there.

        Raises:
            InputError: the folder is missing or is not named so.
        """
        found = re.fullmatch(r"seed(\d+)", folder.name)
        if found is None or not folder.is_dir():
            raise InputError(f"{folder}: no folder of a run; name one as SCAN/METHOD/seedN")
        folder = folder.absolute()
        paths = (folder / f"{kind}.json" for kind in ("views", "mesh", "train"))
        views, mesh, train = (path if path.is_file() else None for path in paths)
        scan, method = folder.parent.parent.name, folder.parent.name
        return cls(scan, method, int(found[1]), views, mesh, train)


def collect_rows(runs: Sequence[Run | Path]) -> pd.DataFrame:
    """One row per run in the order given, then one mean per method over all its runs.

    A figure that a run lacks is an empty cell. A mean stands only where every run of the method has
    the figure; distances also need the same unit and protocol throughout. Whole numbers stay whole
    in the means.

    Args:
        runs: runs, or the folders of runs.

    Returns:
        The columns `COLUMNS`; distances in ``unit``, PSNR in dB, times in seconds.

    Raises:
        InputError: no runs, two runs of the same scan, method and seed, or a file that is missing
            or holds something else than figures.
    """
    named = [run if isinstance(run, Run) else Run.from_folder(run) for run in runs]
    if not named:
        raise InputError("there are no runs to put into a table: name at least one")
    keys = [(run.scan, run.method, run.seed) for run in named]
    for key in keys:
        if keys.count(key) > 1:
            raise InputError("scan {}, method {}, seed {} is given twice: drop one".format(*key))
        if key[0] == MEAN:
            raise InputError(f"no scan may be called {MEAN!r}, as the means are: rename it")
    records = [_record(run) for run in named]
    methods = dict.fromkeys(run.method for run in named)
    means = [_mean_record([row for row in records if row["method"] == name]) for name in methods]
    columns = {name: pd.Series([row.get(name) for row in records + means]) for name in COLUMNS}
    for name in NUMBERS:
        columns[name] = columns[name].astype("float64")
    for name in WHOLE_NUMBERS:
        columns[name] = columns[name].astype("Float64").round().astype("Int64")
    return pd.DataFrame(columns)


def results_table(rows: pd.DataFrame) -> Table:
    """The rows with sensible digits, without the columns that are empty throughout."""
    shown = [name for name in FORMATS if rows[name].notna().to_numpy().any()]
    return Table(
        headings=tuple(FORMATS[name][0] for name in shown),
        alignments="".join(FORMATS[name][1] for name in shown),
        rows=tuple(
            tuple(Cell("" if pd.isna(row[name]) else FORMATS[name][2](row[name])) for name in shown)
            for row in rows.to_dict("records")
        ),
    )


def write_csv(rows: pd.DataFrame, path: Path) -> None:
    """All columns and all digits, with empty cells for what is missing."""
    with written_whole(path) as partial:
        rows.to_csv(partial, index=False)


def _record(run: Run) -> dict[str, Any]:
    views, mesh, train = (_read(path) for path in (run.views, run.mesh, run.train))
    record: dict[str, Any] = {"scan": run.scan, "method": run.method, "seed": run.seed}
    sources = (
        (run.views, views, (*VIEW_FIGURES, *IMAGE_COUNTS)),
        (run.mesh, mesh, (*DISTANCES, *SHARES)),
        (run.train, train, TRAIN_FIGURES),
    )
    for path, content, names in sources:
        record |= {name: _number(content.get(name), name, path) for name in names}
    return {
        **record,
        "unit": mesh.get("unit"),
        "protocol": mesh.get("protocol"),
        "device": train.get("device"),
    }


def _mean_record(records: list[dict[str, Any]]) -> dict[str, Any]:
    mean: dict[str, Any] = {"scan": MEAN, "method": records[0]["method"]}
    for name in NUMBERS:
        values = [record[name] for record in records]
        mean[name] = None if None in values else fmean(values)
    for name in ("unit", "protocol", "device"):
        values = {record[name] for record in records}
        mean[name] = values.pop() if len(values) == 1 else None
    if mean["unit"] is None or mean["protocol"] is None:
        mean |= dict.fromkeys(("unit", "protocol", *DISTANCES))
    return mean


def _read(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: is no readable JSON ({error}); evaluate the run anew") from error
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no figures by name; evaluate the run anew")
    return content


def _number(value: Any, name: str, path: Path | None) -> float | None:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise InputError(f"{path}: {name} is {value!r}, not a number; evaluate the run anew")
