"""Figures of all runs as rows of a data frame."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from neus.errors import InputError
from neus.files import written_whole

VIEW_FIGURES = ("psnr", "psnr_train", "psnr_masked", "ssim", "mask_iou")
DISTANCES = ("accuracy", "completeness", "chamfer")
SHARES = ("fscore", "normal_consistency")
TRAIN_FIGURES = (
    *("train_seconds", "stereo_seconds", "steps", "samples_per_second", "peak_memory_gib"),
)
IMAGE_COUNTS = ("images_train", "images_train_views", "images_test")
NUMBERS = (*VIEW_FIGURES, *DISTANCES, *SHARES, "seconds", *TRAIN_FIGURES, *IMAGE_COUNTS)
WHOLE_NUMBERS = ("steps", *IMAGE_COUNTS)
GROUP = ("method", "budget", "culling", "origin")
"""Columns that runs share whose figures have a mean."""
HASHES = ("mesh_sha256", "views_json", "mesh_json", "train_json")
TEXTS = ("masks", "background", "unit", "protocol", "device", "commit", *HASHES, "reason")
COLUMNS = (
    *("scan", "method", "masks", "culling", "seed"),
    *VIEW_FIGURES,
    "background",
    *DISTANCES,
    *("unit", "protocol"),
    *SHARES,
    "seconds",
    *TRAIN_FIGURES,
    "budget",
    "device",
    *IMAGE_COUNTS,
    *("origin", "commit", *HASHES),
    "reason",
)
"""Distances in ``unit``, PSNR in dB, times in seconds: ``seconds`` are those of training and of the
stereo that it rests on; ``reason``: why the mesh has no figures. ``origin`` is one of `ORIGINS`;
the columns `HASHES` tell the mesh and the files of figures apart, by the first digits of SHA-256.

The surface, its times and ``psnr_train`` are of a training on ``images_train`` images, the other
figures of views of one on ``images_train_views``: the same training, where the two are equal."""
MASKS: dict[Any, str] = {True: "yes", False: "no"}
OURS, GIVEN, RUN_HERE = "ours", "given", "run here"
ORIGINS = (OURS, GIVEN, RUN_HERE)
"""A method that was trained here, a mesh that existed already, or a program of others that was run
here, on the same scans, card and clock."""
DIGITS = 12
"""Of a hash, in tables."""
MEAN, STD = "mean", "std"
"""In the column ``scan`` or ``seed``: over all scans, over all seeds."""


@dataclass(frozen=True)
class Run:
    """One trained model, measured in one way, and the files that hold its figures, or None.

    A mesh that existed already has no seed, and ``placed`` is the record of where it came from.
    """

    scan: str
    method: str
    seed: int | None
    views: Path | None = None
    mesh: Path | None = None
    train: Path | None = None
    placed: Path | None = None

    @classmethod
    def named(cls, text: str) -> Run:
        """A trained one, as the command line has it: SCAN,METHOD,SEED and its three files."""
        scan, method, seed, views, mesh, train = text.split(",")
        return cls(scan, method, int(seed), Path(views), Path(mesh), Path(train))

    @classmethod
    def given(cls, text: str) -> Run:
        """A mesh that existed already: SCAN,METHOD,MESH.json,PLACED.json."""
        scan, method, mesh, placed = text.split(",")
        return cls(scan, method, None, mesh=Path(mesh), placed=Path(placed))


def collect_rows(runs: Sequence[Run]) -> pd.DataFrame:
    """One row per run in the order given; a figure that a run lacks is an empty cell.

    Returns:
        The columns `COLUMNS`.

    Raises:
        InputError: no runs, two of the same scan, method, budget, seed and culling, or a file that
            is missing or holds something else than figures.
    """
    if not runs:
        raise InputError("there are no runs to put into a table: name at least one")
    records = [_record(run) for run in runs]
    keys = [tuple(record[name] for name in ("scan", "seed", *GROUP)) for record in records]
    counts = Counter(keys)
    for key in keys:
        if counts[key] > 1:
            files = " and ".join(
                str(run.mesh or run.views or run.train)
                for run, other in zip(runs, keys, strict=True)
                if other == key
            )
            raise InputError(
                f"scan {key[0]}, method {key[2]}, seed {key[1]}, culling {key[4]} is given twice "
                f"({files}): drop one"
            )
        if key[0] == MEAN:
            raise InputError(f"no scan may be called {MEAN!r}, as the means are: rename it")
    return as_frame(records)


def as_frame(records: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Records with any of `COLUMNS` as a data frame with all of them."""
    columns = {
        name: pd.Series([row.get(name) for row in records], dtype=object) for name in COLUMNS
    }
    for name in NUMBERS:
        columns[name] = columns[name].astype("float64")
    for name in WHOLE_NUMBERS:
        columns[name] = columns[name].astype("Float64").round().astype("Int64")
    return pd.DataFrame(columns)


def write_csv(rows: pd.DataFrame, path: Path) -> None:
    """All columns and all digits, with empty cells for what is missing."""
    with written_whole(path) as partial:
        rows.to_csv(partial, index=False)


def _record(run: Run) -> dict[str, Any]:
    views, mesh, train = (_read(path) for path in (run.views, run.mesh, run.train))
    record: dict[str, Any] = {"scan": run.scan, "method": run.method}
    record["seed"] = None if run.seed is None else str(run.seed)
    sources = (
        (run.views, views, (*VIEW_FIGURES, *IMAGE_COUNTS)),
        (run.mesh, mesh, (*DISTANCES, *SHARES)),
        (run.train, train, TRAIN_FIGURES),
    )
    for path, content, names in sources:
        record |= {name: _number(content.get(name), name, path) for name in names}
    record["images_train_views"] = record["images_train_views"] or record["images_train"]
    trained = record["train_seconds"]
    return {
        **record,
        "seconds": None if trained is None else trained + (record["stereo_seconds"] or 0),
        "masks": MASKS.get(views.get("trained_with_masks", "")),
        "background": views.get("background"),
        "culling": mesh.get("culling") or "none",
        "unit": mesh.get("unit"),
        "protocol": mesh.get("protocol"),
        "reason": mesh.get("reason"),
        "budget": train.get("budget"),
        "device": train.get("device"),
        "origin": train.get("origin", OURS) if run.placed is None else GIVEN,
        "commit": train.get("commit"),
        "mesh_sha256": (mesh.get("mesh_sha256") or "")[:DIGITS] or None,
        "views_json": hash_of(run.views),
        "mesh_json": hash_of(run.mesh),
        "train_json": hash_of(run.train),
    }


def hash_of(path: Path | None) -> str | None:
    """The first digits of a file's SHA-256."""
    return None if path is None else hashlib.sha256(path.read_bytes()).hexdigest()[:DIGITS]


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
