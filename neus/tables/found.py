"""Runs in folders of results, of one machine or of several."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from neus.errors import InputError
from neus.tables.rows import Run, hash_of


def found_runs(folders: Sequence[Path]) -> list[Run]:
    """The finished runs and the given meshes below folders of results.

    Several machines may share the work: scans and seeds add up. A run that was copied, so that
    its figures are the same bytes in two folders, counts once.

    Raises:
        InputError: a folder holds none, or the record of a mesh cannot be read.
    """
    found: dict[tuple[object, ...], Run] = {}
    for folder in folders:
        runs = [*_trained(folder), *given_meshes(folder)]
        if not runs:
            raise InputError(
                f"{folder}: holds no finished run (SCAN/METHOD/seed0/train.json): name the folders "
                "that the key results named"
            )
        for run in runs:
            contents = (hash_of(run.views), hash_of(run.mesh), hash_of(run.train))
            found.setdefault((run.scan, run.method, run.seed, *contents), run)
    return sorted(found.values(), key=lambda run: (run.placed is not None, run.scan, run.method))


def _trained(folder: Path) -> list[Run]:
    runs = []
    for train in sorted(folder.glob("*/*/seed*/train.json")):
        run, number = train.parent, re.fullmatch(r"seed(\d+)", train.parent.name)
        if number is None:
            continue
        views = run / "views.json"
        runs += [
            Run(
                scan=run.parts[-3],
                method=run.parts[-2],
                seed=int(number[1]),
                views=views if views.is_file() else None,
                mesh=mesh,
                train=train,
            )
            for mesh in sorted(run.glob("mesh-*.json")) or [None]
        ]
    return runs


def given_meshes(folder: Path) -> list[Run]:
    """The meshes that existed already, as a folder of results holds them.

    Raises:
        InputError: the record of one cannot be read.
    """
    return [
        Run(path.parts[-4], method_of_mesh(record), None, mesh=path, placed=record)
        for path in sorted(folder.glob("*/meshes/*/mesh-*.json"))
        if (record := path.parent / "placed.json").is_file()
    ]


def method_of_mesh(record: Path) -> str:
    """What a given mesh is called, by the record of where it was placed."""
    try:
        return str(json.loads(record.read_text(encoding="utf-8"))["method"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{record}: is no record of a mesh ({error}); place it anew") from error
