"""What all runs of a scan have in common: cameras, points, and how to look at it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import InputError
from neus.images import read_image
from neus.page.clouds import coloured_cloud
from neus.page.packing import picture
from neus.page.views import fitted
from neus.scene import Scene, load_scene, standpoint

OVERVIEW_SIDE = 1240


def scan_sources(folder: Path) -> list[Path]:
    """The files that the part of a scan is made of."""
    return [
        *(folder / "scene" / name for name in ("transforms.json", "points.ply", "overview.png")),
        *(folder / "stereo" / name for name in ("fused.ply", "figures.json")),
        folder / "poses" / "registration.json",
    ]


def scan_part(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Head and content of a scan's part. Its sizes and directions are those of the scene frame.

    Raises:
        InputError: the scene is missing or malformed.
    """
    scene = load_scene(folder / "scene")
    up, front = standpoint(scene.cameras)
    head = {"unit": scene.unit, "images": len(scene.frames), "held_out": len(scene.test)}
    content = head | {
        "up": up.tolist(),
        "front": front.tolist(),
        "scale": scene.to_source.scale,
        "cameras": cameras_of(scene),
        "sparse": coloured_cloud(scene.points, scene.points_rgb) if len(scene.points) else None,
        "stereo": _stereo(folder / "stereo" / "fused.ply", scene),
        "overview": _overview(folder / "scene" / "overview.png"),
        "notes": _notes(folder),
    }
    return head, content


def cameras_of(scene: Scene) -> list[dict[str, Any]]:
    """Each camera's name, centre and the corners of its view at depth 1, and if it is held out."""
    held_out = set(scene.test)
    listed = []
    for i, frame in enumerate(scene.frames):
        width, height = scene.cameras.widths[i], scene.cameras.heights[i]
        corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1.0]])
        rotation = scene.cameras.camera_to_world[i, :, :3]
        rays = corners @ np.linalg.inv(scene.cameras.intrinsics[i]).T @ rotation.T
        listed.append(
            {
                "name": frame.name,
                "centre": scene.cameras.centres[i].round(4).tolist(),
                "rays": rays.round(4).tolist(),
                "held_out": i in held_out,
            }
        )
    return listed


def _stereo(path: Path, scene: Scene) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    import trimesh

    try:
        raw = trimesh.load(path, process=False).metadata["_ply_raw"]["vertex"]["data"]
        points, normals, colours = (
            np.stack([raw[name] for name in names], axis=1)
            for names in (("x", "y", "z"), ("nx", "ny", "nz"), ("red", "green", "blue"))
        )
    except (ValueError, KeyError, AttributeError) as error:
        raise InputError(f"{path} is no cloud of dense_stereo.py: run it again") from error
    to_scene = scene.to_source.inverse()
    return coloured_cloud(
        to_scene.apply(points), colours.astype(np.uint8), to_scene.apply_to_directions(normals)
    )


def _overview(path: Path) -> str | None:
    return picture(fitted(read_image(path), OVERVIEW_SIDE)) if path.is_file() else None


def _notes(folder: Path) -> list[str]:
    """What the stages before training have to say."""
    notes = []
    found = _read(folder / "poses" / "registration.json")
    if found:
        notes.append(
            f"{found['registered']} of {found['images']} photos placed, "
            f"{found['reprojection_error_px']:.2f} px off on average, {found['points']:,} points"
        )
    found = _read(folder / "stereo" / "figures.json")
    if found:
        notes.append(
            f"stereo: {found['points']:,} points of {found['views']} views, "
            f"{found['coverage']:.0%} of their pixels"
        )
        notes += [found["sentence"]] if found.get("sentence") else []
    return notes


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
