"""What stands on a terminal at last, and what a log holds."""

from __future__ import annotations

import io
import re
from itertools import pairwise
from pathlib import Path

import pytest

from neus.console import Console, Plan, PlannedJob
from neus.console.painter import Plain, Terminal, painter_for
from neus.progress import State, file_of, write_state

JOBS = (
    PlannedJob(3, "train", "statue neus", 2, 1, (), 100.0),
    PlannedJob(5, "extract_mesh", "statue neus", 2, 1, (3,), 20.0),
)
PLAN = Plan(JOBS, 2, 1)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Screen(io.StringIO):
    """A terminal that knows the four things that lines of ours do."""

    encoding = "utf-8"

    def lines(self) -> list[str]:
        shown: list[str] = [""]
        at = 0
        for token in re.findall(r"\x1b\[\d*[A-Z]|\r|\n|[^\x1b\r\n]+", self.getvalue()):
            if token.endswith("A") and token.startswith("\x1b"):
                at -= int(token[2:-1])
                assert at >= 0
            elif token == "\x1b[J":
                del shown[at:]
                shown.append("")
            elif token == "\n":
                at += 1
                shown += [""] * (at + 1 - len(shown))
            elif token != "\r":
                shown[at] += token
        return shown

    def isatty(self) -> bool:
        return True


def test_a_terminal_shows_one_line_a_job_and_one_for_all(tmp_path: Path):
    screen, clock, log = Screen(), Clock(), tmp_path / "train.log"
    console = Console(Terminal(screen, lambda: 80), clock=clock)
    console.plan(PLAN)
    console.begin(3, log, "rule")
    clock.now += 30
    write_state(file_of(log), State("training", 0.25, 90.0, 0.0, clock.now))
    console.renew()
    header, line, summary, _ = screen.lines()
    assert header == "2 jobs to do, about 2 min"
    assert re.fullmatch(r"  train +statue neus +#{3}\.{9}   25%  about 90 s left, training", line)
    assert summary == "0 of 2 jobs, about 2 min left"
    clock.now += 80
    console.finish(3)
    console.begin(5, None, "rule")
    console.say("warning: the disk is nearly full\n")
    assert [line[:14].rstrip() for line in screen.lines()[1:-1]] == [
        "✓ train",
        "warning: the d",
        "  extract_mesh",
        "1 of 2 jobs, a",
    ]
    clock.now += 20
    console.finish(5)
    console.wait(0.0)
    assert screen.lines()[1].endswith("1 min 50 s")
    assert screen.lines()[-2] == "2 jobs done in 2 min 10 s"
    assert len(screen.lines()) == 6


def test_a_narrow_terminal_breaks_no_line():
    screen = Screen()
    console = Console(Terminal(screen, lambda: 40), clock=Clock())
    console.plan(PLAN)
    console.begin(3, None, "rule")
    console.renew()
    assert max(map(len, screen.lines())) <= 40


def test_a_log_holds_plain_lines_with_the_time_now_and_then(tmp_path: Path):
    stream, clock = io.StringIO(), Clock()
    foretold = tmp_path / "foretold.tsv"
    console = Console(Plain(stream, lambda: "12:00:00"), foretold=foretold, clock=clock)
    console.plan(PLAN)
    console.begin(3, None, "rule")
    for _ in range(99):
        clock.now += 1
        console.renew()
    console.finish(3)
    console.begin(5, None, "rule")
    clock.now += 21
    console.finish(5)
    console.close()
    text = stream.getvalue()
    assert "\x1b" not in text
    assert all(line.startswith("12:00:00  ") for line in text.splitlines())
    lines = [line.removeprefix("12:00:00  ") for line in text.splitlines()]
    assert sum("% " in line for line in lines) == 3  # every thirty seconds
    assert "  train statue neus: begun" in lines
    assert any(re.match(r"\+ train .* 1 min 39 s   1 of 2 jobs, about 20 s left", s) for s in lines)
    assert lines[-1] == "2 jobs done in 2 min 00 s"
    rows = [row.split("\t") for row in foretold.read_text().splitlines()]
    assert rows[0] == ["seconds", "job", "share", "left"]
    assert ["99.0", "train statue neus", "1.000", "0.0"] in rows
    seconds = [float(row[0]) for row in rows[1:] if row[1] == "train statue neus"]
    assert seconds[0] == 0
    assert max(b - a for a, b in pairwise(seconds)) <= 5, "not every thirty alone"
    assert {row[1] for row in rows[1:]} == {"train statue neus", "extract_mesh statue neus", "all"}


def test_a_failure_says_its_last_words_and_where_the_others_are(tmp_path: Path):
    stream, log = io.StringIO(), tmp_path / "train.log"
    log.write_text(
        "".join(f"step {i}\n\n" for i in range(40)) + "error: the loss is not a number\n"
    )
    console = Console(Plain(stream, lambda: "t"), clock=Clock())
    console.plan(PLAN)
    console.begin(3, log, "rule")
    console.fail(3, log)
    console.fail(77, None)
    said = stream.getvalue()
    assert "! train statue neus failed\n" in said
    assert "    error: the loss is not a number\n" in said
    assert "step 29\n" in said
    assert "step 28\n" not in said
    assert f"all of its words: {log}" in said
    assert "! job 77 failed" in said


def test_without_a_plan_jobs_are_shown_as_they_come():
    stream, clock = io.StringIO(), Clock()
    console = Console(Plain(stream, lambda: "t"), clock=clock)
    console.say("Nothing to be done")
    console.finish(3)
    console.plan(Plan((), None, None))
    console.begin(3, None, "train")
    clock.now += 5
    console.finish(3)
    console.close()
    assert stream.getvalue().splitlines() == [
        "t  Nothing to be done",
        "t    train: begun",
        "t  + train        5.0 s   1 job done",
    ]


@pytest.mark.parametrize("term", ["xterm-256color", "dumb"])
def test_only_a_terminal_that_can_is_painted_on(term: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TERM", term)
    assert isinstance(painter_for(Screen()), Plain if term == "dumb" else Terminal)
    assert isinstance(painter_for(io.StringIO()), Plain)


def test_signs_are_plain_where_the_terminal_knows_no_others():
    plain = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    assert Terminal(plain, lambda: 80).mark("done") == "+"
