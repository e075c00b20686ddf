"""Measure a mesh by the protocols of DTU or Tanks and Temples, or against any mesh or cloud."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

from neus.cli import run
from neus.errors import InputError
from neus.external import read_taken
from neus.files import folder_written_whole, written_whole
from neus.metrics.culling import CULLINGS, cull
from neus.metrics.dtu_reference import load_reference
from neus.metrics.error_clouds import FILES, write_error_clouds
from neus.metrics.evaluation import Alignment, align_by_cameras, mesh_report
from neus.metrics.geometry import Surface, load_surface
from neus.metrics.measuring import (
    Measured,
    Sampling,
    Teller,
    measured_by_dtu,
    measured_by_samples,
    measured_by_tanks,
    viewpoint,
)
from neus.metrics.surfaces import EXPECTED, in_a_line
from neus.metrics.tanks_files import TAU
from neus.metrics.tanks_reference import load_tanks
from neus.progress import Progress
from neus.scene import Scene, load_mask, load_scene
from neus.sources import read_dtu

Options = argparse.Namespace


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument(
        "--mesh", type=Path, required=True, help="or point cloud, in the frame of the source"
    )
    parser.add_argument(
        "--scene", type=Path, help="folder of the canonical scene: unit, cameras and masks"
    )
    parser.add_argument("--reference", type=Path, help="a mesh or point cloud")
    parser.add_argument(
        "--reference-root",
        type=Path,
        help="folder with DTU's Points and ObsMask, or with scenes of Tanks and Temples",
    )
    parser.add_argument("--tanks", metavar="NAME", help=f"a scene's name: {', '.join(TAU)}")
    parser.add_argument(
        "--trajectory",
        type=Path,
        help="with --tanks: .log file of the mesh's cameras, instead of those of --scene",
    )
    parser.add_argument("--scan", type=int, help="DTU's number of the scan")
    parser.add_argument(
        "--absence", default="the scan has no reference", help="why no reference is given"
    )
    parser.add_argument(
        "--culling",
        choices=list(CULLINGS),
        default="none",
        help="what to cut off first, by the rule of a paper and the masks of the scene",
    )
    parser.add_argument(
        "--known-cameras",
        type=Path,
        help="folder in the layout of DTU with the true cameras of the scene's images: the mesh is "
        "first aligned to their frame",
    )
    parser.add_argument(
        "--taken",
        type=Path,
        help="record of take_external.py: its reason, or why the mesh cannot be measured, is kept",
    )
    parser.add_argument("--samples", type=int, default=200_000, help="points on each surface")
    parser.add_argument(
        "--threshold", type=float, default=0.01, help="of the F-score, of the reference's diameter"
    )
    parser.add_argument(
        "--absolute-threshold", type=float, help="of the F-score, in the unit of the reference"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the points and of their order")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="the figures (.json)")
    parser.add_argument(
        "--errors", type=Path, help=f"folder for coloured clouds and pictures: {', '.join(FILES)}"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    check(options)
    measured, alignment = None, None
    reason = options.taken and read_taken(options.taken)["mesh_reason"]
    reading = {"mesh": 0.3, "reference": 0.0 if options.reference_root is None else 0.5}
    progress = Progress(reading | EXPECTED | {"pictures": 1.6})
    if reason is None and (options.reference is not None or options.reference_root is not None):
        try:
            measured, alignment = measure(options, progress)
        except InputError as error:
            if options.taken is None:
                raise
            reason = f"{options.mesh.parent.parent.name}: {error}"
            say(reason)
    if options.errors is not None:
        with folder_written_whole(options.errors, FILES) as folder:
            if measured is not None:
                say("painting the errors")
                painted = measured.distances, measured.figures, measured.view
                write_error_clouds(folder, *painted, progress.of("pictures"))
    report = mesh_report(
        None if measured is None else measured.figures,
        options.culling,
        alignment,
        (reason or options.absence) if measured is None else None,
    )
    if measured is not None:
        report["mesh_sha256"] = hashlib.sha256(options.mesh.read_bytes()).hexdigest()
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def measure(options: Options, progress: Progress) -> tuple[Measured, Alignment | None]:
    progress.at("mesh")
    scene = options.scene and load_scene(options.scene)
    mesh, unit, alignment = prepared_mesh(options, scene)
    view = viewpoint(scene, alignment)
    teller = Teller(options.threads, say, progress.at)
    if options.tanks is not None:
        progress.at("reference")
        say(f"reading the reference of {options.tanks}")
        tanks = load_tanks(options.reference_root, options.tanks)
        cameras = options.trajectory or scene
        measured, alignment = measured_by_tanks(mesh, tanks, cameras, teller)
    elif options.reference_root is not None:
        progress.at("reference")
        say(f"reading the reference of scan {options.scan}")
        reference = load_reference(options.reference_root, options.scan)
        measured = measured_by_dtu(mesh, reference, view, options.seed, teller)
    else:
        asked = Sampling(
            options.samples, options.seed, options.threshold, options.absolute_threshold
        )
        surface = load_surface(options.reference)
        measured = measured_by_samples(mesh, surface, unit, view, asked, teller)
    say(in_a_line(measured.figures, options.culling))
    return measured, alignment


def say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def check(options: Options) -> None:
    if options.reference is not None and options.reference_root is not None:
        raise InputError("--reference and --reference-root exclude each other: give one of them")
    if options.reference_root is not None and (options.scan is None) == (options.tanks is None):
        raise InputError("--reference-root holds many scans: name yours with --scan or --tanks")
    if options.tanks is not None and options.scene is None and options.trajectory is None:
        raise InputError("--tanks is aligned by cameras: give --scene or --trajectory, too")
    if options.known_cameras is not None and options.scene is None:
        raise InputError("--known-cameras are compared with those of a scene: give --scene, too")
    if options.culling != "none" and options.scene is None:
        raise InputError(f"--culling {options.culling} needs cameras and masks: give --scene, too")


def prepared_mesh(options: Options, scene: Scene | None) -> tuple[Surface, str, Alignment | None]:
    """The mesh, culled and moved by the known cameras where there are any, and its unit then."""
    say(f"reading {options.mesh}")
    mesh = load_surface(options.mesh)
    if scene is None:
        return mesh, "source units", None
    if options.culling != "none":
        mesh = culled(mesh, options.culling, scene)
    if options.known_cameras is None:
        return mesh, scene.unit, None
    known = read_dtu(options.known_cameras, masks=False).scene
    alignment = align_by_cameras(scene, known)
    return mesh.transformed(alignment.similarity), known.unit, alignment


def culled(mesh: Surface, name: str, scene: Scene) -> Surface:
    masked = [i for i, frame in enumerate(scene.frames) if frame.mask is not None]
    if not masked:
        raise InputError(f"culling {name} needs masks, and the scene has none: set it to none")
    cameras = scene.cameras.transformed(scene.to_source)[masked]
    return cull(mesh, name, cameras, [load_mask(scene, index) for index in masked])


if __name__ == "__main__":
    run(main)
