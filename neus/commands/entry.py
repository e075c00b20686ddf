"""The entry: which commands there are, and how each is called."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

import neus
from neus.commands import doctor, init, page, programs, run, table, view
from neus.errors import InputError

COMMANDS = (run, init, doctor, page, view, table)
"""Each has ``NAME``, a docstring whose first line is its help, ``arguments`` and ``call``."""


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(
        prog="neus",
        description="Photos to measured surfaces, from any folder.",
        epilog="To begin with: neus doctor, then neus run FOLDER_OF_PHOTOS, then neus view. "
        "Each command has --help of its own.",
    )
    whole.add_argument("--version", action="version", version=f"neus {neus.__version__}")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for module in COMMANDS:
        _add(commands, module.NAME, module.__doc__ or "", module.arguments, module.call)
    for name, program in programs.PROGRAMS.items():
        _add(commands, name, program.text, program.arguments, program.call)
    return whole


def _add(
    commands: argparse._SubParsersAction,
    name: str,
    text: str,
    arguments: Callable[[argparse.ArgumentParser], None],
    call: Callable[[argparse.Namespace], int],
) -> None:
    first = text.strip().splitlines()[0]
    formatter = argparse.RawDescriptionHelpFormatter
    made = commands.add_parser(name, help=first, description=text, formatter_class=formatter)
    arguments(made)
    made.set_defaults(call=call)


def main(argv: list[str] | None = None) -> int:
    """Run a command; bad input prints its sentence and returns 2."""
    words = sys.argv[1:] if argv is None else argv
    if not words:
        parser().print_help()
        return 2
    own, passed_on = (words, []) if "--" not in words else _split(words)
    options = parser().parse_args(own)
    options.passed_on = passed_on
    try:
        return options.call(options)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `neus table | head`
        sys.stderr.close()
        return 0


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Our words, and those after ``--``, which are somebody else's."""
    place = words.index("--")
    return words[:place], words[place + 1 :]
