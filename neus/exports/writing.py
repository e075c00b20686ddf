"""A scene as a folder in another program's layout."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from neus.exports.models import write_colmap_binary, write_colmap_text, write_dtu
from neus.exports.transforms import write_blender, write_instant_ngp, write_nerfstudio
from neus.files import folder_written_whole
from neus.scene import Scene, Similarity

Report = Callable[[str], None]
EXPORTS: dict[str, Callable[[Scene, Path, Report], None]] = {
    "blender": write_blender,
    "colmap-binary": write_colmap_binary,
    "colmap-text": write_colmap_text,
    "dtu": write_dtu,
    "instant-ngp": write_instant_ngp,
    "nerfstudio": write_nerfstudio,
}
"""By the names that the program takes."""
RECORD = "export.json"
"""Frame, unit, the way to the source, and the names of the images, learnt from and held out."""
ENTRIES = (
    RECORD, "images", "image", "masks", "mask", "sparse", "train", "test", "sparse_pc.ply",
    "cameras_sphere.npz", "transforms.json", "transforms_train.json", "transforms_test.json",
)  # fmt: skip


def with_points(scene: Scene, count: int) -> Scene:
    """A scene without points gets so many at random in its sphere, for programs that start from
    some and look at what becomes of them; the points of one that has any stay as they are."""
    if len(scene.points):
        return scene
    rng = np.random.default_rng(0)
    points = rng.normal(size=(count, 3))
    points *= (rng.uniform(size=count) ** (1 / 3) / np.linalg.norm(points, axis=1))[:, None]
    return replace(scene, points=points, points_rgb=rng.integers(0, 256, (count, 3), np.uint8))


def export_scene(
    scene: Scene,
    folder: Path,
    layout: str,
    *,
    frame: Literal["source", "scene"] = "source",
    report: Report = lambda line: None,
) -> None:
    """Write cameras, images, masks and points of a scene; the folder is whole or not there.

    Args:
        scene: with its cameras and points in the scene frame.
        folder: replaced if it holds such an export.
        layout: one of :data:`EXPORTS`.
        frame: of cameras and points: that of the source and its unit, in which meshes are, too; or
            that of the unit sphere.
        report: hears what the layout cannot hold.

    Beside the layout's own files, :data:`RECORD` says where the frame lies in the source.

    Raises:
        InputError: the layout cannot hold the scene, or ``folder`` holds something else.
    """
    if frame == "source":
        moved = replace(
            scene,
            cameras=scene.cameras.transformed(scene.to_source),
            points=scene.to_source.apply(scene.points),
        )
    else:
        moved = replace(scene, to_source=Similarity.identity(), unit="scene units")
    record = {
        "layout": layout,
        "frame": frame,
        "unit": moved.unit,
        "to_source": (
            scene.to_source if frame == "scene" else Similarity.identity()
        ).matrix.tolist(),
        "train": [scene.frames[i].name for i in scene.train],
        "test": [scene.frames[i].name for i in scene.test],
        "masks": len(scene.masked),
    }
    with folder_written_whole(folder, ENTRIES) as whole:
        EXPORTS[layout](moved, whole, report)
        (whole / RECORD).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def chosen_images(scene: Scene, images: str, *, masks: bool = True) -> Scene:
    """The part of a scene that another program is to see.

    Args:
        images: ``split``, all with their split; ``all`` to learn from; or ``train``, those that
            are not held out, alone: what is not there cannot be learnt from, whatever the program.
        masks: whether it sees masks.
    """
    if not masks:
        scene = replace(scene, frames=tuple(replace(frame, mask=None) for frame in scene.frames))
    if images == "train":
        train = list(scene.train)
        frames = tuple(scene.frames[i] for i in train)
        return replace(scene, frames=frames, cameras=scene.cameras[train], test=())
    return scene.learned_whole() if images == "all" else scene
