"""The readers by the names of their sources: read a scan, or look whether it is sound."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neus.errors import InputError
from neus.sources.capture import Capture
from neus.sources.colmap import read_colmap
from neus.sources.dtu import read_dtu
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.middlebury import read_middlebury
from neus.sources.photos import MASK_FOLDERS, find_images, first_folder
from neus.sources.strecha import read_strecha
from neus.sources.transforms import read_blender, read_nerfstudio


def _read_dtu(path: Path, *, masks: MaskChoice) -> Capture:
    if masks == "own":
        raise InputError("masks: own needs images on black or with alpha: paint masks for this one")
    found = first_folder(path, MASK_FOLDERS) is not None
    return read_dtu(path, masks=found if masks == "auto" else masks == "all")


READERS: dict[str, Callable[..., Capture]] = {
    "blender": read_blender,
    "colmap": read_colmap,
    "demo": _read_dtu,
    "dtu": _read_dtu,
    "middlebury": read_middlebury,
    "nerfstudio": read_nerfstudio,
    "strecha": read_strecha,
}
"""By the name of the source; photos have no poses yet and are read with their COLMAP model."""
SOURCES = (*READERS, "photos")


def read_source(
    kind: str,
    path: Path,
    *,
    masks: MaskChoice,
    model: Path | None,
    report: Callable[[str], None],
) -> Capture:
    """Read a scan, its images unopened.

    Args:
        kind: one of :data:`SOURCES`.
        path: the scan's folder.
        masks: which masks to use.
        model: output of ``estimate_poses.py``, for ``photos``.
        report: hears what is chosen among several.

    Raises:
        InputError: something is missing, cannot be read or does not fit together.
    """
    if kind == "photos" and model is None:
        raise InputError("--source photos needs --model: run estimate_poses.py first")
    if kind in ("photos", "colmap"):
        sparse = model and model / "sparse"
        return read_colmap(path, masks=masks, model=sparse, report=report)
    return READERS[kind](path, masks=masks)


def check_source(kind: str, path: Path, *, masks: MaskChoice) -> None:
    """Look at what a scan needs before any work starts; no image is decoded.

    Args:
        kind: one of :data:`SOURCES`.
        path: the scan's folder, or the video that its photos are taken from.
        masks: which masks are asked for.

    Raises:
        InputError: something is missing, cannot be read or does not fit together.
    """
    if kind != "photos":
        READERS[kind](path, masks=masks)
        return
    images = find_images(path)
    sound = [image for image in images if _is_sound(image)]  # the others will be left out
    if len(sound) < 3:
        raise InputError(
            f"{images[0].parent} holds {len(sound)} photos that can be read: three or more are "
            "needed to measure anything"
        )
    choose_masks(path, sound, images[0].parent, masks)


def _is_sound(image: Path) -> bool:
    try:
        image_size(image)
    except InputError:
        return False
    return True
