"""A small folder of results with everything that the page shows: a bumpy ball, measured."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np

from neus.config import load_method
from neus.config.loading import method_as_yaml
from neus.images.files import write_image
from neus.mesh import Mesh
from neus.mesh.export import write_mesh
from neus.metrics.error_clouds import Viewpoint, write_error_clouds
from neus.metrics.surfaces import SurfaceDistances, surface_figures
from neus.scene import load_scene
from tests.helpers.measured_runs import MESH, write_run
from tests.helpers.places import ROOT
from tests.helpers.shapes import bumpy, mesh_of
from tests.helpers.small_scenes import small_scene

OFF = 0.05
"""How far the reference is from the surface, in scene units."""


def ball(resolution: int = 48) -> Mesh:
    """Normals away from the middle, colours by the place."""
    mesh = mesh_of(bumpy, resolution)
    normals = mesh.vertices / np.linalg.norm(mesh.vertices, axis=1, keepdims=True)
    colours = np.rint(255 * (normals + 1) / 2).astype(np.uint8)
    return Mesh(mesh.vertices, mesh.faces, normals, colours)


def write_results(root: Path, scan: str = "ball", method: str = "neus-mask") -> Path:
    """One finished run under ``root``."""
    scene = load_scene(small_scene(root / scan / "scene"))
    write_image(root / scan / "scene" / "overview.png", np.full((60, 80, 3), 200, np.uint8))
    (root / scan / "logs").mkdir()
    write_run(root, scan, method, 0, mesh=MESH | {"fscore_threshold": 0.1})
    run = root / scan / method / "seed0"
    (run / "logs").mkdir()
    mesh = ball(24)
    source = scene.to_source.apply(mesh.vertices)
    write_mesh(run / "mesh.ply", Mesh(source, mesh.faces, mesh.normals, mesh.colours))
    distance = np.full(len(source), scene.to_source.scale * OFF)
    distances = SurfaceDistances(source, distance, source, distance)
    figures = surface_figures(distances, threshold=0.1, diameter=6, unit="mm", protocol="dtu")
    up = np.array([0.0, 0, 1])
    write_error_clouds(run / "errors-none", distances, figures, Viewpoint(up, np.eye(3)[0]))
    for index in scene.test:
        name = scene.frames[index].name
        for folder in (run / "views", run / "views" / "normal"):
            write_image(folder / f"{name}.png", np.full((24, 32, 3), 120, np.uint8))
    (run / "config.yaml").write_text(
        method_as_yaml(load_method(ROOT / "config" / "methods" / "neus-mask.yaml"))
    )
    journal = "step,seconds,loss,psnr,inv_s\n" + "".join(
        f"{20 * i},{i},{1 / i:.4f},{20 + i},{5 * i}\n" for i in range(1, 500)
    )
    (run / "run").mkdir()
    (run / "run" / "metrics.csv").write_text(journal)
    (run / "path.mp4").write_bytes(b"no film, but a file")
    return root


def copy_scan(root: Path, scan: str, name: str) -> None:
    shutil.copytree(root / scan, root / name)


def change(path: Path, **keys: object) -> None:
    """Other values in a file of figures."""
    path.write_text(json.dumps(json.loads(path.read_text()) | keys))
