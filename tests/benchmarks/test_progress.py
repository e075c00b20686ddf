"""The table of times left against what was."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.progress import read, replayed, table
from neus.config import method_as_yaml
from neus.training import Work
from tests.helpers.trainings import small_method


def test_what_was_said_stands_beside_what_was(tmp_path: Path):
    file = tmp_path / "foretold.tsv"
    rows = ["seconds\tjob\tshare\tleft", "0\tall\t0\t90", "0\ttrain a\t0\t100", "0\tpage\t0\t2"]
    rows += [f"{s}\ttrain a\t0\t{1.2 * (100 - s)}" for s in range(10, 100, 5)]
    rows += ["2\tpage\t1\t0", "50\tall\t0.5\t45", "100\ttrain a\t1\t0"]
    file.write_text("\n".join(rows) + "\n")
    lines = table(read(file), 20.0)
    assert len(lines) == 4
    assert lines[2].startswith("| the whole run | 100 s | 45 s, was 50 s (-10%) |")
    assert lines[3].startswith("| train a | 100 s | 108 s, was 90 s (+20%) | 90 s, was 75 s (+20%)")


def test_a_training_whose_steps_cost_what_their_levels_say_is_foretold(tmp_path: Path):
    method = small_method(400)
    work, rows = Work(method), ["step,seconds"]
    rows += [f"{step},{90 * work.share(step)}" for step in range(1, 401)]
    (tmp_path / "run").mkdir()
    (tmp_path / "config.yaml").write_text(method_as_yaml(method))
    (tmp_path / "run" / "metrics.csv").write_text("\n".join(rows) + "\n")
    for seconds, left in replayed(tmp_path)[50:]:
        assert left == pytest.approx(90 - seconds, abs=0.5)
