"""Readers of data formats: each turns its source into a :class:`neus.sources.capture.Capture`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from neus.errors import InputError, listed, refusal
from neus.sources.capture import Capture
from neus.sources.colmap import read_colmap
from neus.sources.copies import said_of_copies
from neus.sources.dtu import read_dtu
from neus.sources.likely import likely_source
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.middlebury import read_middlebury
from neus.sources.photos import find_photos
from neus.sources.strecha import read_strecha
from neus.sources.transforms import read_blender, read_nerfstudio

READERS: dict[str, Callable[..., Capture]] = {
    "blender": read_blender,
    "colmap": read_colmap,
    "demo": read_dtu,
    "dtu": read_dtu,
    "middlebury": read_middlebury,
    "nerfstudio": read_nerfstudio,
    "strecha": read_strecha,
}
"""By the name of the source; photos have no poses yet and are read with their COLMAP model."""
SOURCES = (*READERS, "photos")
ALIKE = {"nerfstudio": ("blender",), "blender": ("nerfstudio",), "dtu": ("demo",)}
"""Sources that read each other's files."""
MIN_IMAGES = 3
Report = Callable[[str], None]


def read_source(
    kind: str,
    path: Path,
    *,
    masks: MaskChoice,
    model: Path | None,
    report: Report,
) -> Capture:
    """Read a scan, its images unopened.

    Args:
        kind: one of :data:`SOURCES`.
        path: the scan's folder, or the file of its cameras.
        masks: which masks to use.
        model: output of ``estimate_poses.py``, for ``photos``.
        report: hears what is chosen among several, left out or mended.

    Raises:
        InputError: something is missing, cannot be read or does not fit together.
    """
    if kind == "photos" and model is None:
        raise InputError("--source photos needs --model: run estimate_poses.py first")
    if kind in ("photos", "colmap"):
        sparse = model and model / "sparse"
        capture = read_colmap(path, masks=masks, model=sparse, report=report)
    else:
        capture = READERS[kind](path, masks=masks, report=report)
    for line in said_of_copies(capture.scene):
        report(line)
    return capture


def check_source(
    kind: str, path: Path, *, masks: MaskChoice, report: Report = lambda line: None
) -> Capture | None:
    """Look at what a scan needs before any work starts; no image is decoded.

    Args:
        kind: one of :data:`SOURCES`.
        path: the scan's folder, or the file of its cameras.
        masks: which masks are asked for.
        report: hears what is left out or mended.

    Returns:
        What was read, or None for photos, whose cameras are not known yet.

    Raises:
        InputError: something is missing, cannot be read or does not fit together; all faults that
            were found are named.
    """
    if kind == "photos":
        _check_photos(path, masks, report)
        return None
    try:
        capture = read_source(kind, path, masks=masks, model=None, report=report)
    except InputError as error:
        hint = _what_was_meant(kind, path)
        if hint is None:
            raise
        raise InputError(*error.sentences, hint) from None
    count = len(capture.scene.frames)
    if count < MIN_IMAGES:
        raise refusal(
            path, f"{count} images with poses", "three or more", "add images with their cameras"
        )
    return capture


def _what_was_meant(kind: str, path: Path) -> str | None:
    """Another source that the path belongs to, or the folder above it; None if neither fits."""
    likely = likely_source(path)
    if likely is not None and kind not in (likely, *ALIKE.get(likely, ())):
        found, expected = f"files that source {likely} reads", f"those of {kind}"
        return str(refusal(path, found, expected, f"set source to {likely}"))
    if likely is None and path.is_dir() and kind != "nerfstudio":  # which looks there itself
        above = likely_source(path.parent)
        if above is not None and kind in (above, *ALIKE.get(above, ())):
            found, expected = "a folder within a scan", "the one that holds its cameras, too"
            return str(refusal(path, found, expected, f"set path to {path.parent}"))
    return None


def _check_photos(path: Path, masks: MaskChoice, report: Report) -> None:
    photos = find_photos(path)
    for line in photos.account:
        report(line)
    sound, broken = photos.sound()
    if broken:
        names = listed([image.relative_to(photos.root) for image in broken])
        report(f"{photos.root}: {len(broken)} photos cannot be read and are left out ({names})")
    if len(sound) < MIN_IMAGES:
        raise refusal(
            photos.root,
            f"{len(sound)} photos that can be read",
            "three or more, to measure anything",
            "add photos",
        )
    choose_masks(path, sound, photos.root, masks, report=report)
