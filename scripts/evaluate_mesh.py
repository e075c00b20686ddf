"""Measure a mesh against a reference: by DTU's protocol, or against any mesh or point cloud."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from neus.cli import run
from neus.errors import InputError
from neus.evaluation import Alignment, align_by_cameras, mesh_report
from neus.files import written_whole
from neus.metrics.dtu import dtu_figures, load_reference
from neus.metrics.geometry import Surface, load_surface
from neus.metrics.surfaces import SurfaceFigures, surface_figures
from neus.scene import load_scene
from neus.sources.dtu import read_dtu


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    parser.add_argument("--mesh", type=Path, required=True, help="in the frame of the source")
    parser.add_argument(
        "--scene", type=Path, help="folder of the canonical scene: the unit, and the cameras"
    )
    parser.add_argument("--reference", type=Path, help="a mesh or point cloud")
    parser.add_argument("--reference-root", type=Path, help="folder with DTU's Points and ObsMask")
    parser.add_argument("--scan", type=int, help="DTU's number of the scan")
    parser.add_argument(
        "--known-cameras",
        type=Path,
        help="folder in the layout of DTU with the true cameras of the scene's images: the mesh is "
        "first aligned to their frame",
    )
    parser.add_argument("--samples", type=int, default=200_000, help="points on each surface")
    parser.add_argument(
        "--threshold", type=float, default=0.01, help="of the F-score, of the reference's diameter"
    )
    parser.add_argument("--seed", type=int, default=0, help="of the points")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, required=True, help="the figures (.json)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    _check(options)
    if options.reference is None and options.reference_root is None:
        report = mesh_report(None, None, "the scan has no reference")
        print("not measured: the scan has no reference", file=sys.stderr)
    else:
        mesh, unit, alignment = in_reference_frame(options)
        figures = measured(mesh, unit, options)
        report = mesh_report(figures, alignment, None)
        print(f"Chamfer {figures.chamfer:.4g} {figures.unit}", file=sys.stderr)
    with written_whole(options.output) as partial:
        partial.write_text(json.dumps(report, indent=1) + "\n")
    return 0


def _check(options: argparse.Namespace) -> None:
    if options.reference is not None and options.reference_root is not None:
        raise InputError("--reference and --reference-root exclude each other: give one of them")
    if options.reference_root is not None and options.scan is None:
        raise InputError("--reference-root holds many scans: name yours with --scan")
    if options.known_cameras is not None and options.scene is None:
        raise InputError("--known-cameras are compared with those of a scene: give --scene, too")


def in_reference_frame(options: argparse.Namespace) -> tuple[Surface, str, Alignment | None]:
    """The mesh, moved by the known cameras where there are any, and the unit that it then has."""
    mesh = load_surface(options.mesh)
    if options.scene is None:
        return mesh, "source units", None
    scene = load_scene(options.scene)
    if options.known_cameras is None:
        return mesh, scene.unit, None
    known = read_dtu(options.known_cameras, masks=False).scene
    alignment = align_by_cameras(scene, known)
    return mesh.transformed(alignment.similarity), known.unit, alignment


def measured(mesh: Surface, unit: str, options: argparse.Namespace) -> SurfaceFigures:
    if options.reference_root is not None:
        reference = load_reference(options.reference_root, options.scan)
        return dtu_figures(mesh, reference, seed=options.seed, workers=options.threads)
    return surface_figures(
        mesh,
        load_surface(options.reference),
        samples=options.samples,
        threshold=options.threshold,
        seed=options.seed,
        unit=unit,
        workers=options.threads,
    )


if __name__ == "__main__":
    run(main)
