"""Put the figures of all runs into tables, in the papers' layout and row by row, and print them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pandas as pd

from neus.cli import run
from neus.files import written_whole
from neus.tables import (
    MAIN,
    Run,
    Section,
    collect_rows,
    load_published,
    papers_sections,
    results_table,
    summaries,
    to_latex,
    to_markdown,
    to_text,
    write_csv,
)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--runs",
        type=named_run,
        nargs="+",
        required=True,
        metavar="SCAN,METHOD,SEED,VIEWS.json,MESH.json,TRAIN.json",
        help="the runs and the files that hold their figures",
    )
    parser.add_argument(
        "--published", type=Path, required=True, help="figures of papers (config/published/*.csv)"
    )
    parser.add_argument("--csv", type=Path, required=True, help="all columns, all digits")
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--latex", type=Path, required=True, help="needs the package booktabs")
    return parser.parse_args(argv)


def named_run(text: str) -> Run:
    scan, method, seed, views, mesh, train = text.split(",")
    return Run(scan, method, int(seed), Path(views), Path(mesh), Path(train))


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    runs = collect_rows(options.runs)
    rows = pd.concat([runs, summaries(runs)], ignore_index=True)
    sections = papers_sections(runs, load_published(options.published))
    all_figures = results_table(rows)
    reasons = [f"No distances: {reason}." for reason in runs["reason"].dropna().unique()]
    notes = (*all_figures.notes, *reasons)
    sections.append(Section("All figures", replace(all_figures, notes=notes)))
    write_csv(rows, options.csv)
    write(options.markdown, [f"## {s.title}\n\n{to_markdown(s.table)}" for s in sections])
    write(options.latex, [f"% {s.title}\n{to_latex(s.table)}" for s in sections])
    print(to_text(results_table(rows, MAIN)), end="")
    return 0


def write(path: Path, parts: list[str]) -> None:
    with written_whole(path) as partial:
        partial.write_text("\n".join(parts))


if __name__ == "__main__":
    run(main)
