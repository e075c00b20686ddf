"""How right times left were: what a run foretold against what was, as a table.

    snakemake --cores all --logger neus       or: make demo
    python benchmarks/progress.py
    python benchmarks/progress.py --trainings results/*/*/seed0

Reads what lines of ours said while the last run in this folder went on. For each long job the table
has what was left when a tenth, a quarter, half and three quarters of its time had gone by, and what
was foretold then; and the same for the whole run. Of trainings that ended, with their journals, it
says what would have been foretold.
"""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

from neus.config import load_method
from neus.console import FORETOLD
from neus.progress import Estimate
from neus.training import SECONDS_A_STEP, Work

SHARES = (0.1, 0.25, 0.5, 0.75)
LONG = 20.0
"""Seconds of a job that is worth a row."""


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("foretold", type=Path, nargs="?", default=FORETOLD)
    parser.add_argument("--trainings", type=Path, nargs="+", help="folders of finished runs")
    parser.add_argument("--least", type=float, default=LONG, help="seconds of a job with a row")
    options = parser.parse_args(argv)
    if options.trainings:
        said = {str(run): replayed(run) for run in options.trainings}
    else:
        said = read(options.foretold)
    print("\n".join(table(said, options.least)))
    return 0


def read(path: Path) -> dict[str, list[tuple[float, float]]]:
    """For each job, and ``all``: seconds since the run began, and those that were said to be left.

    The last entry of a job is its end.
    """
    said: dict[str, list[tuple[float, float]]] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream, delimiter="\t"):
            said[row["job"]].append((float(row["seconds"]), float(row["left"])))
    end = max(moments[-1][0] for moments in said.values())
    said["all"].append((end, 0.0))
    return said


def replayed(run: Path) -> list[tuple[float, float]]:
    """Seconds that a training took up to each record, and those that would have been said."""
    method = load_method(run / "config.yaml")
    work, expected = Work(method), SECONDS_A_STEP * method.training.steps
    estimate, moments = Estimate({"training": expected}), []
    estimate.update("training", 0.0, 0.0)
    with (run / "run" / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            seconds = float(row["seconds"])
            estimate.update("training", work.share(int(float(row["step"]))), seconds)
            moments.append((seconds, estimate.left(seconds)))
    return [(0.0, expected), *moments]


def table(said: dict[str, list[tuple[float, float]]], least: float) -> list[str]:
    """Markdown: seconds foretold and seconds that were, at shares of each job's time."""
    lines = ["| job | took |" + "".join(f" left at {share:.0%} |" for share in SHARES)]
    lines.append("|---|---|" + "---|" * len(SHARES))
    for job, moments in sorted(said.items(), key=lambda pair: pair[1][0]):
        begin, end = moments[0][0], moments[-1][0]
        if end - begin < least:
            continue
        cells = [_cell(moments, begin + share * (end - begin), end) for share in SHARES]
        name = "the whole run" if job == "all" else job
        lines.append(f"| {name} | {end - begin:.0f} s | " + " | ".join(cells) + " |")
    return lines


def _cell(moments: list[tuple[float, float]], at: float, end: float) -> str:
    """What was said first from a moment on, beside what was, and by how much it was off."""
    then, left = next(moment for moment in moments if moment[0] >= at - 1e-9)
    was = end - then
    off = f" ({left / was - 1:+.0%})" if was > 0 else ""
    return f"{left:.0f} s, was {was:.0f} s{off}"


if __name__ == "__main__":
    raise SystemExit(main())
