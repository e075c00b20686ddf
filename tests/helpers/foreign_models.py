"""Small scans as COLMAP and NeuS have them, of the cameras of `foreign_scans`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from neus.exports import export_scene
from neus.images import write_image
from neus.scene import Frame, Scene, Similarity
from tests.helpers.foreign_scans import COUNT, cameras, masks, numbered, picture


def write_model(folder: Path, kind: str = "text", *, names: list[str] | None = None) -> Path:
    """Images and a model in sparse/0, with twenty points that have no tracks."""
    names = names or numbered("{:04d}")
    frames = []
    for i, name in enumerate(names):
        write_image(folder / "raw" / f"{i}.png", picture(i))
        frames.append(Frame(name, folder / "raw" / f"{i}.png", None))
    points = np.random.default_rng(0).normal(size=(20, 3)) / 4
    colours = np.full((20, 3), 7, np.uint8)
    scene = Scene(tuple(frames), cameras(), Similarity.identity(), "u", (), points, colours)
    export_scene(scene, folder / "scan", f"colmap-{kind}")
    return folder / "scan"


def write_dtu(
    folder: Path, *, numbers=range(COUNT), image="{:06d}.png", dtype: type = np.float64, sphere=True
) -> Path:
    """Images, masks and ``cameras_sphere.npz``, whose sphere is the unit sphere."""
    matrices = {}
    numbers = list(numbers)
    for i, number in enumerate(numbers):
        intrinsics = cameras().intrinsics[i].copy()
        intrinsics[:2, 2] -= 0.5
        pose = np.vstack([cameras().camera_to_world[i], [0, 0, 0, 1]])
        world = np.eye(4)
        world[:3] = intrinsics @ np.linalg.inv(pose)[:3]
        matrices[f"world_mat_{number}"] = world.astype(dtype)
        if sphere:
            matrices[f"scale_mat_{number}"] = np.eye(4, dtype=dtype)
            matrices[f"camera_mat_{number}"] = np.eye(4, dtype=dtype)
            matrices[f"world_mat_inv_{number}"] = np.linalg.inv(world).astype(dtype)
        path = folder / "image" / image.format(number)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture(i)).save(path)
        write_image(folder / "mask" / f"{number:03d}.png", masks()[i])
    np.savez(folder / "cameras_sphere.npz", **matrices)  # pyright: ignore
    return folder
