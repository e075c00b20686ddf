"""Bring a mesh or point cloud that exists already into the frame and unit of a scan."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path

import numpy as np
import trimesh

from neus.cli import run
from neus.files import written_whole
from neus.mesh import Mesh
from neus.mesh.export import write_mesh
from neus.metrics.frames import frame_from, to_source
from neus.metrics.geometry import Surface, load_surface
from neus.scene import load_scene


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mesh", type=Path, required=True, help="PLY, OBJ, GLB or STL")
    parser.add_argument(
        "--scene", type=Path, required=True, help="folder of the scan's canonical scene"
    )
    parser.add_argument(
        "--frame",
        type=word_or_json,
        default="world",
        help='of the mesh: world, sphere, scene, {"similarity": [[...], ...]}, or '
        '{"source": "colmap", "cameras": PATH} of cameras in its frame',
    )
    parser.add_argument("--source", help="layout of the scan, for the frame sphere")
    parser.add_argument("--path", type=Path, help="of the scan, for the frame sphere")
    parser.add_argument("--method", default="", help="what tables call it")
    parser.add_argument("--record", type=Path, required=True, help="what was done (.json)")
    parser.add_argument(
        "--output", type=Path, nargs="+", required=True, help="files to write: .ply, .glb"
    )
    return parser.parse_args(argv)


def word_or_json(text: str) -> object:
    return json.loads(text) if text[:1] == "{" else text.strip('"')


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene = load_scene(options.scene)
    similarity, alignment = to_source(
        frame_from(options.frame), scene, options.source, options.path
    )
    surface = load_surface(options.mesh).transformed(similarity)
    for path in options.output:
        write(path, surface)
    record = {
        "method": options.method or options.mesh.stem,
        "file": options.mesh.name,
        "sha256": hashlib.sha256(options.mesh.read_bytes()).hexdigest(),
        "frame": options.frame,
        "to_source": similarity.matrix.tolist(),
        "alignment": alignment and {"cameras": alignment.cameras, "residual": alignment.residual},
        "unit": scene.unit,
    }
    with written_whole(options.record) as partial:
        partial.write_text(json.dumps(record, indent=1) + "\n")
    what = "faces" if surface.is_mesh else "points"
    count = len(surface.vertices if surface.faces is None else surface.faces)
    print(f"{options.mesh}: {count:,} {what}, now in {scene.unit}", file=sys.stderr)
    return 0


def write(path: Path, surface: Surface) -> None:
    if surface.faces is None and path.suffix == ".glb":
        cloud = trimesh.PointCloud(surface.vertices, surface.colours)
        content = trimesh.Scene(cloud).export(file_type="glb")
        assert isinstance(content, bytes)
        with written_whole(path) as partial:
            partial.write_bytes(content)
        return
    faces = np.zeros((0, 3), np.int64) if surface.faces is None else surface.faces
    write_mesh(path, Mesh(surface.vertices, faces, surface.normals, surface.colours))


if __name__ == "__main__":
    run(main)
