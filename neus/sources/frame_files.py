"""The files that frames of a ``transforms.json`` name: images, masks and points."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import Faults, InputError, listed, refusal
from neus.sources import dialects
from neus.sources.frame_faults import FrameFaults
from neus.sources.given_poses import FrameError
from neus.sources.masks import MaskChoice, check_sizes, choose_masks
from neus.sources.names import MASK_PLACES, Finder

Report = Callable[[str], None]
Record = Mapping[str, Any]
LEAST_SHARE = 0.5
"""Of the frames: if more than these have an image, those that have none are dropped."""


def find_images(
    file: Path, content: Mapping[str, Any], faults: FrameFaults, report: Report
) -> list[tuple[Record, str, Path]]:
    """The frames that have an image: record, name as written, file.

    Frames whose image is missing are dropped if most images are there, as instant-ngp does. A
    frame that is listed twice is taken once.

    Args:
        faults: receives frames that name no image, or one image with two poses.

    Raises:
        InputError: half of the images or more are missing.
    """
    records = dialects.frames_of(file, content)
    finder = Finder(file.parent)
    found: list[tuple[Record, str, Path]] = []
    missing: list[str] = []
    for number, record in enumerate(records):
        name = dialects.text_of(record, dialects.NAME_KEYS)
        if name is None:
            faults.noted(f"number {number}", _no_name)
            continue
        image = finder.find(name)
        if image is None:
            missing.append(name)
        else:
            found.append((record, name, image))
    for line in finder.account(file):
        report(line)
    if missing:
        _check_missing(file, missing, len(records), report)
    return _once(file, found, faults, report)


def _no_name() -> None:
    raise FrameError("file_path", "none", "the name of an image", "write it, or take it out")


def _check_missing(file: Path, missing: Sequence[str], count: int, report: Report) -> None:
    first = listed(missing)
    if len(missing) < LEAST_SHARE * count:
        report(
            f"{file}: {len(missing)} of {count} frames have no image and are dropped ({first}): "
            "add them, if they are to be used"
        )
        return
    folder = os.path.normpath(file.parent)
    raise refusal(
        f"{file}, key file_path",
        f"{len(missing)} of {count} images that do not exist below {folder} ({first})",
        "the images beside the file",
        "add them, or correct the names",
    )


def _once(
    file: Path, found: list[tuple[Record, str, Path]], faults: FrameFaults, report: Report
) -> list[tuple[Record, str, Path]]:
    """Frames without those that are listed again."""
    first: dict[Path, Record] = {}
    kept, again = [], []
    for record, name, image in found:
        if image not in first:
            first[image] = record
            kept.append((record, name, image))
        elif _pose(record) == _pose(first[image]):
            again.append(name)
        else:
            faults.noted(name, _two_poses)
    if again:
        report(f"{file}: {len(again)} frames are listed twice and taken once ({listed(again)})")
    return kept


def _two_poses() -> None:
    raise FrameError(
        "transform_matrix",
        "an image that is listed twice with different poses",
        "one pose for each image",
        "keep the frame that is right",
    )


def _pose(record: Record) -> str:
    """Rounded, so that two writers of one pose agree."""
    value = next((record[key] for key in dialects.POSE_KEYS if key in record), None)
    try:
        return str(np.round(np.asarray(value, dtype=np.float64), 6).tolist())
    except (TypeError, ValueError):
        return repr(value)


def find_masks(
    file: Path,
    records: Sequence[Record],
    images: Sequence[Path],
    choice: MaskChoice,
    report: Report,
) -> list[Path | None]:
    """The mask of each image: that of its frame, else as `choose_masks` finds it.

    ``mask_path: null`` says that a frame has none.

    Raises:
        InputError: masks are missing, or have another size than their image.
    """
    names = [dialects.text_of(record, dialects.MASK_KEYS) for record in records]
    if choice not in ("auto", "all") or not any(names):
        return choose_masks(file.parent, images, _common(images), choice, report=report)
    finder, faults = Finder(file.parent, places=MASK_PLACES), Faults()
    masks = [None if name is None else finder.find(name) for name in names]
    pairs = list(zip(names, masks, images, strict=True))
    gone = [name for name, mask, _ in pairs if name is not None and mask is None]
    bare = [image.name for name, _, image in pairs if name is None]
    if gone:
        faults.add(
            refusal(
                f"{file}, key mask_path",
                f"{len(gone)} of {len(images)} masks that do not exist ({listed(gone)})",
                "the masks beside the file",
                "add them, or set masks to false",
            )
        )
    if bare and choice == "all":
        faults.add(
            refusal(
                f"{file}, key mask_path",
                f"none in {len(bare)} of {len(images)} frames ({listed(bare)})",
                "a mask for each image, as the key masks: true asks",
                "add mask_path, or set masks to auto",
            )
        )
    with faults.noted():
        check_sizes({image: mask for _, mask, image in pairs if mask is not None})
    faults.raise_any()
    return masks


def find_points(file: Path, content: Mapping[str, Any], report: Report) -> Path | None:
    """The point cloud that a file names; one that is not there is said to be missing."""
    name = dialects.text_of(content, ("ply_file_path",))
    if name is None:
        return None
    found = Finder(file.parent, {".ply"}, ()).find(name)
    if found is None:
        report(f"{file}, key ply_file_path: {name} does not exist: going on without points")
    return found


def is_flight(file: Path, content: Mapping[str, Any]) -> bool:
    """Whether none of the frames has an image."""
    try:
        names = [dialects.text_of(f, dialects.NAME_KEYS) for f in dialects.frames_of(file, content)]
    except InputError:
        return False
    finder = Finder(file.parent)
    return not any(name is not None and finder.find(name) for name in names)


def _common(images: Sequence[Path]) -> Path:
    """The folder that all images lie below."""
    return Path(os.path.commonpath([image.parent for image in images])) if images else Path()
