"""Before and after as a picture: where the meshes of two or more tables are wrong, scan by scan.

    python -m benchmarks.quality.error_sheet before.json after.json --output sheet.jpg

The files and the names above the pictures are those of ``benchmarks.quality.compare``; one file
alone is shown with its levers. Each row has two held-out views of a scan: of all of them, the one
that sees the middling error of the first mesh, and the one that sees the most. Beside the photo
stand the meshes: grey where they are right, the redder the farther they stand out of the exact
surface, the bluer the deeper they lie in it, and black where surface is missing. What lies below
the table is cut off, as it is for the figures.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2

from benchmarks.quality.__main__ import words
from benchmarks.quality.compare import contents_of, named
from benchmarks.quality.error_rows import END, Cell, legend, two_views
from benchmarks.quality.error_views import Measured
from benchmarks.quality.requests import BASELINE, ROOT
from benchmarks.quality.runs import in_world
from benchmarks.quality.scans import SCANS, Scan, chosen
from neus.cli import run
from neus.errors import InputError
from neus.files import written_whole
from neus.images import panel
from neus.metrics.dtu_reference import load_reference
from neus.metrics.geometry import load_surface
from neus.sources import read_dtu

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from jaxtyping import UInt8

    from neus.metrics.dtu_reference import DtuReference
    from neus.metrics.geometry import Surface

GAP = 16
"""Between scans, in pixels."""
QUALITY = 92
"""Of the JPEG."""


Content = dict[str, Any]
"""Of a table's file."""


class Column(NamedTuple):
    """The meshes that stand below each other.

    Attributes:
        name: of their code, and of their lever if they have one.
        records: by scan, as :func:`benchmarks.quality.runs.perform` has them.
    """

    name: str
    lever: str
    records: dict[str, dict[str, Any]]


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("before", type=Path, help="figures whose baseline stands first")
    parser.add_argument("after", type=Path, nargs="*")
    parser.add_argument("--output", type=Path, required=True, help="the picture (.jpg)")
    parser.add_argument("--scans", type=words, help="names, with commas; those of before")
    parser.add_argument("--seed", type=int, default=0, help="of the trainings that are shown")
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "quality")
    options = parser.parse_args(argv)
    if options.output.suffix.lower() != ".jpg":
        raise InputError(f"--output {options.output}: the picture is written as .jpg")
    return options


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    before, *after = contents_of([options.before, *options.after])
    names = options.scans or [scan.name for scan in SCANS]
    scans = chosen(names)
    columns = columns_of(before, after, names, options.seed)
    if not columns or columns[0].lever != BASELINE:
        raise InputError(
            f"{options.before} has no baseline of seed {options.seed} of {', '.join(names)}: name"
            " others by --scans and --seed"
        )
    rows = [[legend()]]
    for scan in scans:
        if scan.name in columns[0].records:
            key = scan.key(before["scans"][scan.name]["seed"], before["generator"])
            rows.append([row(scan, options.cache, key, columns)])
    with written_whole(options.output) as partial:
        picture = panel(rows, gap=GAP)[:, :, ::-1]
        cv2.imwrite(str(partial), picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    return 0


def columns_of(
    before: Content, after: Sequence[Content], scans: Sequence[str], seed: int
) -> list[Column]:
    """Those of the first table's baseline, then of all that the others hold, or of its levers."""
    baseline = [record for record in before["runs"] if record["lever"] == BASELINE]
    levers = [record for record in before["runs"] if record["lever"] != BASELINE]
    groups = [baseline, *([content["runs"] for content in after] or [levers])]
    columns = []
    for group in groups:
        found: dict[str, Column] = {}
        for record in group:
            if record["scan"] in scans and record["seed"] == seed:
                name = named(record)["lever"]
                column = found.setdefault(name, Column(name, record["lever"], {}))
                column.records[record["scan"]] = record
        columns += found.values()
    return columns


def row(scan: Scan, cache: Path, key: str, columns: Sequence[Column]) -> UInt8[np.ndarray, "h w 3"]:
    """A scan's row.

    Raises:
        InputError: the cache lacks the scan's pictures, or the run of one of the records.
    """
    folder = cache / "scans" / f"{scan.name}-{key}"
    if not (folder / "scan.json").is_file():
        raise InputError(
            f"{folder} does not exist: name the cache that the tables were made in with --cache"
        )
    reference = load_reference(folder / "reference" / "dtu", 1)
    exact = above_table(load_surface(folder / "reference" / "mesh.ply"), reference)
    end = END * json.loads((folder / "scan.json").read_text())["diameter_mm"]
    cells = []
    for column in columns:
        name, record = column.name, column.records.get(scan.name)
        if record is None:
            cells.append(Cell(f"{name}: not run", None))
        else:
            mesh = above_table(mesh_of(record, scan, folder, cache), reference)
            cells.append(Cell(f"{name}: {record['surface']['overall']:.2f} mm", mesh))
    titles = f"{scan.name}, 1 % is {end:.2f} mm", f"{scan.name}, where {columns[0].name} errs most"
    return two_views(titles, read_dtu(folder, masks=False).scene, exact, cells, end)


def mesh_of(record: dict[str, Any], scan: Scan, pictures: Path, cache: Path) -> Surface:
    """The mesh that a record's figures are of, in the scan's world frame.

    A table's file does not say where its runs lie, and a run's folder is named by a key of all
    that was asked for. But the record is a copy of the run's own.

    Raises:
        InputError: no run of the cache has this record.
    """
    text = json.dumps(record)
    for file in sorted((cache / "runs").glob(f"{record['scan']}-*/run.json")):
        if json.dumps(json.loads(file.read_text())) == text:
            scene = cache / "scenes" / f"{pictures.name}-{record['code']}" / "scene"
            return in_world(load_surface(file.with_name("mesh.ply")), scan, scene, pictures)
    raise InputError(
        f"{cache / 'runs'} has no run of {record['scan']} by {record['code']} with the table's"
        " figures: name the cache that the table was made in with --cache"
    )


def above_table(surface: Surface, reference: DtuReference) -> Measured:
    """What of a mesh the figures look at; floors of rooms are no part of the object."""
    assert surface.faces is not None
    kept = reference.is_above_table(surface.vertices)[surface.faces].all(axis=1)
    return Measured.of(replace(surface, faces=surface.faces[kept]))


if __name__ == "__main__":
    run(main)
