"""What a path is: whose layout it has, whether there are masks, and how large images are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from neus.errors import InputError

SIGNS = (
    ("blender", ("transforms_train.json",)),
    ("nerfstudio", ("transforms.json", "meta_data.json")),
    ("dtu", ("cameras_sphere.npz", "cameras.npz", "cameras_large.npz")),
    ("middlebury", ("*_par.txt",)),
    ("strecha", ("*.camera",)),
    ("colmap", ("cameras.bin", "cameras.txt", "sparse", "colmap")),
)
"""A source and what lies in its folder; the first that fits."""
RESULT = "scene/transforms.json"
"""By which the folder of a scan's results is known, whose pictures are no photos."""
OBJECT_AND_ALL = "an object in its surroundings, without masks: neus learns both"
CUT_OUT = "there are masks: neus-mask learns from them"


@dataclass(frozen=True)
class Recognised:
    """What is known of a scan before anything runs.

    Attributes:
        name: that the scan gets.
        source: a key ``source`` of the configuration.
        path: of the scan, absolute.
        images: how many there are; None for a video.
        size: width and height of the first in pixels; None for a video.
        masked: how many have a mask.
        said: what else the reader had to say.
    """

    name: str
    source: str
    path: Path
    images: int | None
    size: tuple[int, int] | None
    masked: int
    said: tuple[str, ...]

    @property
    def method(self) -> tuple[str, str]:
        """A method for it, and why."""
        return ("neus-mask", CUT_OUT) if self.masked else ("neus", OBJECT_AND_ALL)


def recognised(path: Path) -> Recognised:
    """Look at a folder, a video, or the file of its cameras.

    Raises:
        InputError: nothing is there, or what is there cannot be read.
    """
    from neus.images import is_video
    from neus.sources import check_source, choose_masks, find_photos, image_size

    path = path.expanduser().resolve()
    if not path.exists():
        raise InputError(f"{path} does not exist: name a folder of photos, a video or a data set")
    if any(path.glob(RESULT)) or any(path.glob(f"*/{RESULT}")):
        raise InputError(f"{path} holds results: name the photos, or look at it with neus view")
    source = source_of(path)
    said: list[str] = []
    if is_video(path):
        return Recognised(name_of(path), source, path, None, None, 0, ())
    capture = check_source(source, path, masks="auto", report=said.append)
    if capture is not None:
        frames = capture.scene.frames
        size = image_size(frames[0].image)
        masked = len(capture.scene.masked)
        return Recognised(name_of(path), source, path, len(frames), size, masked, tuple(said))
    photos = find_photos(path)
    sound, _ = photos.sound()
    masks = choose_masks(path, sound, photos.root, "auto")
    masked = sum(mask is not None for mask in masks)
    size = image_size(sound[0])
    return Recognised(name_of(path), source, path, len(sound), size, masked, tuple(said))


def source_of(path: Path) -> str:
    """The layout that a path has; photos without cameras where it has none."""
    folder = path if path.is_dir() else path.parent
    for source, signs in SIGNS:
        for sign in signs:
            if path.is_dir() and any(folder.glob(sign)):
                return source
            if path.is_file() and path.match(sign):
                return source
    return "photos"


def name_of(path: Path) -> str:
    """A scan's name from that of its folder: letters, digits, dots, dashes and underscores."""
    folder = path.parent if path.name.lower() in ("images", "image", "photos") else path
    stem = folder.stem if path.is_file() else folder.name
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", stem).strip("-._")
    return f"{name or 'scan'}-scan" if name in ("", "demo", "mean") else name
