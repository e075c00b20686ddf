"""Before and after: the tables of two or more runs of the yardstick in one.

    python -m benchmarks.quality.compare before.json after.json --output table.md

The files are those that ``python -m benchmarks.quality --output`` leaves beside its tables. The
first one's rows are the baseline, whatever code and budget it is of; rows of the others carry the
label of their code, and that of their lever if they have one.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.quality.document import document
from benchmarks.quality.requests import BASELINE
from benchmarks.quality.scans import SCANS
from neus.cli import run
from neus.errors import InputError
from neus.files import written_whole


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="figures that the others are held against")
    parser.add_argument("after", type=Path, nargs="+")
    parser.add_argument("--output", type=Path, help="table.md")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    before, *after = contents_of([options.before, *options.after])
    records = [record for record in before["runs"] if record["lever"] == BASELINE]
    scans = {record["scan"] for record in records}
    for content in after:
        records += [named(record) for record in content["runs"] if record["scan"] in scans]
    floors = {name: floor for each in (before, *after) for name, floor in each["floors"].items()}
    text = document(records, floors, SCANS, heading(before, after))
    print(text)
    if options.output is not None:
        with written_whole(options.output) as partial:
            partial.write_text(text)
    return 0


def contents_of(files: Sequence[Path]) -> list[dict[str, Any]]:
    """Those of several files, whose figures compare.

    Raises:
        InputError: a file is missing, not of the yardstick, or of other pictures than the first.
    """
    contents = [content_of(file) for file in files]
    for file, content in zip(files, contents, strict=True):
        if content["generator"] != contents[0]["generator"]:
            raise InputError(f"{file} is of another generator than {files[0]}: measure both anew")
    return contents


def content_of(file: Path) -> dict[str, Any]:
    """Runs, floors, scans and generator.

    Raises:
        InputError: the file is missing, or not of the yardstick.
    """
    try:
        content = json.loads(file.read_text())
        _ = content["runs"], content["floors"], content["generator"], content["scans"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{file} cannot be read as figures of the yardstick ({error}): give the .json beside a"
            " table of python -m benchmarks.quality --output"
        ) from None
    return content


def named(record: dict[str, Any]) -> dict[str, Any]:
    """The record under the name of its code."""
    lever = record["lever"]
    name = record["code"] if lever == BASELINE else f"{record['code']} {lever}"
    return record | {"lever": name}


def heading(before: dict[str, Any], after: list[dict[str, Any]]) -> str:
    lines = [f"The baseline is {_summary(before['runs'])}."]
    lines += [f"Beside it: {_summary(content['runs'])}." for content in after]
    return "# The yardstick, before and after\n\n" + "\n".join(lines)


def _summary(runs: list[dict[str, Any]]) -> str:
    def all_of(key: str) -> str:
        return ", ".join(map(str, sorted({run[key] for run in runs})))

    return (
        f"{all_of('code')} (commit {all_of('commit')}), {all_of('steps')} steps, {all_of('device')}"
    )


if __name__ == "__main__":
    run(main)
