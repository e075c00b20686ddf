"""Photos as COLMAP can take them: under plain names, in kinds that it reads, with their masks.

PyCOLMAP splits lists of pairs at blanks and knows no HEIC. So it works on a folder of links under
numbers; the model gets the names of the photos back at the end.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.files import kept
from neus.images import (
    JPEG,
    ORIENTATION,
    colmap_reads,
    exif_tags,
    orientation,
    read_image,
    read_mask,
    read_own_mask,
    write_image,
)
from neus.sources import image_size

if TYPE_CHECKING:
    from jaxtyping import UInt8

PHOTOS, MASKS = "photos", "masks"
QUALITY = 97
"""Of JPEG files that photos of other kinds are converted to."""


@dataclass(frozen=True)
class Photo:
    """Attributes:
    file: of the photo.
    name: below the folder of photos, which the model will have.
    mask: of the object: a file, the photo itself if it brings its mask, or None.
    """

    file: Path
    name: str
    mask: Path | None = None

    @property
    def state(self) -> list[object]:
        """What tells whether it is still the same."""
        files = [file for file in (self.file, self.mask) if file is not None]
        marks = [
            (s.st_size, s.st_mtime_ns, s.st_ctime_ns, s.st_ino) for s in (f.stat() for f in files)
        ]
        return [self.name, self.mask is None, *marks]


@dataclass(frozen=True)
class PreparedPhotos:
    """Attributes:
    photos: the links and converted photos, all in one folder, in the order of the originals.
    names: of the originals.
    masks: folder of masks, as COLMAP's ``mask_path`` wants it, one for each photo: white all over
        for those that have none. Or None if no photo has one.
    place: folder of the originals, to be named.
    states: what tells whether the originals are still the same.
    """

    photos: tuple[Path, ...]
    names: tuple[str, ...]
    masks: Path | None
    place: Path
    states: tuple[list[object], ...]

    def name_images(self, model: Any) -> None:
        """Give the images of a ``pycolmap.Reconstruction`` the names of the photos."""
        names = {photo.name: name for photo, name in zip(self.photos, self.names, strict=True)}
        for image in model.images.values():
            image.name = names.get(image.name, image.name)


def prepare(photos: Sequence[Photo], *, place: Path, work: Path, threads: int) -> PreparedPhotos:
    """Lay photos out for COLMAP.

    Args:
        photos: readable ones.
        place: their folder, to be named.
        work: folder that keeps what was converted for the next run.

    Raises:
        InputError: a photo or a mask cannot be read.
    """
    targets = [f"{i:06d}{_suffix(photo.file)}" for i, photo in enumerate(photos)]

    masked = any(photo.mask is not None for photo in photos)

    def make(folder: Path) -> None:
        (folder / PHOTOS).mkdir()
        with ThreadPoolExecutor(threads) as pool:
            jobs = zip(photos, targets, strict=True)
            list(pool.map(lambda job: _lay_out(folder, *job, with_masks=masked), jobs))

    key = [[str(photo.file.absolute()), photo.state] for photo in photos]
    folder = kept(work, "prepared", key, make)
    return PreparedPhotos(
        tuple(folder / PHOTOS / target for target in targets),
        tuple(photo.name for photo in photos),
        folder / MASKS if masked else None,
        place,
        tuple(photo.state for photo in photos),
    )


def _suffix(file: Path) -> str:
    suffix = file.suffix.lower()
    return suffix if suffix not in JPEG and colmap_reads(file) else ".jpg"


def _lay_out(folder: Path, photo: Photo, target: str, *, with_masks: bool) -> None:
    link = folder / PHOTOS / target
    if colmap_reads(photo.file):
        link.symlink_to(photo.file.absolute())
    else:
        _convert(photo.file, link)
    if with_masks:
        write_image(folder / MASKS / f"{target}.png", _mask_as_stored(photo))


def _convert(file: Path, target: Path) -> None:
    """Write a JPEG file with the pixels as cameras have them, and the same tags."""
    from PIL import Image

    tags = exif_tags(file)
    tags[ORIENTATION] = orientation(file).turn_alone
    image = Image.fromarray(read_image(file))
    image.save(target, quality=QUALITY, subsampling=0, exif=tags.tobytes())


def _mask_as_stored(photo: Photo) -> UInt8[np.ndarray, "h w"]:
    """The mask in the pixels of the photo's file: white where features count.

    People paint masks on the photo as they see it, which may be stored turned.
    """
    if photo.mask is None:
        width, height = image_size(photo.file)
        return np.full((height, width), 255, np.uint8)
    if photo.mask == photo.file:
        mask = read_own_mask(photo.file)
    else:
        mask = read_mask(photo.mask)
        lies, size = orientation(photo.file), image_size(photo.file)
        if mask.shape[1::-1] == (size[::-1] if lies.clockwise % 2 else size):
            mask = np.rot90(mask, lies.clockwise)
        elif lies.is_mirrored:
            mask = mask[:, ::-1]
    return np.where(mask > 127, np.uint8(255), np.uint8(0))
