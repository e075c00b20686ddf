"""Extract the surface of a trained model, coloured, in the frame and units of the source."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from neus.cli import run
from neus.devices import DEVICES, leased_device, set_threads
from neus.mesh import Mesh
from neus.mesh.clean import keep_largest, keep_supported
from neus.mesh.colour import normals_from_gradient, vertex_colours
from neus.mesh.export import to_source_frame, write_mesh
from neus.mesh.isosurface import EXPECTED as OF_SURFACE
from neus.models import load_model
from neus.progress import Progress
from neus.scene import load_scene
from neus.stereo import read_points

AFTERWARDS = {"cleaning": 1.4, "normals": 0.9, "colours": 1.1, "files": 0.8}
EXPECTED = {"model": 1.8} | OF_SURFACE | AFTERWARDS
"""Seconds of each part, of the demo on two quiet cores."""
REACH = 2.0
"""Footprints within which a point of stereo vouches for the surface."""


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--model", type=Path, required=True, help="model, or running checkpoint")
    parser.add_argument("--resolution", type=int, default=512, help="cells along a side")
    parser.add_argument(
        "--surface-density",
        type=float,
        help="of a NeRF: enclose what is denser, per scene unit, instead of the method's value",
    )
    parser.add_argument(
        "--surface-distance",
        type=float,
        help="of a NeuS: the surface at this distance instead of 0, in scene units, outwards",
    )
    parser.add_argument(
        "--stereo",
        type=Path,
        help="output of dense_stereo.py, whose points keep what stands apart from the largest",
    )
    parser.add_argument(
        "--keep-all", action="store_true", help="keep every component, not the largest alone"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--output", type=Path, nargs="+", required=True, help="files to write: .ply, .glb or .obj"
    )
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene, progress = load_scene(options.scene), Progress(EXPECTED)
    with leased_device(options.device) as device:
        set_threads(options.threads)
        progress.at("model")
        trained = load_model(options.model, device)
        if options.surface_density is not None:
            trained.set_surface_density(options.surface_density)
        if options.surface_distance is not None:
            trained = trained.with_surface_distance(options.surface_distance)
        mesh = trained.surface(options.resolution, progress.at)
        progress.at("cleaning")
        if not options.keep_all:
            mesh = cleaned(mesh, options.stereo)
        normals = normals_from_gradient(
            mesh.vertices, mesh.faces, trained.normals, advance=progress.of("normals")
        )
        colours = vertex_colours(
            mesh.vertices, normals, trained.colours, advance=progress.of("colours")
        )
    mesh = Mesh(mesh.vertices, mesh.faces, normals, colours)
    for path in progress.over("files", options.output):
        write_mesh(path, to_source_frame(mesh, scene.to_source))
    print(
        f"{len(mesh.vertices)} vertices, {len(mesh.faces)} faces, in {scene.unit}", file=sys.stderr
    )
    return 0


def cleaned(mesh: Mesh, stereo: Path | None) -> Mesh:
    """Without floaters and cavities, in the scene frame."""
    if stereo is None:
        return keep_largest(mesh)
    points = read_points(stereo)
    if not len(points):
        return keep_largest(mesh)
    return keep_supported(mesh, points.position, REACH * float(np.median(points.footprint)))


if __name__ == "__main__":
    run(main)
