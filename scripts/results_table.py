"""Put the figures of all runs into one table, with their mean per method, and print it."""

from __future__ import annotations

import argparse
from pathlib import Path

from neus.cli import run
from neus.files import written_whole
from neus.tables import Run, collect_rows, results_table, to_latex, to_markdown, to_text, write_csv


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
    parser.add_argument("--csv", type=Path, required=True, help="all columns, all digits")
    parser.add_argument("--markdown", type=Path, required=True)
    parser.add_argument("--latex", type=Path, required=True, help="needs the package booktabs")
    return parser.parse_args(argv)


def named_run(text: str) -> Run:
    scan, method, seed, views, mesh, train = text.split(",")
    return Run(scan, method, int(seed), Path(views), Path(mesh), Path(train))


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    rows = collect_rows(options.runs)
    table = results_table(rows)
    write_csv(rows, options.csv)
    for path, text in ((options.markdown, to_markdown(table)), (options.latex, to_latex(table))):
        with written_whole(path) as partial:
            partial.write_text(text)
    print(to_text(table), end="")
    return 0


if __name__ == "__main__":
    run(main)
