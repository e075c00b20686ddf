"""Rows of the results: read from files, and summed up over seeds and scans."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from neus.errors import InputError
from neus.tables import Run, collect_rows, summaries, write_csv
from neus.tables.rows import COLUMNS
from tests.helpers.measured_runs import MESH, TRAIN, VIEWS, write_run


def only_row(rows: pd.DataFrame, **keys: str) -> dict[str, Any]:
    (found,) = (
        row
        for row in rows.to_dict("records")
        if all(row[name] == value for name, value in keys.items())
    )
    return {str(name): value for name, value in found.items()}


def test_rows_hold_the_figures_of_all_three_files(tmp_path: Path) -> None:
    rows = collect_rows([write_run(tmp_path, "scan24", "neus_hash", 3)])
    assert list(rows.columns) == list(COLUMNS)
    row = only_row(rows, scan="scan24")
    assert (row["method"], row["seed"], row["masks"]) == ("neus_hash", "3", "yes")
    absent = {"views", "trained_with_masks", "rays_per_second", "seed", "versions"}
    for content in (VIEWS, TRAIN):
        for name in content.keys() - absent:
            assert row[name] == content[name]
    assert [row[name] for name in ("accuracy", "chamfer", "unit")] == [0.6, 0.7, "mm"]
    assert (row["culling"], row["reason"]) == ("none", None)
    assert math.isnan(row["fscore"])


def test_a_run_that_was_measured_twice_has_two_rows(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, "a", "m", 0, mesh=MESH | {"culling": culling, "chamfer": chamfer})
        for culling, chamfer in (("none", 0.7), ("neus", 0.5))
    ]
    rows = collect_rows(runs)
    assert rows["culling"].tolist() == ["none", "neus"]
    assert rows["chamfer"].tolist() == [0.7, 0.5]
    assert rows["psnr"].tolist() == [30.25, 30.25]


def test_files_may_be_missing(tmp_path: Path) -> None:
    views = write_run(tmp_path, "a", "b", 0).views
    row = only_row(collect_rows([Run("lego", "nerf", 5, views=views)]), scan="lego")
    assert (row["method"], row["seed"], row["psnr"]) == ("nerf", "5", 30.25)
    assert pd.isna(row["chamfer"])
    assert pd.isna(row["steps"])


def test_one_run_needs_no_summary(tmp_path: Path) -> None:
    assert len(summaries(collect_rows([write_run(tmp_path, "a", "m", 0)]))) == 0


def test_summaries_over_seeds_and_scans(tmp_path: Path) -> None:
    chamfer = {("a", 0): 0.5, ("a", 1): 0.7, ("b", 0): 1.5, ("b", 1): 1.9}
    runs = [
        write_run(tmp_path, scan, "m", seed, mesh=MESH | {"chamfer": value})
        for (scan, seed), value in chamfer.items()
    ]
    runs.append(write_run(tmp_path, "a", "other", 0, views=VIEWS | {"psnr": 20.0}))
    found = summaries(collect_rows(runs))
    assert found["method"].tolist() == ["m"] * 6
    assert list(zip(found["scan"], found["seed"], strict=True)) == [
        ("a", "mean"), ("a", "std"), ("b", "mean"), ("b", "std"), ("mean", "mean"), ("mean", "std"),
    ]  # fmt: skip
    half = math.sqrt(0.5)
    assert found["chamfer"].tolist() == pytest.approx(
        [0.6, 0.2 * half, 1.7, 0.4 * half, 1.15, 0.3 * half]
    )
    assert found["psnr"].tolist() == pytest.approx([30.25, 0] * 3)
    assert set(found["unit"]) == {"mm"}
    assert found["steps"].tolist() == [20000, 0] * 3


def test_the_mean_over_scans_is_of_seeds_that_have_them_all(tmp_path: Path) -> None:
    chamfer = {("a", 0): 0.5, ("a", 1): 99.0, ("b", 0): 1.5}
    runs = [
        write_run(tmp_path, scan, "m", seed, mesh=MESH | {"chamfer": value})
        for (scan, seed), value in chamfer.items()
    ]
    rows = summaries(collect_rows(runs))
    assert only_row(rows, scan="mean")["chamfer"] == 1.0


@pytest.mark.parametrize("other", [MESH | {"unit": "m"}, MESH | {"protocol": "mesh"}, None])
def test_distances_of_unlike_runs_are_not_averaged(
    tmp_path: Path, other: dict[str, Any] | None
) -> None:
    runs = [write_run(tmp_path, "scan24", "a", 0), write_run(tmp_path, "b", "a", 0, mesh=other)]
    mean = only_row(summaries(collect_rows(runs)), scan="mean")
    for name in ("accuracy", "completeness", "chamfer", "unit", "protocol"):
        assert pd.isna(mean[name])
    assert mean["psnr"] == 30.25


def test_a_mean_needs_the_figure_of_every_run(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, "a", "m", 0),
        write_run(tmp_path, "b", "m", 0, views=VIEWS | {"psnr_masked": None, "ssim": math.nan}),
    ]
    mean = only_row(summaries(collect_rows(runs)), scan="mean")
    assert pd.isna(mean["psnr_masked"])
    assert pd.isna(mean["ssim"])
    assert mean["mask_iou"] == 0.98


def test_csv_has_empty_cells_and_whole_numbers(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "a", "m", 0, mesh=None), write_run(tmp_path, "b", "m", 0)]
    write_csv(collect_rows(runs), tmp_path / "table.csv")
    with (tmp_path / "table.csv").open(newline="") as file:
        first, second = csv.DictReader(file)
    assert (first["chamfer"], second["chamfer"]) == ("", "0.7")
    assert (first["steps"], first["seed"], first["images_train"]) == ("20000", "0", "42")
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["table.csv"]


def test_bad_runs_are_refused(tmp_path: Path) -> None:
    run = write_run(tmp_path, "a", "m", 0)
    with pytest.raises(InputError, match="at least one"):
        collect_rows([])
    with pytest.raises(InputError, match="culling none is given twice"):
        collect_rows([run, run])
    with pytest.raises(InputError, match="may be called 'mean'"):
        collect_rows([Run("mean", "m", 0)])
    with pytest.raises(InputError, match=r"absent\.json"):
        collect_rows([Run("a", "m", 0, mesh=tmp_path / "absent.json")])


@pytest.mark.parametrize("content", ["{", "[1]", '{"psnr": "high"}', '{"psnr": true}'])
def test_bad_files_are_named(tmp_path: Path, content: str) -> None:
    run = write_run(tmp_path, "a", "m", 0)
    assert run.views is not None
    run.views.write_text(content)
    with pytest.raises(InputError, match=r"views\.json"):
        collect_rows([run])


def test_seconds_are_those_of_training_and_of_the_stereo_before_it(tmp_path: Path) -> None:
    trained = [{"train_seconds": 100.0}, {"train_seconds": 100.0, "stereo_seconds": 20.5}, {}]
    runs = []
    for seed, content in enumerate(trained):
        path = tmp_path / f"{seed}.json"
        path.write_text(json.dumps(content))
        runs.append(Run("scan24", "a", seed, train=path))
    seconds = collect_rows(runs)["seconds"].tolist()
    assert seconds[:2] == [100.0, 120.5]
    assert math.isnan(seconds[2])
