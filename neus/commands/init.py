"""Write the configuration that `neus run` would take, with comments, and run nothing."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from neus.commands.run import add_choices, write_configuration
from neus.errors import InputError

NAME = "init"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("input", type=Path, help="folder of photos, video or data set")
    parser.add_argument("-o", "--output", type=Path, help="the configuration [SCAN.yaml here]")
    parser.add_argument("--results", default="results", help="folder of the results [results]")
    add_choices(parser)


def call(options: argparse.Namespace) -> int:
    from neus.commands.recognition import name_of

    target = options.output or Path(f"{name_of(options.input.resolve())}.yaml")
    if target.exists():
        raise InputError(f"{target} is there already: name another with --output, or remove it")
    _, said = write_configuration(options, Path(options.results), target)
    print("\n".join(said), file=sys.stderr)
    print(f"neus run {target}")
    return 0
