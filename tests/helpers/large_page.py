"""Results as large as a benchmark's: the sculpture in photos of 800x600, two million faces.

Fifteen scans of three methods are the files of one under other names; so are the parts of the
page, which are made of the files' sizes and times, wherever they lie.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import trimesh

from neus.config import load_method, method_as_yaml
from neus.images.files import to_uint8, write_image, write_video
from neus.mesh import Mesh
from neus.mesh.export import write_mesh
from neus.mesh.handover import handed_over
from neus.mesh.handover_files import write_handover
from neus.metrics.error_clouds import Viewpoint, write_error_clouds
from neus.metrics.surfaces import SurfaceDistances, surface_figures
from neus.page import write_page
from neus.scene import load_image, load_mask, load_scene
from neus.sources.demo import make_demo
from tests.helpers.measured_runs import MESH, VIEWS, write_run
from tests.helpers.places import ROOT

METHODS = ("neus-mask", "neus-mask-colour", "neus")
WIDTH, HEIGHT = 800, 600


def write_sculpture(root: Path, scan: str) -> Path:
    """One run: its renderings are blurred photos, its surface is the exact one, a bit off."""
    demo, scene = root / "demo" / scan, root / scan / "scene"
    make_demo(demo, 12, WIDTH, HEIGHT)
    words = ["--source", "dtu", "--path", str(demo), "--holdout", "2", "--output", str(scene)]
    program = [sys.executable, str(ROOT / "scripts" / "normalize_scene.py"), *words]
    subprocess.run(program, check=True, capture_output=True)
    loaded = load_scene(scene)
    names = [loaded.frames[i].name for i in loaded.test]
    views = VIEWS | {"views": {name: {"psnr": 30.0 - i} for i, name in enumerate(names)}}
    write_run(root, scan, METHODS[0], 0, views, MESH | {"fscore_threshold": 1.0})
    run = root / scan / METHODS[0] / "seed0"
    for folder in (run / "logs", run / "run", root / scan / "logs"):
        folder.mkdir()
    for index, name in zip(loaded.test, names, strict=True):
        mask = load_mask(loaded, index)[:, :, None] / 255
        photo = load_image(loaded, index) * mask + 255 * (1 - mask)
        rendering = cv2.GaussianBlur(photo, (0, 0), 1.2).astype(np.uint8)
        write_image(run / "views" / f"{name}.png", rendering)
        write_image(run / "views" / "normal" / f"{name}.png", rendering[:, :, ::-1].copy())
    mesh = _write_surface(run, demo / "reference" / "mesh.ply")
    handed = handed_over(mesh, loaded, faces=20_000, side=1024, seconds=120)
    write_handover(run / "mesh.glb", handed)
    method = load_method(ROOT / "config" / "methods" / "neus-mask.yaml")
    (run / "config.yaml").write_text(method_as_yaml(method))
    rows = "".join(f"{20 * i},{i},{1 / i:.4f},{20 + i / 50}\n" for i in range(1, 500))
    (run / "run" / "metrics.csv").write_text("step,seconds,loss,psnr\n" + rows)
    frames = (np.full((120, 320, 3), 8 * i, np.uint8) for i in range(24))
    write_video(run / "path.mp4", frames)
    return root


def _write_surface(run: Path, exact: Path) -> Mesh:
    """The exact surface with four faces for each, moved by waves, and its measured errors."""
    true = trimesh.load(exact, process=False)
    assert isinstance(true, trimesh.Trimesh)
    vertices, faces, *_ = trimesh.remesh.subdivide(true.vertices, true.faces)
    size = np.ptp(vertices, axis=0).max()
    waves = np.sin(60 * vertices / size)
    off = 0.004 * size * np.abs(waves).prod(axis=1)
    normals = np.asarray(trimesh.Trimesh(vertices, faces, process=False).vertex_normals)
    colours = to_uint8(0.5 + 0.45 * np.sin(300 * vertices / size) * waves[:, ::-1])
    moved = vertices + off[:, None] * normals
    mesh = Mesh(moved, faces, normals, colours)
    write_mesh(run / "mesh.ply", mesh)
    few = slice(None, None, 2)
    reference = np.asarray(true.vertices)
    distances = SurfaceDistances(moved[few], off[few], reference, np.full(len(reference), 0.3))
    figures = surface_figures(distances, threshold=1.0, diameter=size, unit="mm", protocol="dtu")
    view = Viewpoint(np.array([0.0, -1, 0]), np.array([0.0, 0, -1]))
    write_error_clouds(run / "errors-none", distances, figures, view)
    return mesh


def write_benchmark(results: Path, scan: str, root: Path, scans: int) -> Path:
    """A page of so many scans and all `METHODS`, each with the files and parts of one run."""
    write_page(results)
    for i in range(scans):
        name = f"scan{i}"
        _link(results / scan, root / name)
        parts = root / "page"
        _renamed(results / "page" / f"{scan}.js", parts / f"{name}.js")
        for method in METHODS:
            _link(results / scan / METHODS[0], root / name / method)
            one = results / "page" / scan / f"{METHODS[0]}.js"
            _renamed(one, parts / name / f"{method}.js")
    return write_page(root)


def _link(source: Path, target: Path) -> None:
    """A copy with the same times, whose files take no place of their own."""
    shutil.copytree(source, target, copy_function=_hard_link, dirs_exist_ok=True)


def _hard_link(source: str, target: str) -> None:
    Path(target).unlink(missing_ok=True)
    Path(target).hardlink_to(source)


def _renamed(part: Path, target: Path) -> None:
    """A part under the name that the page knows the copy by."""
    head, call = part.read_text().split("\n", 1)
    content = call[call.index(",") :]
    target.parent.mkdir(parents=True, exist_ok=True)
    words = target.parts[len(target.parts) - target.parts[::-1].index("page") - 1 :]
    target.write_text(f"{head}\nneusPart({json.dumps('/'.join(words))}{content}")
