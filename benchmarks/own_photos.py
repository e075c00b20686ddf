"""Meshes of real captures: scan65 with its own and with estimated cameras, and dinoSparseRing.

Both run through the workflow, as a user would run them, and end as one JSON line:

- ``scan65``: DTU's scan, once with its known cameras and once as bare photos with the same masks,
  at equal steps. The second mesh is aligned to the first by the cameras alone, and their mean
  distance is given as a share of the first one's diameter.
- ``dino``: Middlebury's dinoSparseRing through its own calibration. The mesh is to be closed, of
  one piece, and to fill the masks of all views.

``scan65.png``, ``scan65-photos.png`` and ``dino.png`` in the folder of results show the meshes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
import yaml

from neus.images import panel, to_uint8, write_image
from neus.mesh import Mesh
from neus.mesh.clean import face_components
from neus.metrics.closest import TriangleTree
from neus.metrics.evaluation import align_by_cameras
from neus.metrics.geometry import Surface, load_surface
from neus.metrics.silhouettes import shaded, silhouette, visible_faces
from neus.scene import Scene, load_image, load_mask, load_scene
from neus.sources import read_dtu

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("NEUS_DATA", ROOT / ".." / "shared" / "data"))
METHOD, SEED = "neus-mask", 0
LIMITS = {"scan65": {"distance_of_diameter": 0.01}, "dino": {"least_iou": 0.95}}
PICTURES = 4


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=DATA, help="holds dtu/ and middlebury/")
    parser.add_argument("--results", type=Path, required=True, help="folder of the workflow")
    parser.add_argument("--steps", type=int, default=6000, help="of each training")
    parser.add_argument("--resolution", type=int, default=512, help="of the meshes")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--only", nargs="+", choices=list(LIMITS), default=list(LIMITS))
    options = parser.parse_args()
    options.results.mkdir(parents=True, exist_ok=True)
    measures = {"scan65": scan65, "dino": dino}
    found = {name: measures[name](options) for name in options.only}
    result = {"benchmark": "own_photos", "steps": options.steps, "seed": SEED, "scans": found}
    print(json.dumps(result | {"limits": LIMITS}))
    return 0


def scan65(options: argparse.Namespace) -> dict[str, Any]:
    """Two meshes of one scan, and how far the one from estimated cameras is from the other."""
    known, photos = options.data.resolve() / "dtu" / "scan65", options.results / "bare" / "scan65"
    link(known / "image", photos / "images")
    link(known / "mask", photos / "masks")
    common = {"downscale": 4, "masks": True}
    scans = [
        {"name": "scan65", "source": "dtu", "path": str(known), **common},
        {"name": "scan65-photos", "source": "photos", "path": str(photos), **common},
    ]
    reference, estimated = run_workflow(scans, options)
    figures = estimated / "against-known.json"
    words = ["--mesh", estimated / "mesh.ply", "--reference", reference / "mesh.ply"]
    words += ["--scene", options.results / "scan65-photos" / "scene", "--known-cameras", known]
    run([sys.executable, ROOT / "scripts" / "evaluate_mesh.py", *words, "--output", figures])
    distances = json.loads(figures.read_text())
    registration = options.results / "scan65-photos" / "poses" / "registration.json"
    for name, folder in (("scan65", reference), ("scan65-photos", estimated)):
        draw(options.results, name, load_surface(folder / "mesh.ply"))
    return {
        "registered": json.loads(registration.read_text())["registered"],
        "accuracy_mm": distances["accuracy"],
        "completeness_mm": distances["completeness"],
        "diameter_mm": distances["diameter"],
        "distance_of_diameter": distances["chamfer"] / distances["diameter"],
        "completeness_where_seen_mm": completeness_where_seen(known, options.results),
        "normal_consistency": distances["normal_consistency"],
        "psnr_known": views(reference),
        "psnr_estimated": views(estimated),
    }


def completeness_where_seen(known: Path, results: Path) -> float:
    """Mean distance of what cameras see of the one mesh to that from estimated cameras, in mm."""
    reference, estimated = (
        load_surface(results / name / METHOD / f"seed{SEED}" / "mesh.ply")
        for name in ("scan65", "scan65-photos")
    )
    moved = load_scene(results / "scan65-photos" / "scene")
    alignment = align_by_cameras(moved, read_dtu(known, masks=False).scene)
    scene = load_scene(results / "scan65" / "scene")
    cameras = scene.cameras.transformed(scene.to_source)
    views = [np.unique(visible_faces(reference, cameras, index)) for index in range(len(cameras))]
    seen = np.setdiff1d(np.concatenate(views), [-1])
    centres = reference.triangles[seen].mean(axis=1)
    tree = TriangleTree.build(estimated.transformed(alignment.similarity).triangles)
    return float(tree.query(centres, os.cpu_count() or 1)[0].mean())


def dino(options: argparse.Namespace) -> dict[str, Any]:
    """A mesh, whether it is whole, and how well it fills the masks of all views."""
    path = options.data.resolve() / "middlebury" / "dinoSparseRing"
    scan = {"name": "dino", "source": "middlebury", "path": str(path)}
    (folder,) = run_workflow([scan], options)
    surface = load_surface(folder / "mesh.ply")
    draw(options.results, "dino", surface)
    assert surface.faces is not None
    mesh = trimesh.Trimesh(surface.vertices, surface.faces, process=False)
    overlaps = silhouette_overlaps(surface, load_scene(options.results / "dino" / "scene"))
    return {
        "closed": bool(mesh.is_watertight),
        "components": int(face_components(Mesh(surface.vertices, surface.faces)).max()) + 1,
        "faces": len(surface.faces),
        "mean_iou": float(np.mean(list(overlaps.values()))),
        "least_iou": min(overlaps.values()),
        "ious": {name: round(value, 4) for name, value in overlaps.items()},
        "psnr": views(folder),
    }


def run_workflow(scans: Sequence[dict[str, Any]], options: argparse.Namespace) -> list[Path]:
    """Mesh and held-out views of each scan; the folders of the runs."""
    config = {
        "scans": list(scans),
        "methods": [METHOD],
        "seeds": [SEED],
        "results": str(options.results),
        "mesh": {"resolution": options.resolution},
        "overrides": {"training": {"steps": options.steps}},
    }
    file = options.results / f"{scans[0]['name']}.yaml"
    file.write_text(yaml.safe_dump(config))
    folders = [options.results / scan["name"] / METHOD / f"seed{SEED}" for scan in scans]
    wanted = [folder / name for folder in folders for name in ("mesh.ply", "views.json")]
    words = ["--snakefile", ROOT / "Snakefile", "--directory", ROOT, "--configfile", file]
    run([sys.executable, "-m", "snakemake", *wanted, "--cores", options.cores, *words])
    return folders


def run(words: Sequence[Any]) -> None:
    """A program of this repository, its output shown among the progress."""
    search = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    done = subprocess.run(
        list(map(str, words)), env=os.environ | {"PYTHONPATH": search}, stdout=sys.stderr
    )
    if done.returncode:
        raise SystemExit(done.returncode)


def link(target: Path, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.is_symlink():
        place.symlink_to(target, target_is_directory=True)


def views(folder: Path) -> float:
    """PSNR of the held-out views of a run."""
    return json.loads((folder / "views.json").read_text())["psnr"]


def silhouette_overlaps(surface: Surface, scene: Scene) -> dict[str, float]:
    """Intersection over union of the mesh's silhouette with the mask, by the image's name."""
    cameras, overlaps = scene.cameras.transformed(scene.to_source), {}
    for index in scene.masked:
        seen, mask = silhouette(surface, cameras, index), load_mask(scene, index) > 127
        overlaps[scene.frames[index].name] = float((seen & mask).sum() / (seen | mask).sum())
    return overlaps


def draw(results: Path, name: str, surface: Surface) -> None:
    """Photos above the mesh as the same cameras see it, lit from where they stand."""
    scene = load_scene(results / name / "scene")
    cameras = scene.cameras.transformed(scene.to_source)
    chosen = np.linspace(0, len(cameras) - 1, PICTURES).astype(int).tolist()
    photos = [load_image(scene, index) for index in chosen]
    drawn = [to_uint8(np.repeat(shaded(surface, cameras, i)[..., None], 3, 2)) for i in chosen]
    write_image(results / f"{name}.png", panel([photos, drawn]))


if __name__ == "__main__":
    raise SystemExit(main())
