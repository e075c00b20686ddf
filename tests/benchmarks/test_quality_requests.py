"""What the yardstick is asked for: keys, levers, budgets, and what is taken from the cache."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.quality.__main__ import main
from benchmarks.quality.checkpoints import keep
from benchmarks.quality.requests import (
    Budget,
    Lever,
    Request,
    changed_keys,
    parse_lever,
)
from benchmarks.quality.runs import finished, home_of
from benchmarks.quality.scans import GENERATOR, scan_named
from benchmarks.quality.workshop import Workshop
from neus.config import load_method
from neus.errors import InputError

SKULL = scan_named("skull")


def request_of(**changes: Any) -> Request:
    given = Request(SKULL, "default", Lever(), 0, 0, Budget(steps=100), "v1")
    return replace(given, **changes)


def test_keys_follow_from_what_figures_follow_from():
    base = request_of()
    assert base.key() == request_of().key()
    assert base.key() != base.key(GENERATOR + 1)
    assert SKULL.key(0) != SKULL.key(0, GENERATOR + 1)
    assert SKULL.key(0) != SKULL.key(1)
    assert SKULL.key(0) != replace(SKULL, zoom=1.1).key(0)
    assert SKULL.key(0) == replace(SKULL, goal=9.0, difficulty="none").key(0)
    others = [
        request_of(seed=1),
        request_of(scan_seed=1),
        request_of(code="v2"),
        request_of(budget=Budget(steps=101)),
        request_of(budget=Budget(seconds=100)),
        request_of(scan=scan_named("courtyard")),
        request_of(lever=Lever("soft", {"model": {"sdf": {"initial_inv_s": 7.0}}})),
    ]
    assert len({base.key(), *(other.key() for other in others)}) == 8
    # A name alone changes nothing, nor does a key that is given its default.
    assert request_of(lever=Lever("same", {})).key() == base.key()


def test_only_keys_that_differ_from_their_defaults_count():
    assert changed_keys(load_method(None)) == {}
    overrides = {"training": {"samples": 4096, "checkpoint_seconds": 7.0}}
    assert changed_keys(load_method(None, overrides)) == {"training.samples": 4096}


def test_levers_are_read_from_a_line():
    lever = parse_lever("both:training.samples=4096,training.losses.cavity=[0, 0, 0.1, 0.5],a.b=x")
    assert lever.name == "both"
    assert lever.overrides == {
        "training": {"samples": 4096, "losses": {"cavity": [0, 0, 0.1, 0.5]}},
        "a": {"b": "x"},
    }
    corners = parse_lever("p:a=[[0.1, 0], [0.2, 1]],b={c: 1, d: 2}")
    assert corners.overrides == {"a": [[0.1, 0], [0.2, 1]], "b": {"c": 1, "d": 2}}
    for text in ("noname", "name:", "name:key"):
        with pytest.raises(InputError, match="--lever"):
            parse_lever(text)


def test_the_first_checkpoint_past_each_part_is_kept(tmp_path: Path):
    folder, kept = tmp_path / "checkpoints", tmp_path / "kept"
    folder.mkdir()
    for step in (10, 35, 40, 60, 70, 95):
        (folder / f"step-{step:08d}.pt").write_text(str(step))
        keep(folder, kept, [33, 66])
        for old in sorted(folder.iterdir())[:-2]:
            old.unlink()
    assert sorted(path.read_text() for path in kept.iterdir()) == ["35", "70"]


def test_finished_runs_are_taken_from_the_cache(tmp_path: Path):
    workshop = Workshop(tmp_path, tmp_path, 1, 0, print)
    request = request_of()
    assert finished(workshop, request) is None
    home = home_of(workshop, request)
    home.mkdir(parents=True)
    (home / "run.json").write_text(json.dumps({"scan": "skull"}))
    assert finished(workshop, request) == {"scan": "skull"}
    assert finished(workshop, request_of(seed=1)) is None


def test_a_scan_that_does_not_exist_is_refused(tmp_path: Path):
    with pytest.raises(InputError, match="--scans scull: the scans are skull, courtyard"):
        main(["--scans", "scull", "--cache", str(tmp_path)])
