"""Run a program of others on an exported scan, with a card of its own and a clock.

It gets a folder to read and an empty one to write to. Whatever goes wrong with it is written into
the outcome, and this program ends well; being stopped ourselves is no outcome.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import signal
import sys
from dataclasses import replace
from pathlib import Path

import torch

from neus.cli import run
from neus.devices import DEVICES, device_name, leased_device, set_threads
from neus.external import Program, run_program, write_outcome
from neus.files import folder_written_whole

PROJECT = Path(__file__).parents[1]
THREADS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"),
    *("NUMBA_NUM_THREADS", "RAYON_NUM_THREADS"),
)
OURS = ("PYTHONPATH", "PYTHONHOME", "VIRTUAL_ENV")
"""Variables that would lead its Python into our packages."""
CARDS = "CUDA_VISIBLE_DEVICES"


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", required=True, help="what tables call it")
    parser.add_argument(
        "--command",
        required=True,
        help="for bash; {input}, {output}, {seed}, {threads}, {device}, {scan} and {project} are "
        "filled in",
    )
    parser.add_argument("--container", help="image to run it in")
    parser.add_argument("--input", type=Path, required=True, help="folder of export_scene.py")
    parser.add_argument("--scan", required=True, help="its name")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--minutes", type=float, default=480.0, help="after which it is ended")
    parser.add_argument("--outcome", type=Path, required=True, help="how it ended (.json)")
    parser.add_argument("--output", type=Path, required=True, help="folder that it writes to")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    signal.signal(signal.SIGTERM, stopped)
    set_threads(options.threads)
    with leased_device(options.device) as device:
        card = None if device.type == "cpu" else device.index or 0
        # What it writes is not known, so that a folder with anything in it is not replaced.
        with folder_written_whole(options.output, []) as folder:
            program = Program(
                name=options.name,
                command=filled(options, device, folder),
                container=options.container,
                read=[options.input.resolve(), *([PROJECT] * ("{project}" in options.command))],
                output=folder,
                environment=environment(options.threads, card),
            )
            outcome = run_program(
                program,
                device=device_name(device),
                limit=60 * options.minutes,
                card=None if card is None else physical_card(card),
            )
    print(outcome.reason or f"{outcome.seconds:.0f} seconds", file=sys.stderr)
    write_outcome(options.outcome, replace(outcome, command=options.command))
    return 0


def stopped(number: int, frame: object) -> None:
    raise SystemExit(128 + number)


def filled(options: argparse.Namespace, device: torch.device, folder: Path) -> str:
    """The command with its places; other braces are bash's."""
    places = {
        "input": options.input.resolve(),
        "output": folder,
        "seed": options.seed,
        "threads": options.threads,
        "device": device.type,
        "scan": options.scan,
        "project": PROJECT,
    }
    pattern = rf"(?<!\$)\{{({'|'.join(places)})\}}"
    return re.sub(pattern, lambda found: shlex.quote(str(places[found[1]])), options.command)


def environment(threads: int, card: int | None) -> dict[str, str]:
    """Its cores and its card; nothing that leads to our interpreter."""
    for name in OURS:
        os.environ.pop(name, None)
    own = str(Path(sys.executable).parent)
    paths = os.environ.get("PATH", os.defpath).split(os.pathsep)
    variables = dict.fromkeys(THREADS, str(threads))
    variables["PATH"] = os.pathsep.join(path for path in paths if path != own)
    return variables | {CARDS: "" if card is None else visible_card(card)}


def visible_card(index: int) -> str:
    """The name of a card for a process that sees it alone."""
    known = [name for name in os.environ.get(CARDS, "").split(",") if name]
    return known[index] if index < len(known) else str(index)


def physical_card(index: int) -> str:
    """The name of a card for nvidia-smi, which does not follow CUDA's own order."""
    return f"GPU-{torch.cuda.get_device_properties(index).uuid}"


if __name__ == "__main__":
    run(main)
