"""Time left: closed forms of steady and of slowing work, and the file that says it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neus.progress import (
    FILE,
    Estimate,
    Measured,
    Pace,
    Progress,
    State,
    file_of,
    read_state,
    write_state,
)


@given(
    pace=st.floats(0.2, 20),
    seconds=st.lists(st.floats(5, 500), min_size=1, max_size=4),
    done=st.floats(0.1, 0.99),
)
def test_steady_work_is_foretold_whatever_the_machine(pace: float, seconds: list, done: float):
    expected = {f"part {i}": s for i, s in enumerate(seconds)}
    estimate, now = Estimate(expected), 100.0
    for i in range(1, 65):
        now = 100.0 + pace * seconds[0] * done * i / 64
        estimate.update("part 0", done * i / 64 if i > 1 else 0.0, now)
    left_of_part = pace * seconds[0] * (1 - done)
    alone = Estimate({"part 0": seconds[0]})
    alone.update("part 0", 0.0, 100.0)
    for i in range(1, 25):
        alone.update("part 0", done * i / 24, 100.0 + pace * seconds[0] * done * i / 24)
    assert alone.left(100.0 + pace * seconds[0] * done) == pytest.approx(left_of_part, rel=1e-4)
    later = estimate.left(now) - left_of_part
    # Parts to come are as slow as what went by, but for the doubt of little that was seen.
    doubt = Pace([Measured("part 0", pace, seconds[0] * done)]).of("another")
    assert min(pace, 1) <= doubt <= max(pace, 1)
    assert later == pytest.approx(doubt * sum(seconds[1:]), rel=0.02, abs=0.02 * left_of_part)


def test_before_anything_is_done_what_is_expected_is_left():
    estimate = Estimate({"a": 10.0, "b": 30.0})
    assert estimate.left(5.0) == 40
    estimate.update("a", 0.0, 5.0)
    assert estimate.left(8.0) == pytest.approx(37)
    assert estimate.left(500.0) > 30  # never less than what has not begun


def test_work_that_slows_down_is_foretold_better_by_its_later_half():
    """Time goes with the square of the share: at a half, twice the mean pace would be right."""
    estimate = Estimate({"train": 100.0})
    for i in range(101):
        share = 0.5 * i / 100
        estimate.update("train", share, 100 * share**2)
    assert 100 * 0.5**2 == 25  # what the mean pace would say is left
    assert estimate.left(25.0) == pytest.approx(37.5, rel=0.02)  # of the 75 that are


def test_parts_that_were_done_before_count_for_nothing_and_a_resumed_one_from_where_it_was():
    estimate = Estimate({"features": 50.0, "matches": 20.0, "placing": 10.0})
    estimate.update("matches", 0.5, 0.0)
    estimate.update("matches", 0.75, 5.0)
    assert estimate.kept == pytest.approx((50 + 10) / 80)
    for _ in range(20):
        estimate.update("matches", 0.75, 5.0)
    assert estimate.left(5.0) == pytest.approx(5 + 10)


def test_a_part_of_which_nothing_was_expected_is_refused():
    with pytest.raises(KeyError, match="pages is none of the parts a, b"):
        Estimate({"a": 1.0, "b": 1.0}).update("pages", 0.0, 0.0)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_the_file_says_how_far_a_loop_is(tmp_path: Path):
    file, clock = file_of(tmp_path / "train.log"), Clock()
    progress = Progress({"reading": 1.0, "frames": 9.0}, file=file, clock=clock)
    progress.at("reading")
    clock.now += 1
    for _ in progress.over("frames", range(10)):
        clock.now += 2
    assert file.name == "train.log.progress"
    state = read_state(file)
    assert state == State("frames", 1.0, 0.0, 0.0, clock.now)
    states = []
    for _ in progress.over("frames", range(10)):
        states.append(read_state(file))
        clock.now += 2
    assert all(state is not None for state in states)


def test_a_loop_in_its_middle_has_half_of_it_left(tmp_path: Path):
    clock, file = Clock(), tmp_path / "p"
    progress = Progress({"frames": 1.0}, file=file, clock=clock)
    for frame in progress.over("frames", range(60)):
        if frame == 30:
            state = read_state(file)
            assert state is not None
            assert (state.share, state.left) == pytest.approx((0.5, 60.0), rel=1e-3)
            assert state.left_at(clock.now + 15) == pytest.approx(45.0)
            assert state.left_at(clock.now + 1e6) == 0
            assert replace(state, later=7.0).left_at(clock.now + 1e6) == 7
        clock.now += 2


def test_the_environment_names_the_file_and_without_it_none_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(FILE, raising=False)
    Progress({"a": 1.0}).at("a")
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv(FILE, str(tmp_path / "a.log.progress"))
    Progress({"a": 1.0}).of("a")(0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["a.log.progress"]


def test_a_disk_that_refuses_stops_no_program(tmp_path: Path):
    (tmp_path / "file").touch()
    Progress({"a": 1.0}, file=tmp_path / "file" / "below").at("a", 0.5)


@pytest.mark.parametrize("content", ["", "[]", "{}", json.dumps({"part": "a", "share": "much"})])
def test_what_is_no_state_is_none(tmp_path: Path, content: str):
    assert read_state(tmp_path / "none") is None
    (tmp_path / "p").write_text(content)
    assert read_state(tmp_path / "p") is None
    write_state(tmp_path / "p", State("a", 0.1, 2.0, 0.5, 3.0))
    assert read_state(tmp_path / "p") == State("a", 0.1, 2.0, 0.5, 3.0)
