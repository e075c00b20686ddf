"""The files of a scan that its results depend on, whatever its source is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from neus.errors import InputError
from neus.pipeline.fingerprints import named_files
from neus.pipeline.scans import Scan
from neus.sources import Capture, choose_masks, find_photos, read_source


def source_files(scan: Scan, capture: Capture | None = None) -> list[tuple[str, Path]]:
    """Files with the names that they go by, wherever the scan lies: images, masks and cameras.

    Of a source that cannot be read it is the path itself; that it cannot, is said elsewhere.

    Args:
        capture: what was read of the scan already, if anything was.
    """
    if scan.source == "photos" and scan.path.is_file():
        return [(scan.path.name, scan.path)]
    folder = scan.path if scan.path.is_dir() else scan.path.parent
    try:
        files = _of_photos(scan) if scan.source == "photos" else _of_cameras(capture or _read(scan))
    except InputError:
        return [(scan.path.name, scan.path)]
    return named_files(files, folder)


def states_split(scan: Scan, capture: Capture | None = None) -> bool:
    """Whether the source of a scan itself says which images are held out, as Blender's does.

    Of a source that cannot be read it does not; that it cannot, is said elsewhere.
    """
    if scan.source not in ("nerfstudio", "blender"):
        return False
    try:
        return bool((capture or _read(scan)).scene.test)
    except InputError:
        return False


def _read(scan: Scan) -> Capture:
    return read_source(
        scan.source, scan.path, masks=scan.masks, model=None, report=lambda line: None
    )


def _of_photos(scan: Scan) -> Sequence[Path]:
    photos = find_photos(scan.path)
    sound, broken = photos.sound()
    masks = choose_masks(scan.path, sound, photos.root, scan.masks)
    return [*sound, *broken, *(mask for mask in masks if mask is not None)]


def _of_cameras(capture: Capture) -> Sequence[Path]:
    frames = capture.scene.frames
    masks = (frame.mask for frame in frames if frame.mask is not None)
    return [*capture.files, *(frame.image for frame in frames), *masks]
