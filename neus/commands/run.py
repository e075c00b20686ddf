"""Reconstruct photos or a data set: recognise it, say what is chosen, and start Snakemake.

neus run photos/statue                     photos in, results/index.html out
neus run my.yaml                           a configuration of your own
neus run photos/statue --show              the call of Snakemake, and nothing else
neus run photos/statue -- --cores 4 -n     what follows -- is for Snakemake
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from pathlib import Path

from neus.commands.numbers import positive
from neus.commands.project import methods, snakemake_command
from neus.errors import InputError

NAME = "run"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "input", type=Path, help="folder of photos, video, data set, or a configuration (.yaml)"
    )
    parser.add_argument("-o", "--results", help="folder of the results [results]")
    add_choices(parser)
    parser.add_argument("--show", action="store_true", help="print the call of Snakemake instead")


def add_choices(parser: argparse.ArgumentParser) -> None:
    """What may be chosen by hand; `neus init` takes the same."""
    parser.add_argument("--method", help="a file of config/methods [by whether there are masks]")
    parser.add_argument(
        "--downscale", type=positive, help="whole factor [by the size of the images]"
    )
    parser.add_argument("--steps", type=positive, help="of the training [those of the method]")
    parser.add_argument(
        "--unit-from", metavar="WHERE", help="real units: gps, or a file of positions, name x y z"
    )
    parser.add_argument("--unit", help="name of the unit of length [m, with --unit-from]")


def call(options: argparse.Namespace) -> int:
    config, more = options.input, []
    if config.suffix.lower() not in (".yaml", ".yml"):
        config, said = write_configuration(options, Path(options.results or "results"))
        for sentence in said:
            print(sentence, file=sys.stderr)
    elif not config.is_file():
        raise InputError(f"{config} does not exist: neus init FOLDER_OF_PHOTOS writes one")
    elif options.results is not None:
        more = ["--config", f"results={options.results}"]
    command = snakemake_command(config, [*more, *options.passed_on])
    if options.show:
        print(shlex.join(command))
        return 0
    print(f"configuration: {config}", file=sys.stderr, flush=True)
    return run_to_its_end(command)


def write_configuration(
    options: argparse.Namespace, results: Path, target: Path | None = None
) -> tuple[Path, list[str]]:
    """The configuration of a scan, in its results or in ``target``, and what was chosen."""
    from neus.commands.configuration import configuration
    from neus.commands.devices import has_card
    from neus.commands.recognition import recognised
    from neus.files import written_whole

    if options.method is not None and options.method not in methods():
        raise InputError(f"--method {options.method} is none of {', '.join(methods())}")
    text, said = configuration(
        recognised(options.input),
        results=str(results),
        device="cuda" if has_card() else "cpu",
        method=options.method,
        downscale=options.downscale,
        steps=options.steps,
        scale=options.unit_from,
        unit=options.unit,
    )
    target = results / "neus.yaml" if target is None else target
    with written_whole(target) as partial:
        partial.write_text(text, encoding="utf-8")
    return target, said


def run_to_its_end(command: list[str]) -> int:
    """Run a program; Ctrl-C is its own affair, since it has to save what it has."""
    process = subprocess.Popen(command)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue
