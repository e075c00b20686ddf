"""A folder of photos: what is in it, what is left out and why, and which files are masks."""

from __future__ import annotations

import os
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from neus.errors import InputError, listed, refusal
from neus.images import HEIC, SUFFIXES, UNREAD, VIDEOS, reads_heic
from neus.sources.beside import THUMBNAIL_NAME, masks_beside, named_after
from neus.sources.headers import image_size

IMAGE_FOLDERS = ("images", "image")
MASK_FOLDERS = ("masks", "mask")
NO_PHOTOS = frozenset(
    {"masks", "mask", "thumbnails", "thumbnail", "thumbs", "__macosx", "@eadir", "$recycle.bin"}
    | {"sparse", "dense", "stereo", "depth", "depths", "normals", "semantics", "results"}
    | {"confidence", "corrected_images"}
)
"""Names of folders, in small letters, whose pictures are no photos; the last two are Polycam's."""


@dataclass(frozen=True)
class PhotoFolder:
    """Photos in natural order of their paths.

    Attributes:
        root: the folder that names of photos are relative to.
        images: the files.
        account: sentences about what was left out, and from which folders the photos are.
    """

    root: Path
    images: tuple[Path, ...]
    account: tuple[str, ...]

    def sound(self) -> tuple[list[Path], list[Path]]:
        """The photos whose files are whole, by their headers, and the others."""
        sound, broken = [], []
        for image in self.images:
            try:
                image_size(image)
                sound.append(image)
            except InputError:
                broken.append(image)
        return sound, broken

    @property
    def names(self) -> list[str]:
        return [image.relative_to(self.root).as_posix() for image in self.images]


def find_photos(path: Path) -> PhotoFolder:
    """The photos of a scan; nothing is decoded.

    They lie in ``path/images``, in ``path/image`` or in ``path`` itself, and in all folders below
    it but hidden ones and those of :data:`NO_PHOTOS`. Left out are hidden files (``._x.jpg`` of
    macOS among them), masks and thumbnails beside their photos, HEIC photos beside a JPEG of the
    same name, and kinds that nothing here reads.

    Raises:
        InputError: the folder is missing or holds no photo.
    """
    if not path.is_dir():
        raise refusal(path, "no such folder", "a folder of photos", "correct the key path")
    root = image_root(path)
    left_out: dict[str, list[Path]] = defaultdict(list)
    images = []
    for file in files_below(root, hidden=left_out["hidden files"], is_skipped=holds_no_photos):
        suffix = file.suffix.lower()
        if not _is_utf8(file.name):
            left_out["files whose names are no UTF-8: rename them"].append(file)
        elif suffix in UNREAD:
            left_out[f"{suffix} files, which are not read: convert them to .jpg"].append(file)
        elif suffix in VIDEOS:
            left_out[f"videos ({suffix}), which are read only if path names one"].append(file)
        elif suffix in SUFFIXES:
            images.append(file)
    images = _photos_among(images, left_out)
    account = [
        f"{root}: left out are {len(files)} {why} ({listed([_below(f, root) for f in files], 3)})"
        for why, files in left_out.items()
        if files
    ]
    if not images:
        raise InputError(_no_photo(root, left_out), *account)
    images.sort(key=lambda image: _order(image.relative_to(root).as_posix()))
    return PhotoFolder(root, tuple(images), (*_folders(root, images), *account))


def image_root(path: Path) -> Path:
    """The folder that the images of a scan lie below: ``images/`` or ``image/``, or its own."""
    for folder in folders_called(path, IMAGE_FOLDERS):
        if any(file.suffix.lower() in SUFFIXES for file in files_below(folder)):
            return folder
    return path


def _below(file: Path, root: Path) -> Path:
    return file.relative_to(root) if file.is_relative_to(root) else file


def _no_photo(root: Path, left_out: dict[str, list[Path]]) -> str:
    count = sum(map(len, left_out.values()))
    found = f"no photo that can be used among {count} files" if count else "no photo"
    kinds = ", ".join(sorted(SUFFIXES))
    return f"{root}: found {found}, expected images ({kinds}): add or convert the photos"


def _folders(root: Path, images: Sequence[Path]) -> list[str]:
    """A sentence, if the photos lie in several folders or in one below."""
    count = Counter(image.parent for image in images)
    if set(count) == {root}:
        return []
    named = [f"{_below(each, root)} ({number})" for each, number in sorted(count.items())]
    return [f"{root}: {len(images)} photos, those in folders below it too: {listed(named, 8)}"]


def _photos_among(images: list[Path], left_out: dict[str, list[Path]]) -> list[Path]:
    """The images without masks, thumbnails, and HEIC photos that are there as JPEG, too."""
    masks = set(masks_beside(images).values())
    left_out["masks beside their photos (_mask, .mask, mask_)"] += sorted(masks)
    small = set(named_after(images, THUMBNAIL_NAME).values()) - masks
    left_out["thumbnails"] += sorted(small)
    stems = {(i.parent, i.stem.casefold()) for i in images if i.suffix.lower() not in HEIC}
    kept = []
    for image in images:
        if image in masks or image in small:
            continue
        if image.suffix.lower() in HEIC and (image.parent, image.stem.casefold()) in stems:
            left_out[".heic photos beside another of the same name"].append(image)
        elif image.suffix.lower() in HEIC and not reads_heic():
            why = ".heic photos: pip install pillow-heif, or convert them to .jpg"
            left_out[why].append(image)
        else:
            kept.append(image)
    return kept


def files_below(
    folder: Path,
    *,
    hidden: list[Path] | None = None,
    is_skipped: Callable[[Path], bool] = lambda folder: False,
) -> Iterator[Path]:
    """All files below a folder, links followed, hidden ones left out.

    Args:
        hidden: receives the image files that are hidden.
        is_skipped: whether a folder below is left out.
    """
    seen: set[tuple[int, int]] = set()
    for name, folders, files in os.walk(folder, followlinks=True):
        here, state = Path(name), os.stat(name)
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()  # a link to a folder above
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(
            f for f in folders if not f.startswith(".") and not is_skipped(here / f)
        )
        for file in sorted(files):
            path = here / file
            if file.startswith("."):
                if hidden is not None and path.suffix.lower() in SUFFIXES:
                    hidden.append(path)
            elif path.is_file():  # no broken link
                yield path


def holds_no_photos(folder: Path) -> bool:
    """Whether the pictures in a folder of this name are none of the photos."""
    return folder.name.lower() in NO_PHOTOS


def _is_utf8(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def natural_order(name: str) -> list[tuple[int, str]]:
    """Sorting key that puts ``img9`` before ``img10``; only 0 to 9 are digits, ``²`` is none."""
    parts = re.split(r"([0-9]+)", name)
    return [(int(part), "") if index % 2 else (-1, part) for index, part in enumerate(parts)]


def _order(name: str) -> tuple[list[tuple[int, str]], str]:
    return natural_order(name), name


def folders_called(path: Path, names: Sequence[str]) -> list[Path]:
    """The folders in one that have these names in any case, in their order; as written first."""
    if not path.is_dir():
        return []
    there = sorted(each for each in path.iterdir() if each.name.lower() in names and each.is_dir())
    return sorted(there, key=lambda each: (names.index(each.name.lower()), each.name not in names))


def images_in(folder: Path) -> list[Path]:
    """Image files of one folder in natural order, hidden ones left out (``._x.jpg`` of macOS)."""
    files = (path for path in folder.iterdir() if path.is_file())
    images = (p for p in files if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
    return sorted(images, key=lambda path: _order(path.name))
