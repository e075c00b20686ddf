"""The page's table: seeds folded, papers beside ours, differences and the best of each scan."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from neus.page.entries import three_digits
from neus.page.figures import mean_rows, page_rows
from neus.tables import Published, collect_rows, load_published
from tests.helpers.measured_runs import MESH, TRAIN, VIEWS, write_run
from tests.helpers.places import ROOT

PAPERS = load_published(ROOT / "config" / "published" / "dtu.csv")


def records(*runs: Any) -> list[dict[str, Any]]:
    return collect_rows(runs).to_dict("records")  # pyright: ignore


def test_seeds_are_folded_into_mean_and_deviation(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, "a", "neus", seed, mesh=MESH | {"chamfer": chamfer})
        for seed, chamfer in enumerate((0.6, 0.8))
    ]
    (row,) = page_rows(records(*runs), Published((), ()))
    assert (row.seeds, row.values["chamfer"]) == (2, pytest.approx(0.7))
    assert row.deviations["chamfer"] == pytest.approx(0.1 * 2**0.5)
    assert row.device == "RTX_3090"


def test_papers_stand_beside_scans_of_the_benchmark_alone(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, scan, "neus-mask", 0) for scan in ("scan24", "statue")]
    rows = page_rows(records(*runs), PAPERS)
    assert [row.scan for row in rows if row.is_ours] == ["scan24", "statue"]
    papers = [row for row in rows if not row.is_ours]
    assert {row.scan for row in papers} == {"scan24"}
    neus = next(row for row in papers if row.method == "NeuS, masks")
    assert (neus.values["chamfer"], neus.values["seconds"]) == (0.83, 840 * 60)
    assert any(row.method == "NeuS2, masks†" for row in papers)
    ours = rows[0]
    assert ours.compared == "NeuS, masks (paper)"
    assert ours.difference == pytest.approx(0.7 / 0.83 - 1)
    best = [row.method for row in rows if row.scan == "scan24" and "chamfer" in row.best]
    assert best == ["GeoSVR"]
    assert "psnr" not in ours.best  # of one method alone nothing is said


def test_methods_are_compared_with_the_first_where_no_paper_is(tmp_path: Path) -> None:
    runs = [
        write_run(tmp_path, "a", method, 0, mesh=MESH | {"chamfer": chamfer})
        for method, chamfer in (("one", 1.0), ("two", 0.5))
    ]
    first, second = page_rows(records(*runs), PAPERS)
    assert (first.difference, second.difference, second.compared) == (None, -0.5, "one")
    assert "chamfer" in second.best
    assert "chamfer" not in first.best
    assert {"psnr"} <= first.best & second.best  # equal ones are both best


def test_means_are_of_one_unit(tmp_path: Path) -> None:
    runs = [write_run(tmp_path, "a", "neus", 0)]
    assert mean_rows(page_rows(records(*runs), PAPERS)) == []
    runs.append(write_run(tmp_path, "b", "neus", 0, mesh=MESH | {"unit": "m"}))
    (mean,) = mean_rows(page_rows(records(*runs), PAPERS))
    assert "chamfer" not in mean.values
    assert mean.values["psnr"] == pytest.approx(VIEWS["psnr"])
    assert mean.values["seconds"] == TRAIN["train_seconds"]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.35, "0.350"), (0.3808, "0.381"), (12.0, "12.0"), (123.4, "123"), (0.0102, "0.0102")],
)
def test_lengths_have_three_digits_even_where_the_last_is_0(value: float, text: str):
    assert three_digits(value) == text
