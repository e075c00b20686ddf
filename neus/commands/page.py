"""Make the page of a folder of results, while a run goes on or after it; one file with --single."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

NAME = "page"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="their folder [results]"
    )
    parser.add_argument("--single", action="store_true", help="everything in one file, to send")
    parser.add_argument("-o", "--output", type=Path, help="[index.html in the results]")


def call(options: argparse.Namespace) -> int:
    import os

    from neus.commands.project import published
    from neus.page import write_page
    from neus.tables import load_published

    output = options.output
    if options.single and output is None:
        output = options.results / "single.html"
    page = write_page(
        options.results,
        None,
        load_published(published()),
        workers=min(4, len(os.sched_getaffinity(0))),
        single=options.single,
        output=output,
        report=lambda sentence: print(sentence, file=sys.stderr),
    )
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB)")
    return 0
