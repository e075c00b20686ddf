"""The yardstick's figures: parts that add up, standard errors, colours fitted, and the tables."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.quality.compare import main as compare
from benchmarks.quality.document import document
from benchmarks.quality.requests import (
    BASELINE,
)
from benchmarks.quality.scans import SCANS, scan_named
from benchmarks.quality.statistics import (
    Estimate,
    counts,
    difference,
    estimate,
    mean_over,
    seconds_until,
)
from benchmarks.quality.stereo_alone import HEAD, row
from benchmarks.quality.surface_figures import FEW, VIEWS, GroundTruth, error_figures, names_of
from benchmarks.quality.view_figures import affine_fit
from neus.errors import InputError
from neus.metrics.images import psnr
from neus.metrics.surfaces import SurfaceDistances

SKULL = scan_named("skull")


def test_means_have_the_standard_error_of_the_mean():
    found = estimate([1.0, 2.0, 3.0])
    assert (found.mean, found.error, found.count) == pytest.approx((2.0, 1 / math.sqrt(3), 3))
    assert math.isnan(estimate([1.0]).error)
    assert math.isnan(estimate([]).mean)
    rng = np.random.default_rng(0)
    draws = [estimate(rng.normal(5, 2, 8)) for _ in range(4000)]
    spread = np.std([draw.mean for draw in draws])
    assert np.sqrt(np.mean([draw.error**2 for draw in draws])) == pytest.approx(spread, rel=0.05)


def test_errors_of_differences_and_of_means_over_scans():
    gained = difference([1.0, 3.0], [2.0, 2.0, 5.0])
    assert gained.mean == pytest.approx(-1.0)
    assert gained.error == pytest.approx(math.hypot(1.0, 1.0))
    over = mean_over([Estimate(1.0, 0.3, 2), Estimate(3.0, 0.4, 2)])
    assert (over.mean, over.error) == pytest.approx((2.0, 0.25))
    assert math.isnan(mean_over([]).mean)


def test_seconds_until_a_goal_are_read_off_the_curve():
    curve = [[10, 3.0], [20, 1.0], [30, 0.5]]
    assert seconds_until(curve, 2.0) == pytest.approx(15)
    assert seconds_until(curve, 0.75) == pytest.approx(25)
    assert seconds_until(curve, 3.5) == 10
    assert seconds_until(curve, 0.4) is None


def test_what_is_at_its_floor_does_not_count():
    assert counts({"a": 0.13, "b": 0.2}, {"a": 0.12, "b": 0.12}) == {"a": False, "b": True}


def test_shares_of_the_error_add_up_and_fall_where_the_error_is():
    views = np.array([1, 2, 3, 9, 10, 24, 25, 40])
    truth = GroundTruth(views, np.linspace(0, 1, 8))
    to_data = np.array([1.0, 1, 2, 2, 0, 0, 0, np.inf])
    distances = SurfaceDistances(
        data=np.zeros((4, 3)),
        data_to_reference=np.array([1.0, 3, 0, 0]),
        reference=np.zeros((8, 3)),
        reference_to_data=to_data,
    )
    of_data = GroundTruth(np.array([4, 4, 30, 30]), np.array([0.1, 0.1, 0.9, 0.9]))
    found = error_figures(distances, truth, of_data, within=0.5)
    assert found["accuracy"] == pytest.approx(1.0)
    assert found["completeness"] == pytest.approx(6 / 7)
    assert found["overall"] == pytest.approx((1 + 6 / 7) / 2)
    assert found["missed"] == pytest.approx(1 / 8)
    assert found["within"] == pytest.approx((0.5 + 3 / 8) / 2)
    few = found["by_views"][FEW]
    assert few["completeness"] == pytest.approx(2.0)
    assert few["accuracy"] == pytest.approx(2.0)
    assert few["within"] == 0.0
    assert found["by_views"]["25+"]["within"] == pytest.approx(1 / 2)
    assert few["share_of_error"] == pytest.approx((4 / 7 + 1) / (1 + 6 / 7))
    for parts in (found["by_views"], found["by_openness"]):
        assert sum(part["share_of_error"] for part in parts.values()) == pytest.approx(1)
        assert sum(part["share_of_surface"] for part in parts.values()) == pytest.approx(1)
    assert found["by_views"]["10-24"]["accuracy"] is None
    assert names_of((1, 3, 10, 25)) == ["1-2", "3-9", "10-24", "25+"]
    assert names_of((0.0, 0.25)) == ["0-0.25", "0.25+"]


def test_an_affine_change_of_colours_is_fitted_away():
    rng = np.random.default_rng(0)
    rendering = rng.uniform(0.2, 0.6, (20, 20, 3))
    mask = np.zeros((20, 20))
    mask[4:16, 3:17] = 1
    photo = rendering @ (np.eye(3) + 0.1 * rng.standard_normal((3, 3))) + 0.05
    assert psnr(rendering, photo, mask) < 30
    assert psnr(affine_fit(rendering, photo, mask > 0.5), photo, mask) > 100
    noisy = photo + 0.02 * rng.standard_normal(photo.shape)
    fitted = affine_fit(rendering, noisy, mask > 0.5)
    assert psnr(fitted, noisy, mask) >= psnr(rendering, noisy, mask)
    nothing = np.zeros((20, 20), bool)
    assert affine_fit(rendering, photo, nothing) is rendering


def a_record(scan: str, lever: str, seed: int, overall: float) -> dict[str, Any]:
    part = {"share_of_surface": 0.25, "completeness": overall, "accuracy": overall}
    part["share_of_error"] = 0.25
    groups = {
        "by_views": dict.fromkeys(names_of((1, 3, 10, 25)), part),
        "by_openness": dict.fromkeys(names_of((0.0, 0.25, 0.5, 0.75)), part),
    }
    surface = {"overall": overall, "accuracy": overall, "completeness": overall, "within": 0.5}
    surface["missed"] = 0.0
    return {
        "scan": scan,
        "lever": lever,
        "seed": seed,
        "seconds": 80.0,
        "surface": surface | groups,
        "views": {"psnr": 25.0, "psnr_affine": 26.0},
        "curve": [[40.0, 2 * overall], [80.0, overall]],
    }


def test_the_document_compares_levers_and_names_what_does_not_count():
    records = [
        a_record("skull", BASELINE, 0, 1.0),
        a_record("skull", BASELINE, 1, 1.2),
        a_record("skull", "new", 0, 0.5),
        a_record("skull", "new", 1, 0.7),
        a_record("sphere360", BASELINE, 0, 0.13),
        a_record("apart-1", BASELINE, 0, 2.0),
    ]
    floors = {scan.name: {"overall": 0.12} for scan in SCANS}
    text = document(records, floors, SCANS, "# heading")
    assert "| skull | baseline | 2 | 1.100 ± 0.100 |" in text
    assert "| -0.500 ± 0.141 |" in text
    assert "not counted: sphere360" in text
    assert "| baseline | apart: apart-1 | 2.000 |" in text
    assert "not reached (0.8 mm)" in text
    assert "(0.8 mm)" in text


def test_two_tables_become_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    def written(name: str, code: str, *records: dict[str, Any]) -> Path:
        file = tmp_path / f"{name}.json"
        of = {"code": code, "commit": code, "device": "CPU", "steps": 100}
        runs = [record | of for record in records]
        floors = {"skull": {"overall": 0.12}}
        content = {"generator": 1, "runs": runs, "floors": floors, "scans": {}}
        file.write_text(json.dumps(content))
        return file

    before = written("before", "old", a_record("skull", BASELINE, 0, 1.0))
    other = a_record("plain", BASELINE, 0, 9.0)
    after = written("after", "new", a_record("skull", "soft", 0, 0.4), other)
    assert compare(list(map(str, [before, after, "--output", tmp_path / "both.md"]))) == 0
    text = (tmp_path / "both.md").read_text()
    assert "| skull | baseline | 1 | 1.000 |" in text
    assert "| skull | new soft | 1 | 0.400 |" in text
    assert "-0.600" in text
    assert "plain" not in text
    assert text in capsys.readouterr().out
    nothing = {"generator": 2, "runs": [], "floors": {}, "scans": {}}
    (tmp_path / "other.json").write_text(json.dumps(nothing))
    with pytest.raises(InputError, match="another generator"):
        compare([str(before), str(tmp_path / "other.json")])
    with pytest.raises(InputError, match=r"table\.md cannot be read as figures"):
        compare([str(before), str(tmp_path / "table.md")])


def test_a_row_of_stereo_alone_says_what_lies_where():
    part = {"completeness": 1.234, "within": 0.5}
    parts: dict[str, Any] = dict.fromkeys(names_of(VIEWS), part)
    parts[FEW] = {"completeness": None, "within": 0.0}
    surface = {"accuracy": 0.3, "completeness": 0.6, "missed": 0.01, "by_views": parts}
    stage = {"seconds": 20.0, "points": 199_400, "coverage": 0.931}
    cells = ["skull", "ours", "20.0", "199", "93 %", "0.300", "0.600", "1 %"]
    cells += ["1.23 / 50 %", "-", "1.23 / 50 %", "1.23 / 50 %"]
    assert row("skull", "ours", surface, stage) == cells
    assert len(cells) == len(HEAD)
    assert row("skull", "theirs", surface)[2:5] == ["", "", ""]
