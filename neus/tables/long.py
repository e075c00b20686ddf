"""All figures of all runs, a row for each: broad for files, narrow for a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd

from neus.tables.formats import Cell, Table, significant
from neus.tables.rows import GROUP, HASHES
from neus.tables.trainings import is_apart, trainings

FORMATS: dict[str, tuple[str, str, Callable[[Any], str]]] = {
    "scan": ("scan", "l", str),
    "method": ("method", "l", str),
    "culling": ("culling", "l", str),
    "seed": ("seed", "r", str),
    "psnr": ("PSNR", "r", "{:.2f}".format),
    "psnr_train": ("PSNR train", "r", "{:.2f}".format),
    "psnr_masked": ("PSNR in mask", "r", "{:.2f}".format),
    "ssim": ("SSIM", "r", "{:.3f}".format),
    "mask_iou": ("mask IoU", "r", "{:.3f}".format),
    "background": ("background", "l", str),
    "accuracy": ("accuracy", "r", lambda value: significant(value, 3)),
    "completeness": ("completeness", "r", lambda value: significant(value, 3)),
    "chamfer": ("Chamfer", "r", lambda value: significant(value, 3)),
    "unit": ("unit", "l", str),
    "protocol": ("protocol", "l", str),
    "fscore": ("F-score", "r", "{:.3f}".format),
    "normal_consistency": ("normals", "r", "{:.3f}".format),
    "seconds": ("seconds", "r", "{:.0f}".format),
    "stereo_seconds": ("of them stereo", "r", "{:.0f}".format),
    "steps": ("steps", "r", str),
    "samples_per_second": ("samples/s", "r", "{:,.0f}".format),
    "peak_memory_gib": ("GiB", "r", "{:.2f}".format),
    "budget": ("budget", "l", str),
    "device": ("device", "l", str),
    "images_train": ("trained on", "r", str),
    "images_train_views": ("trained on for views", "r", str),
    "images_test": ("held out", "r", str),
    "origin": ("origin", "l", str),
    "commit": ("commit", "l", str),
    "mesh_sha256": ("mesh", "l", str),
    "views_json": ("views.json", "l", str),
    "mesh_json": ("mesh.json", "l", str),
    "train_json": ("train.json", "l", str),
}
"""Heading, alignment and digits of each column."""
FILES = ("scan", *GROUP[:3], "seed", "origin", "commit", "device", *HASHES)
"""Columns that say where a row comes from, and tell its files by their hashes."""
FIGURES = tuple(name for name in FORMATS if name not in ("origin", "commit", *HASHES))
MAIN = (
    *("scan", "method", "budget", "culling", "seed", "psnr", "psnr_train", "ssim"),
    *("chamfer", "unit", "fscore", "seconds"),
)
"""Columns that fit a terminal."""


def results_table(rows: pd.DataFrame, names: tuple[str, ...] = FIGURES) -> Table:
    """Rows with sensible digits, without columns that are empty or, for culling, none throughout.

    Which training each figure is of stands below, and in a column where there are two. A budget
    that all have stands below, too, where not every column is shown.

    Args:
        names: the columns to show, of `FORMATS`.
    """
    needless = set()
    if not set(rows["culling"]) - {"none"}:
        needless.add("culling")
    if not any(is_apart(row) for row in rows.to_dict("records")):
        needless.add("images_train_views")
    budgets, notes = rows["budget"].dropna().unique().tolist(), trainings(rows)
    if len(budgets) == 1 and "budget" in names and names == MAIN:
        needless.add("budget")
        notes.append(f"Budget: {budgets[0]}.")
    shown = [name for name in names if rows[name].notna().to_numpy().any() and name not in needless]
    return Table(
        headings=tuple(FORMATS[name][0] for name in shown),
        alignments="".join(FORMATS[name][1] for name in shown),
        rows=tuple(
            tuple(Cell("" if pd.isna(row[name]) else FORMATS[name][2](row[name])) for name in shown)
            for row in rows.to_dict("records")
        ),
        notes=() if names == FILES else tuple(notes),
    )
