"""Images and masks of a scene under the names of another layout."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from neus.images import write_image
from neus.scene import Scene, load_image, load_mask


def put_image(scene: Scene, index: int, target: Path) -> Path:
    """Copy the image of a frame, or write it if it has to be rectified.

    Args:
        target: its name without a suffix.

    Returns:
        The file.
    """
    frame = scene.frames[index]
    target.parent.mkdir(parents=True, exist_ok=True)
    if frame.rectify is None:
        file = target.with_name(target.name + frame.image.suffix.lower())
        shutil.copyfile(frame.image, file)
        return file
    file = target.with_name(f"{target.name}.png")
    write_image(file, load_image(scene, index))
    return file


def put_mask(scene: Scene, index: int, target: Path) -> Path | None:
    """Write the mask of a frame as a grey PNG file, if it has one."""
    if scene.frames[index].mask is None:
        return None
    target.parent.mkdir(parents=True, exist_ok=True)
    write_image(target, load_mask(scene, index))
    return target


def put_cut_out(scene: Scene, index: int, target: Path) -> Path:
    """Write an image with its mask as alpha channel; without a mask it is opaque."""
    image = load_image(scene, index)
    has_mask = scene.frames[index].mask is not None
    alpha = load_mask(scene, index) if has_mask else np.full(image.shape[:2], 255, np.uint8)
    file = target.with_name(f"{target.name}.png")
    write_image(file, np.dstack([image, alpha]))
    return file
