"""Open the page of a folder of results in the browser."""

from __future__ import annotations

import argparse
import webbrowser
from pathlib import Path

from neus.errors import InputError

NAME = "view"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="folder, or the page itself"
    )


def call(options: argparse.Namespace) -> int:
    page = page_of(options.results)
    print(page)
    if not webbrowser.open(page.resolve().as_uri()):
        print("no browser could be started here: open the file above in one")
    return 0


def page_of(path: Path) -> Path:
    """The page of a folder, or of the folder that a scan or a run lies in.

    Raises:
        InputError: there is none.
    """
    if path.is_file():
        return path
    for folder in (path, *path.resolve().parents[:3]):
        if (folder / "index.html").is_file():
            return folder / "index.html"
    raise InputError(f"{path} has no page yet: neus page {path} makes one of what is there")
