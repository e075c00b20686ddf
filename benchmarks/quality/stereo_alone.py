"""Stereo alone: the fused clouds of the yardstick's scans by DTU's protocol, and their seconds.

    python -m benchmarks.quality.stereo_alone --scans skull,courtyard --code mine

No training takes part, so that a change of the stage is judged in half a minute a scan. Clouds of
others stand beside ours with ``--beside NAME:FOLDER``, which holds ``SCAN.ply`` in the unit sphere
of our scene, as programs leave it that are given ``export_scene.py --format dtu --frame scene``.
With ``--exact`` each scan whose cameras are known has a second row: our stage started from exact
depths and normals, which is the most that a further sweep could find.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.quality.document import markdown, percent
from benchmarks.quality.exact_depths import exact_starts
from benchmarks.quality.requests import OF_SCAN, ROOT, Budget, Lever, Request, model_version
from benchmarks.quality.runs import commit, in_world
from benchmarks.quality.scans import SCANS, Scan, chosen
from benchmarks.quality.studio import open_studio
from benchmarks.quality.surface_figures import VIEWS, measure_mesh, names_of
from benchmarks.quality.workshop import Workshop, write_json
from neus.cli import run
from neus.devices import set_threads
from neus.files import written_whole
from neus.metrics.geometry import Surface, load_surface
from neus.scene import load_scene
from neus.stereo import read_figures
from neus.stereo.folder import write_stereo
from neus.stereo.reconstruction import reconstruct


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scans", help="names, with commas; all by default")
    parser.add_argument("--beside", action="append", default=[], help="NAME:FOLDER of SCAN.ply")
    parser.add_argument(
        "--exact",
        action="store_true",
        help="a row started from exact depths, too, by this checkout's own code",
    )
    parser.add_argument("--code", help="label of the code; by default its MODEL_VERSION")
    parser.add_argument("--checkout", type=Path, default=ROOT, help="whose programs are run")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, default=ROOT / ".cache" / "quality")
    parser.add_argument("--output", type=Path, help="table.md")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    say = partial(print, file=sys.stderr, flush=True)
    places = options.cache.resolve(), options.checkout.resolve()
    workshop = Workshop(*places, options.threads, 0, say)
    code = options.code or model_version(options.checkout)
    rows = []
    names = options.scans.split(",") if options.scans else [scan.name for scan in SCANS]
    for scan in chosen(names):
        say(scan.name)
        rows.append(row(scan.name, f"ours, {code}", *measured(workshop, scan, code)))
        if options.exact and not scan.poses:
            rows.append(row(scan.name, "… from exact depths", *from_exact(workshop, scan, code)))
        for name, folder in (one.split(":", 1) for one in options.beside):
            if (file := Path(folder) / f"{scan.name}.ply").is_file():
                rows.append(row(scan.name, name, of_others(workshop, scan, code, file)))
    text = f"{heading(options)}\n\n{NOTE}\n\n{markdown(HEAD, rows)}\n"
    print(text)
    if options.output is not None:
        with written_whole(options.output) as partial_file:
            partial_file.write_text(text)
    return 0


HEAD = ("scan", "cloud", "seconds", "thousand points", "of what views show", "accuracy, mm")
HEAD += ("completeness", "missed", *(f"{group} views" for group in names_of(VIEWS)))
NOTE = """\
Each cell of the last columns: completeness in mm / share of that surface with a point within 0.3 %
of the object's diameter. Points that DTU's protocol leaves out, 20 mm or more from the cloud, are
in no mean and count as not within."""


def measured(workshop: Workshop, scan: Scan, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of the cloud that our stage makes, and what the stage itself says."""
    scene = scene_of(workshop, scan, code)
    folder, _ = workshop.clouds(scene)
    file = scene.parent / "stereo-figures.json"
    if not file.is_file():
        write_json(file, figures_of(workshop, scan, scene, load_surface(folder / "fused.ply")))
    return json.loads(file.read_text()), read_figures(folder)


def from_exact(workshop: Workshop, scan: Scan, code: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The same of a cloud whose depth maps start from the exact surface."""
    place = scene_of(workshop, scan, code)
    folder = place.parent / "stereo-exact"
    file = place.parent / "stereo-exact-figures.json"
    if not file.is_file():
        set_threads(workshop.threads)
        scene = load_scene(place)
        starts = exact_starts(open_studio(scan, 0), scene)
        write_stereo(reconstruct(scene, torch.device("cpu"), starts=starts), scene, folder)
        cloud = load_surface(folder / "fused.ply")
        write_json(file, figures_of(workshop, scan, place, cloud))
    return json.loads(file.read_text()), read_figures(folder)


def of_others(workshop: Workshop, scan: Scan, code: str, file: Path) -> dict[str, Any]:
    """Figures of a cloud in the unit sphere of our scene."""
    scene = scene_of(workshop, scan, code)
    cloud = load_surface(file).transformed(load_scene(scene).to_source)
    return figures_of(workshop, scan, scene, cloud)


def scene_of(workshop: Workshop, scan: Scan, code: str) -> Path:
    return workshop.scene(Request(scan, OF_SCAN, Lever(), 0, 0, Budget(steps=1), code))


def figures_of(workshop: Workshop, scan: Scan, scene: Path, cloud: Surface) -> dict[str, Any]:
    """By DTU's protocol, of a cloud in the source frame of the scene."""
    pictures, diameter = workshop.scan(scan, 0), workshop.record(scan, 0)["diameter_mm"]
    found = in_world(cloud, scan, scene, pictures)
    return measure_mesh(found, pictures, diameter, threads=workshop.threads)


def row(
    scan: str, name: str, surface: dict[str, Any], stage: dict[str, Any] | None = None
) -> list[str]:
    said = ["", "", ""]
    if stage is not None:
        points, coverage = stage["points"], percent(stage["coverage"])
        said = [f"{stage['seconds']:.1f}", f"{points / 1000:.0f}", coverage]
    whole = [f"{surface[key]:.3f}" for key in ("accuracy", "completeness")]
    parts = [surface["by_views"][group] for group in names_of(VIEWS)]
    cells = [
        "-" if p["completeness"] is None else f"{p['completeness']:.2f} / {percent(p['within'])}"
        for p in parts
    ]
    return [scan, name, *said, *whole, percent(surface["missed"]), *cells]


def heading(options: argparse.Namespace) -> str:
    given = " ".join(f"../{Path(w).name}" if w.startswith("/") else w for w in sys.argv[1:])
    return f"""# Stereo alone, on the yardstick's scans

{date.today()}, commit {commit(options.checkout)}, {options.threads} threads, {platform.platform()}.
`python -m benchmarks.quality.stereo_alone {given}`"""


if __name__ == "__main__":
    run(main)
