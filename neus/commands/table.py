"""Print the figures of a folder of results, of all runs that it holds."""

from __future__ import annotations

import argparse
from pathlib import Path

from neus.errors import InputError

NAME = "table"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="their folder [results]"
    )
    parser.add_argument("--all", action="store_true", help="every column, as Markdown")


def call(options: argparse.Namespace) -> int:
    import pandas as pd

    from neus.page import found_runs
    from neus.tables import (
        MAIN,
        collect_rows,
        results_table,
        summaries,
        to_markdown,
        to_text,
    )

    if not options.results.is_dir():
        raise InputError(f"{options.results} is no folder: name the folder of a run's results")
    runs = [run for run in found_runs(options.results) if run.method and run.train]
    if not runs:
        raise InputError(f"{options.results} holds no finished training: neus run starts one")
    rows = collect_rows(runs)
    rows = pd.concat([rows, summaries(rows)], ignore_index=True)
    whole = to_markdown(results_table(rows)) if options.all else None
    print(whole or to_text(results_table(rows, MAIN)), end="")
    return 0
