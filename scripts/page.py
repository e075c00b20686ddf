"""Write the page of a folder of results: index.html, and its parts in page/ beside it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from neus.cli import run
from neus.page import write_page
from neus.tables import Run, load_published


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, required=True, help="folder of the results")
    parser.add_argument(
        "--runs",
        type=Run.named,
        nargs="+",
        metavar="SCAN,METHOD,SEED,VIEWS.json,MESH.json,TRAIN.json",
        help="the runs and the files of their figures, whether there or not; all that are found",
    )
    parser.add_argument(
        "--meshes",
        type=Run.given,
        nargs="+",
        default=[],
        metavar="SCAN,METHOD,MESH.json,PLACED.json",
        help="with --runs: meshes that existed already",
    )
    parser.add_argument("--published", type=Path, help="figures of papers, as in config/published")
    parser.add_argument("--single", action="store_true", help="everything in one file, to send")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, help="the page; index.html in the results")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    page = write_page(
        options.results,
        None if options.runs is None else [*options.runs, *options.meshes],
        None if options.published is None else load_published(options.published),
        workers=min(options.threads, 4),
        single=options.single,
        output=options.output,
        report=lambda sentence: print(sentence, file=sys.stderr),
    )
    print(f"{page} ({page.stat().st_size / 1e6:.1f} MB)", file=sys.stderr)
    return 0


if __name__ == "__main__":
    run(main)
