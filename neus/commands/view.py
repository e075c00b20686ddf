"""Open the page of a folder of results in the browser; with --live, look at a model that trains.

neus view results                      the page
neus view results --live               the run that was written to last, while it trains or after
neus view results/statue/neus/seed0 --live --port 9000
"""

from __future__ import annotations

import argparse
import os
import webbrowser
from pathlib import Path

from neus.errors import InputError

NAME = "view"
YIELDING = 10
"""By which the viewer's priority is lower than that of a training beside it."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "results", type=Path, nargs="?", default=Path("results"), help="folder, or the page itself"
    )
    parser.add_argument("--live", action="store_true", help="the model itself, from all sides")
    parser.add_argument("--port", type=int, default=8080, help="of the live view [8080]")
    parser.add_argument(
        "--host", default="127.0.0.1", help="0.0.0.0 lets other machines look [this one alone]"
    )
    parser.add_argument("--threads", type=int, default=1, help="of the live view [1]")
    parser.add_argument(
        "--device", choices=("cpu", "cuda"), default="cpu", help="cuda, if no training needs it"
    )


def call(options: argparse.Namespace) -> int:
    if options.live:
        return call_live(options)
    page = page_of(options.results)
    print(page)
    if not webbrowser.open(page.resolve().as_uri()):
        print("no browser could be started here: open the file above in one")
    return 0


def call_live(options: argparse.Namespace) -> int:
    from neus.devices import leased_device, set_threads
    from neus.viewer import live_run
    from neus.viewer.window import serve

    run = live_run(options.results)
    os.nice(YIELDING)
    set_threads(options.threads)
    with leased_device(options.device) as device:
        serve(
            run.resolve().parents[1] / "scene",
            run,
            host=options.host,
            port=options.port,
            device=device,
            said=lambda sentence: print(sentence, flush=True),
        )
    return 0


def page_of(path: Path) -> Path:
    """The page of a folder, or of the folder that a scan or a run lies in.

    Raises:
        InputError: there is none.
    """
    if path.is_file():
        return path
    if not path.exists():
        raise InputError(f"{path} does not exist: name the folder of a run's results")
    for folder in (path, *path.resolve().parents[:3]):
        if (folder / "index.html").is_file():
            return folder / "index.html"
    raise InputError(f"{path} has no page yet: neus page {path} makes one of what is there")
