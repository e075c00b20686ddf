"""What one run shows: its surface beside the reference, its views beside photos, its training."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.config import load_method
from neus.errors import InputError
from neus.images import read_image
from neus.mesh import Mesh
from neus.mesh.handover_files import read_handover
from neus.metrics.error_clouds import first_picture, shares_of_colours
from neus.metrics.evaluation import Surroundings
from neus.page.clouds import reference_cloud
from neus.page.curves import curves
from neus.page.packing import Packed, picture
from neus.page.surface import Errors, surface_of_page
from neus.page.textures import texture_points
from neus.page.views import as_pictures, chosen_views, compared, fitted, worst_view
from neus.scene import Scene, Similarity, load_scene

if TYPE_CHECKING:
    from jaxtyping import UInt8

MADE = (("device", "Device"), ("commit", "Commit"), ("budget", "Budget"), ("seed", "Seed"))
THUMB = 360
"""Pixels of the longer side of a picture on the wall."""


def run_sources(run: Path, culling: str) -> list[Path]:
    """The files that the part of a run is made of."""
    errors = run / f"errors-{culling}"
    figures = ("train.json", "views.json", f"mesh-{culling}.json", "run/metrics.csv")
    names = ("mesh.ply", "mesh.glb", "config.yaml", "taken.json", *figures)
    return [
        *(run / name for name in names),
        run / "views",
        *(errors / name for name in ("accuracy.ply", "completeness.ply", "accuracy.png")),
        run.parent.parent / "scene" / "transforms.json",
    ]


def run_part(run: Path, culling: str, workers: int = 1) -> tuple[dict[str, Any], dict[str, Any]]:
    """Head and content of a run's part; what is missing is None.

    Args:
        run: the folder of one seed.
        culling: by which way of measuring the errors are shown.

    Raises:
        InputError: a file that is there cannot be read.
    """
    scene = load_scene(run.parent.parent / "scene")
    views, images = _views(run, scene)
    mesh_figures = _json(run / f"mesh-{culling}.json")
    accuracy, completeness, absence = _errors(run / f"errors-{culling}", mesh_figures, scene)
    content = {
        "surface": _surface(run, scene, accuracy, workers),
        "reference": None if completeness is None else reference_cloud(completeness),
        "errors_absent": absence,
        "shown": 2 * mesh_figures["fscore_threshold"] if accuracy and mesh_figures else None,
        "views": views,
        "curves": curves(run / "run" / "metrics.csv"),
        "config": _text(run / "config.yaml"),
        "made": made_by(_json(run / "train.json") or {}),
    }
    head: dict[str, Any] = {"thumbs": _thumbs(images, run / f"errors-{culling}" / "accuracy.png")}
    taken = _json(run / "taken.json")
    if taken and taken["views_reason"]:
        head["no_views"] = f"{taken['views_reason']}."
    return head, content


def _views(run: Path, scene: Scene) -> tuple[list[dict[str, Any]], dict[str, np.ndarray]]:
    """The held-out views that are shown, and the pictures of the worst of them."""
    figures = (_json(run / "views.json") or {}).get("views", {})
    seen = _surroundings(run)
    indices = {scene.frames[i].name: i for i in scene.test}
    names = [name for name in indices if (run / "views" / f"{name}.png").is_file()]
    if not names or seen is None:
        return [], {}
    psnr = {name: figures.get(name, {}).get("psnr") for name in names}
    worst, shown, kept = worst_view(names, psnr), [], {}
    for name in chosen_views(names, psnr):
        images = compared(run / "views", scene, indices[name], seen)
        kept = images if name == worst else kept
        shown.append({"name": name, "figures": figures.get(name, {})} | as_pictures(images))
    return shown, kept


def _surroundings(run: Path) -> Surroundings | None:
    """By the method, or by what the record of a program of others says."""
    config, taken = run / "config.yaml", _json(run / "taken.json")
    if config.is_file():
        return Surroundings.of(load_method(config))
    if taken is None:
        return None
    return Surroundings.around(taken["background"], masks=taken["masks"])


def _errors(
    folder: Path, figures: dict[str, Any] | None, scene: Scene
) -> tuple[Errors | None, Errors | None, str | None]:
    """Errors at points of the mesh and of the reference (scene frame), or why there are none."""
    if figures is None:
        return None, None, "the surface has not been measured"
    if figures.get("reason"):
        return None, None, figures["reason"]
    files = [folder / f"{name}.ply" for name in ("accuracy", "completeness")]
    if not all(file.is_file() for file in files):
        return None, None, f"{folder.name} lacks its clouds"
    to_scene, alignment = scene.to_source.inverse(), figures.get("alignment")
    if alignment:
        if "matrix" not in alignment:
            return None, None, "measured by an earlier version, which kept no alignment"
        to_scene = to_scene @ Similarity.from_matrix(np.array(alignment["matrix"])).inverse()
    accuracy, completeness = (_cloud(file, to_scene) for file in files)
    return accuracy, completeness, None


def _cloud(path: Path, to_scene: Similarity) -> Errors:
    import trimesh

    cloud: Any = trimesh.load(path, process=False)
    colours = np.asarray(cloud.colors, np.uint8)[:, :3]
    return Errors(to_scene.apply(np.asarray(cloud.vertices)), shares_of_colours(colours))


def _surface(run: Path, scene: Scene, errors: Errors | None, workers: int) -> Packed | None:
    if not (run / "mesh.ply").is_file():
        return None
    try:
        photographed = texture_points(read_handover(run / "mesh.glb"), scene)
    except InputError:  # there is none, or one that an earlier version made, without a texture
        photographed = None
    return surface_of_page(_mesh(run / "mesh.ply", scene), errors, workers, photographed)


def made_by(figures: dict[str, Any]) -> list[list[str]]:
    """Names and values of how a run was trained: device, commit and versions, as it noted them."""
    pairs = [[title, figures.get(name)] for name, title in MADE]
    pairs += [[name, value] for name, value in figures.get("versions", {}).items()]
    return [[title, str(value)] for title, value in pairs if value is not None]


def _mesh(path: Path, scene: Scene) -> Mesh:
    """The mesh of a run in the scene frame; grey where its vertices have no colours."""
    import trimesh

    mesh: Any = trimesh.load(path, process=False)
    to_scene = scene.to_source.inverse()
    colours = np.asarray(mesh.visual.vertex_colors, np.uint8)[:, :3]
    normals = to_scene.apply_to_directions(np.asarray(mesh.vertex_normals))
    return Mesh(to_scene.apply(np.asarray(mesh.vertices)), np.asarray(mesh.faces), normals, colours)


def _thumbs(images: dict[str, np.ndarray], errors: Path) -> dict[str, str | None]:
    """Small pictures for the wall: the worst held-out view, and the surface in its errors."""

    def small(image: UInt8[np.ndarray, "h w 3"]) -> str:
        return picture(fitted(image, THUMB), 76)

    front = None
    if errors.is_file():
        front = small(first_picture(read_image(errors)))
    return {
        "rendering": small(images["rendering"]) if images else None,
        "errors": front,
    }


def _json(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None
