"""The yardstick: scans with an exact surface, trained, measured, and compared lever by lever.

    python -m benchmarks.quality --scans skull,courtyard --seeds 0,1 --steps 4000
    python -m benchmarks.quality --subset --lever soft:model.sdf.initial_inv_s=6

Whatever was rendered, trained or measured before is taken from the cache. Beside the baseline each
``--lever`` is a row; the table compares their means, with standard errors.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.quality.document import document
from benchmarks.quality.render import SAMPLES
from benchmarks.quality.requests import (
    BASELINE,
    OF_SCAN,
    ROOT,
    Budget,
    Lever,
    Request,
    model_version,
    parse_lever,
)
from benchmarks.quality.runs import finished, perform
from benchmarks.quality.scans import GENERATOR, SCANS, SUBSET, Scan, chosen
from benchmarks.quality.workshop import Workshop, write_json
from neus.cli import run
from neus.errors import InputError
from neus.files import written_whole

LONG = """\
This is the short budget, for judging levers. The one that a change is accepted by is ten minutes a
scan, stereo in them, and three seeds: `python -m benchmarks.quality --seconds 600 --seeds 0,1,2`.

"""
STEPS = 4000
"""Budget of a run where neither --steps nor --seconds is given."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scans", type=words, help="names, with commas; all by default")
    parser.add_argument("--subset", action="store_true", help=f"the scans {', '.join(SUBSET)}")
    parser.add_argument(
        "--methods", type=words, default=[OF_SCAN], help="of config/methods; each scan's by default"
    )
    parser.add_argument(
        "--lever", type=parse_lever, action="append", default=[], help="NAME:key=value,key=value"
    )
    parser.add_argument("--seeds", type=words, default=["0"], help="of training, with commas")
    parser.add_argument("--scan-seed", type=int, default=0, help="of the scans' pictures")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--steps", type=int, help=f"of each training; {STEPS} by default")
    budget.add_argument("--seconds", type=float, help="of each, stereo in them, as they fit")
    parser.add_argument(
        "--code",
        help="label of the code under test; by default its MODEL_VERSION, so name a change",
    )
    parser.add_argument(
        "--checkout", type=Path, default=ROOT, help="whose programs are run: an older one's, say"
    )
    parser.add_argument("--curve", type=int, default=2, help="meshes on the way of a training")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "quality")
    parser.add_argument("--render-only", action="store_true", help="make the pictures, no more")
    parser.add_argument("--table-only", action="store_true", help="of what is finished already")
    parser.add_argument("--output", type=Path, help="table.md, with all figures beside it as .json")
    return parser.parse_args(argv)


def words(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scans = chosen_scans(options)
    say = partial(print, file=sys.stderr, flush=True)
    places = options.cache.resolve(), options.checkout.resolve()
    workshop = Workshop(*places, options.threads, options.curve, say)
    if not options.table_only:
        for scan in scans:
            workshop.scan(scan, options.scan_seed)
    if options.render_only:
        return 0
    wanted = requests(options, scans)
    take = finished if options.table_only else perform
    records = [found for request in wanted if (found := take(workshop, request)) is not None]
    if not records:
        raise InputError("no run is finished: leave out --table-only")
    names = {record["scan"] for record in records}
    present = [scan for scan in scans if scan.name in names]
    floors = {scan.name: workshop.floor(scan, options.scan_seed) for scan in present}
    rendered = {scan.name: workshop.record(scan, options.scan_seed) for scan in present}
    text = document(records, floors, present, heading(options, records, rendered))
    print(text)
    if options.output is not None:
        with written_whole(options.output) as partial_file:
            partial_file.write_text(text)
        content = {"generator": GENERATOR, "runs": records, "floors": floors, "scans": rendered}
        write_json(options.output.with_suffix(".json"), content)
    return 0


def chosen_scans(options: argparse.Namespace) -> list[Scan]:
    return chosen(options.scans or (SUBSET if options.subset else [s.name for s in SCANS]))


def requests(options: argparse.Namespace, scans: Sequence[Scan]) -> list[Request]:
    """Seed by seed, so that a first table stands early."""
    steps = STEPS if options.steps is None and options.seconds is None else options.steps
    budget = Budget(steps, options.seconds)
    code = options.code or model_version(options.checkout)
    return [
        Request(
            scan,
            method,
            named(lever, method),
            int(seed),
            options.scan_seed,
            budget,
            code,
            options.checkout.resolve() / "config" / "methods",
        )
        for seed in options.seeds
        for lever in [Lever(), *options.lever]
        for method in options.methods
        for scan in scans
    ]


def named(lever: Lever, method: str) -> Lever:
    """The lever under a name that tells it from the same one of the scans' own methods."""
    if method == OF_SCAN:
        return lever
    name = method if lever.name == BASELINE else f"{method} {lever.name}"
    return replace(lever, name=name)


def heading(
    options: argparse.Namespace, records: list[dict[str, Any]], rendered: dict[str, Any]
) -> str:
    commits = ", ".join(sorted({record["commit"] for record in records}))
    devices = ", ".join(sorted({record["device"] for record in records}))
    steps = sorted({record["steps"] for record in records})
    budget = f"{steps[0]}" if len(steps) == 1 else f"{steps[0]} to {steps[-1]}"
    photos = sum(content["seconds"] for content in rendered.values())
    command = " ".join(f"../{Path(w).name}" if w.startswith("/") else w for w in sys.argv[1:])
    long = LONG if options.seconds is None else ""
    return f"""# The yardstick

{date.today()}, commit {commits}, {devices}, {platform.platform()}.
`python -m benchmarks.quality {command}`

{long}Trainings of {budget} steps. Generator {GENERATOR}, {SAMPLES} samples a pixel; to render these
{len(rendered)} scans with their ground truth took {photos:.0f} seconds."""


if __name__ == "__main__":
    run(main)
