"""Put the figures of all runs into tables, in the papers' layout and row by row, and print them.

Runs are named one by one, or found in the folders of results of one or several machines.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from neus.cli import run
from neus.files import written_whole
from neus.tables import (
    FILES,
    MAIN,
    Run,
    Section,
    collect_rows,
    found_runs,
    load_published,
    papers_sections,
    results_table,
    summaries,
    to_latex,
    to_markdown,
    to_text,
    write_csv,
)

PUBLISHED = Path(__file__).parents[1] / "config" / "published"


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "results", type=Path, nargs="*", metavar="RESULTS", help="folders of results to merge"
    )
    parser.add_argument(
        "--runs",
        type=Run.named,
        nargs="+",
        default=[],
        metavar="SCAN,METHOD,SEED,VIEWS.json,MESH.json,TRAIN.json",
        help="single runs and the files that hold their figures",
    )
    parser.add_argument(
        "--meshes",
        type=Run.given,
        nargs="+",
        default=[],
        metavar="SCAN,METHOD,MESH.json,PLACED.json",
        help="meshes that existed already",
    )
    parser.add_argument(
        "--published", type=Path, default=PUBLISHED / "dtu.csv", help="Chamfer distances of papers"
    )
    parser.add_argument(
        "--published-tanks",
        type=Path,
        default=PUBLISHED / "tanks.csv",
        help="F-scores of papers on Tanks and Temples",
    )
    parser.add_argument("--csv", type=Path, help="all columns, all digits")
    parser.add_argument("--markdown", type=Path)
    parser.add_argument("--latex", type=Path, help="needs the package booktabs")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    found = found_runs(options.results) if options.results else []
    runs = collect_rows([*found, *options.runs, *options.meshes])
    rows = pd.concat([runs, summaries(runs)], ignore_index=True)
    published = load_published(options.published), load_published(options.published_tanks)
    sections = papers_sections(runs, *published)
    reasons = [f"No distances: {reason}." for reason in runs["reason"].dropna().unique()]
    all_figures, printed = (
        replace(table, notes=(*table.notes, *reasons))
        for table in (results_table(rows), results_table(rows, MAIN))
    )
    sections.append(Section("All figures", all_figures))
    if options.csv is not None:
        write_csv(rows, options.csv)
    if options.markdown is not None:
        files = Section("Where the figures come from", results_table(runs, FILES))
        parts = [f"## {s.title}\n\n{to_markdown(s.table)}" for s in [*sections, files]]
        write(options.markdown, parts)
    if options.latex is not None:
        write(options.latex, [f"% {s.title}\n{to_latex(s.table)}" for s in sections])
    print(to_text(printed), end="")
    return 0


def write(path: Path, parts: list[str]) -> None:
    with written_whole(path) as partial:
        partial.write_text("\n".join(parts))


if __name__ == "__main__":
    run(main)
