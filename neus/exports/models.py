"""COLMAP's model, text or binary, and NeuS's file of projections."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import refusal
from neus.exports.pictures import put_image, put_mask
from neus.scene import Scene
from neus.sources import import_pycolmap

Report = Callable[[str], None]


def write_colmap_text(scene: Scene, folder: Path, report: Report) -> None:
    """``sparse/0/*.txt``, ``images/`` and ``masks/{image}.png``."""
    _write_colmap(scene, folder, lambda model, target: model.write_text(target))


def write_colmap_binary(scene: Scene, folder: Path, report: Report) -> None:
    """``sparse/0/*.bin``, ``images/`` and ``masks/{image}.png``."""
    _write_colmap(scene, folder, lambda model, target: model.write_binary(target))


def _write_colmap(scene: Scene, folder: Path, write: Callable[[Any, Path], None]) -> None:
    pycolmap = import_pycolmap()
    model = pycolmap.Reconstruction()
    known: dict[tuple[float, ...], int] = {}
    for i, frame in enumerate(scene.frames):
        image = put_image(scene, i, folder / "images" / frame.name)
        put_mask(scene, i, folder / "masks" / f"{image.name}.png")
        params = scene.cameras.intrinsics[i][[0, 1, 0, 1], [0, 1, 2, 2]].tolist()
        width, height = int(scene.cameras.widths[i]), int(scene.cameras.heights[i])
        key = (width, height, *params)
        if key not in known:
            known[key] = len(known) + 1
            camera = pycolmap.Camera(model="PINHOLE", width=width, height=height, params=params)
            camera.camera_id = known[key]
            model.add_camera_with_trivial_rig(camera)
        pose = np.eye(4)
        pose[:3] = scene.cameras.camera_to_world[i]
        posed = pycolmap.Image(image.name, np.zeros((0, 2)), known[key], i + 1)
        model.add_image_with_trivial_frame(posed, pycolmap.Rigid3d(np.linalg.inv(pose)[:3]))
    for point, colour in zip(scene.points, scene.points_rgb, strict=True):
        model.add_point3D(point, pycolmap.Track(), colour)
    target = folder / "sparse" / "0"
    target.mkdir(parents=True)
    write(model, target)


def write_dtu(scene: Scene, folder: Path, report: Report) -> None:
    """``image/``, ``mask/`` and ``cameras_sphere.npz``, whose sphere is the unit sphere.

    Images are numbered; pixel centres are integers there.

    Raises:
        InputError: the images are of several sizes, which the layout does not have.
    """
    sizes = sorted(set(zip(scene.cameras.widths, scene.cameras.heights, strict=True)))
    if len(sizes) > 1:
        raise refusal(
            folder,
            f"images of {len(sizes)} sizes",
            "one size, which NeuS's layout has",
            "choose another format",
        )
    matrices: dict[str, np.ndarray] = {}
    for i in range(len(scene.frames)):
        put_image(scene, i, folder / "image" / f"{i:06d}")
        put_mask(scene, i, folder / "mask" / f"{i:03d}.png")
        intrinsics = scene.cameras.intrinsics[i].copy()
        intrinsics[:2, 2] -= 0.5
        pose = np.eye(4)
        pose[:3] = scene.cameras.camera_to_world[i]
        world = np.eye(4)
        world[:3] = intrinsics @ np.linalg.inv(pose)[:3]
        matrices |= {f"world_mat_{i}": world, f"scale_mat_{i}": scene.to_source.matrix}
    np.savez(folder / "cameras_sphere.npz", allow_pickle=False, **matrices)
    if scene.unit != "mm":
        report(f"the unit stays {scene.unit}, which NeuS's layout does not say")
