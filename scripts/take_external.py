"""Take what a program of others left: its mesh into the frame of the source, its views under the
names of our images. What cannot be taken has its reason in the record."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np

from neus.cli import run
from neus.errors import InputError
from neus.exports import RECORD
from neus.external import Outcome, find_mesh, find_views, read_outcome, way_to_export
from neus.files import code_version, written_whole
from neus.images import read_image, write_image
from neus.mesh import Mesh
from neus.mesh.export import write_mesh
from neus.metrics.geometry import Surface, load_surface
from neus.scene import Scene, Similarity, load_scene

MESHES = ("mesh.ply", "mesh.glb")
ORIGIN = "run here"


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", type=Path, required=True, help="folder of the canonical scene")
    parser.add_argument("--export", type=Path, required=True, help="what the program read")
    parser.add_argument("--outcome", type=Path, required=True, help="of run_external.py")
    parser.add_argument("--left", type=Path, required=True, help="folder that it wrote to")
    parser.add_argument("--mesh", default="mesh.*", help="pattern of its mesh in that folder")
    parser.add_argument("--views", help="pattern of the folder of its held-out views")
    parser.add_argument("--background", choices=["photo", "white", "black"], default="photo")
    parser.add_argument("--held-out", type=Path, help="folder of a second run, for views alone")
    parser.add_argument("--held-out-outcome", type=Path, help="of that run")
    parser.add_argument("--held-out-export", type=Path, help="what that run read")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--folder", type=Path, required=True, help="for mesh.ply, mesh.glb and views/"
    )
    parser.add_argument("--figures", type=Path, required=True, help="what it cost (.json)")
    parser.add_argument("--output", type=Path, required=True, help="the record (.json)")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    options = arguments(argv)
    scene, outcome = load_scene(options.scene), read_outcome(options.outcome)
    export = read_record(options.export)
    for name in MESHES:
        (options.folder / name).unlink(missing_ok=True)
    shutil.rmtree(options.folder / "views", ignore_errors=True)
    record: dict[str, Any] = {
        "background": options.background,
        "masks": export["masks"] > 0,
        "images_train": len(export["train"]),
        "mesh_reason": attempted(outcome, lambda: take_mesh(options, outcome, export)),
    }
    of_views, seen = outcome, export
    if options.held_out is not None:
        of_views = read_outcome(options.held_out_outcome)
        seen = read_record(options.held_out_export)
    record["images_train_views"] = len(seen["train"])
    if options.views is None:
        record["views_reason"] = f"{name_of(outcome, options)} renders no views"
    else:
        record["views_reason"] = attempted(of_views, lambda: take_views(options, scene))
    for reason in (record["mesh_reason"], record["views_reason"]):
        print(reason or "taken", file=sys.stderr)
    write(options.figures, cost(outcome, options.seed, export, scene))
    write(options.output, record)
    return 0


def name_of(outcome: Outcome, options: argparse.Namespace) -> str:
    return options.folder.parent.name


def attempted(outcome: Outcome, take: Any) -> str | None:
    """Why there is nothing to take; None if it was taken."""
    if outcome.reason is not None:
        return outcome.reason
    try:
        take()
    except InputError as error:
        return str(error)
    return None


def take_mesh(options: argparse.Namespace, outcome: Outcome, export: dict[str, Any]) -> None:
    name = name_of(outcome, options)
    try:
        path, way = find_mesh(options.left, options.mesh), way_to_export(options.left)
        surface = load_surface(path)
    except InputError as error:
        raise InputError(f"{name} {error}".replace(f"{options.left}/", "")) from error
    to_source = Similarity.from_matrix(np.array(export["to_source"])) @ way
    placed = surface.transformed(to_source)
    for file in MESHES:
        write_surface(options.folder / file, placed)


def write_surface(path: Path, surface: Surface) -> None:
    """A cloud stays one as PLY, and has no GLB."""
    if surface.faces is None and path.suffix == ".glb":
        return
    faces = np.zeros((0, 3), np.int64) if surface.faces is None else surface.faces
    write_mesh(path, Mesh(surface.vertices, faces, surface.normals, surface.colours))


def take_views(options: argparse.Namespace, scene: Scene) -> None:
    folder = options.left if options.held_out is None else options.held_out
    names = [scene.frames[index].name for index in scene.test]
    for index, (name, file) in zip(
        scene.test, find_views(folder, options.views, names).items(), strict=True
    ):
        image = read_image(file)
        size = (int(scene.cameras.heights[index]), int(scene.cameras.widths[index]))
        if image.shape[:2] != size:
            shutil.rmtree(options.folder / "views", ignore_errors=True)
            raise InputError(
                f"{file.name} has {image.shape[1]}x{image.shape[0]} pixels, and the image it is of "
                f"{size[1]}x{size[0]}"
            )
        write_image(options.folder / "views" / f"{name}.png", image)


def cost(outcome: Outcome, seed: int, export: dict[str, Any], scene: Scene) -> dict[str, Any]:
    """As train.json of our own trainings; seconds of a program that failed are no figure."""
    ended = outcome.reason is None
    return {
        "origin": ORIGIN,
        "train_seconds": outcome.seconds if ended else None,
        "peak_memory_gib": outcome.peak_memory_gib if ended else None,
        "device": outcome.device,
        "command": outcome.command,
        "seed": seed,
        "commit": code_version(),
        "images": len(export["train"]),
        "images_of_scene": len(scene.frames),
    }


def read_record(folder: Path) -> dict[str, Any]:
    try:
        return json.loads((folder / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: is no export of export_scene.py ({error})") from error


def write(path: Path, content: dict[str, Any]) -> None:
    with written_whole(path) as partial:
        partial.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    run(main)
