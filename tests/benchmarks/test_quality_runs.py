"""A run of the yardstick from pictures to figures, and its second call, which runs nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality import runs, stereo_alone, studio, workshop
from benchmarks.quality.requests import ROOT, Budget, Lever, Request
from benchmarks.quality.runs import perform
from benchmarks.quality.scans import Scan
from benchmarks.quality.workshop import Workshop
from tests.helpers.warm_programs import warm_python

SMALL = Scan("small", "cairn", "", 40.0, 1.0, views=9, width=40, height=30)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer cells and points, checkpoints at once, and programs that need not load anything."""
    monkeypatch.setattr(workshop, "PYTHON", warm_python())
    for name, value in {"GRID": 48, "MESH_CELL": 0.03, "LIGHT_SPACING": 0.04}.items():
        monkeypatch.setattr(studio, name, value)
    for name, value in {
        "RESOLUTION": 48,
        "CURVE_RESOLUTION": 48,
        "CHECKPOINT_SECONDS": 0.0,
    }.items():
        monkeypatch.setattr(runs, name, value)


@pytest.mark.long
@pytest.mark.usefixtures("coarse")
def test_a_scan_is_trained_and_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shop = Workshop(tmp_path, ROOT, 1, 1, lambda sentence: None)
    keys = {"training": {"samples": 2048, "uniform_samples": 64}}
    request = Request(SMALL, "default", Lever("small", keys), 0, 0, Budget(steps=40), "v1")
    record = perform(shop, request)
    surface = record["surface"]
    assert surface["overall"] == pytest.approx((surface["accuracy"] + surface["completeness"]) / 2)
    floor = shop.floor(SMALL, 0)
    assert 0 < floor["overall"] < surface["overall"]
    assert floor["within"] > surface["within"]
    assert 5 < record["views"]["psnr"] <= record["views"]["psnr_affine"] + 0.5
    (first, _), (last, overall) = record["curve"]
    assert 0 < first < last == record["seconds"]
    assert overall == surface["overall"]

    def refused(*anything: Any) -> None:
        raise AssertionError("a program was run again")

    monkeypatch.setattr(Workshop, "run", refused)
    monkeypatch.setattr(workshop, "make_scan", refused)
    assert perform(shop, request) == record
    other = Request(SMALL, "default", Lever("small", keys), 1, 0, Budget(steps=40), "v1")
    with pytest.raises(AssertionError, match="run again"):
        perform(shop, other)


@pytest.mark.long
@pytest.mark.usefixtures("coarse")
def test_a_cloud_is_found_and_measured_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    shop = Workshop(tmp_path, ROOT, 1, 0, lambda sentence: None)
    surface, stage = stereo_alone.measured(shop, SMALL, "v1")
    assert 0 < surface["accuracy"] < 5
    assert stage["points"] > 100
    monkeypatch.setattr(Workshop, "run", None)
    assert stereo_alone.measured(shop, SMALL, "v1") == (surface, stage)
    bound, _ = stereo_alone.from_exact(shop, SMALL, "v1")
    assert bound["accuracy"] < surface["accuracy"]
    monkeypatch.setattr(stereo_alone, "reconstruct", None)
    assert stereo_alone.from_exact(shop, SMALL, "v1")[0] == bound
