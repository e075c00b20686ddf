"""The table of times left against what was."""

from __future__ import annotations

from pathlib import Path

from benchmarks.progress import read, table


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
