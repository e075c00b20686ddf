"""The photos of a scan with the masks that say where features count."""

from __future__ import annotations

from pathlib import Path

from neus.errors import listed
from neus.poses.method import Report
from neus.poses.prepared import Photo
from neus.sources import MaskChoice, PhotoFolder, blank_masks, choose_masks, find_photos


def gather(
    path: Path, masks: MaskChoice, *, threads: int, report: Report
) -> tuple[PhotoFolder, list[Photo]]:
    """All photos of a scan, readable or not, by their names below their folder.

    Raises:
        InputError: there is no photo, or masks do not fit; see
            :func:`neus.sources.choose_masks`.
    """
    folder = find_photos(path)
    for line in folder.account:
        report(line)
    sound, _ = folder.sound()
    chosen = choose_masks(path, sound, folder.root, masks, report=report)
    black = blank_masks(sound, chosen, threads=threads, report=report)
    mask = {
        image: mask
        for i, (image, mask) in enumerate(zip(sound, chosen, strict=True))
        if i not in black
    }
    photos = [
        Photo(image, name, mask.get(image))
        for image, name in zip(folder.images, folder.names, strict=True)
    ]
    return folder, photos


def said_of_changes(path: Path, before: PhotoFolder) -> list[str]:
    """A sentence, if photos came or went while they were worked on."""
    after = find_photos(path)
    came = [name for name in after.names if name not in set(before.names)]
    went = [name for name in before.names if name not in set(after.names)]
    if not came and not went:
        return []
    return [
        f"warning: {before.root} changed meanwhile ({len(came)} photos came, {len(went)} went: "
        f"{listed([*came, *went], 3)}): run again, and the poses are estimated with them"
    ]
