"""Scans in the layout of NeuS and IDR: ``image/``, ``mask/`` and ``cameras_sphere.npz``.

``world_mat_i`` is the projection ``K [R | t]`` of image i from the source frame to pixels whose
centres are integers; ``scale_mat_i`` takes the unit sphere to the source frame.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import Faults, listed, refusal
from neus.scene import Frame, Scene, Similarity
from neus.sources.beside import number_in
from neus.sources.capture import Capture
from neus.sources.headers import image_size
from neus.sources.masks import MaskChoice, choose_masks
from neus.sources.names import distinct_names
from neus.sources.photos import PhotoFolder, find_photos
from neus.sources.projections import Matrices, cameras_of, numbers_of, read_matrices, sphere_of
from neus.sources.sizes import Size, as_text

if TYPE_CHECKING:
    pass

CAMERA_FILES = ("cameras_sphere.npz", "cameras.npz", "cameras_large.npz")
Report = Callable[[str], None]


def read_dtu(
    path: Path,
    *,
    masks: bool | MaskChoice,
    unit: str = "mm",
    report: Report = lambda line: None,
) -> Capture:
    """Read a scan in the NeuS layout; images are checked by their headers and not decoded.

    Images, in natural order of their names, belong to the ``world_mat_i`` in the order of their
    numbers, which may start anywhere and have gaps. If one of either is missing, images belong to
    the camera of the number in their name. Half a pixel is added to the principal points: the file
    counts pixel centres from 0, :class:`Cameras` from 0.5.

    Args:
        path: the scan's folder, or the file of its cameras.
        masks: which masks to use; True stands for ``all``, False for ``none``.
        unit: of the source frame; millimetres for DTU, whose layout other data sets share.
        report: hears what is left out.

    Raises:
        InputError: a file is missing or unreadable, or images, masks and cameras do not match; all
            faults that were found are named.
    """
    choice: MaskChoice = {True: "all", False: "none"}.get(masks, masks)  # pyright: ignore
    if choice == "own":
        raise refusal(
            path, "masks: own", "images on black or with alpha", "paint masks, or set auto"
        )
    folder = path.parent if path.is_file() else path
    if not folder.is_dir():
        raise refusal(folder, "no such folder", "a scan of NeuS", "correct the path")
    faults = Faults()
    photos, file, matrices, chosen, sizes = None, None, {}, [], []
    with faults.noted():
        photos = find_photos(folder)
        for line in photos.account:
            report(line)
    with faults.noted():
        file = path if path.is_file() else _camera_file(folder)
        matrices = read_matrices(file)
    if photos is not None:
        sizes = _sizes(photos, faults)
        with faults.noted():
            images = list(photos.images)
            chosen = choose_masks(folder, images, photos.root, choice, report=report)
    if photos is None or file is None or not matrices or len(sizes) < len(photos.images):
        faults.raise_any()
    assert photos is not None
    assert file is not None
    with faults.noted():
        pairs = _pairs(file, matrices, photos, report)
        cameras = cameras_of(file, matrices, [n for _, n in pairs], [sizes[i] for i, _ in pairs])
        sphere = sphere_of(file, matrices, report)
        faults.raise_any()
        of_photos = photos.names
        names = distinct_names([of_photos[i] for i, _ in pairs])
        frames = tuple(
            Frame(name, photos.images[i], chosen[i])
            for name, (i, _) in zip(names, pairs, strict=True)
        )
        none = np.zeros((0, 3))
        identity = Similarity.identity()
        scene = Scene(frames, cameras, identity, unit, (), none, none.astype(np.uint8))
        return Capture(scene, sphere, (file,))
    faults.raise_any()
    raise AssertionError("a fault was raised")


def _sizes(photos: PhotoFolder, faults: Faults) -> list[Size]:
    """Sizes of the images; one of another size than most is a fault."""
    sizes = []
    for image in photos.images:
        with faults.noted():
            sizes.append(image_size(image))
    common = Counter(sizes).most_common(1)[0][0] if sizes else (0, 0)
    off = [
        f"{image} is {as_text(size)}"
        for image, size in zip(photos.images, sizes, strict=False)
        if size != common
    ]
    if off and len(sizes) == len(photos.images):
        with faults.noted():
            raise refusal(
                photos.root,
                f"{len(off)} of {len(sizes)} images of another size ({listed(off, 3)})",
                f"one size for the images of a scan ({as_text(common)} for most)",
                "give images of one size",
            )
    return sizes


def _camera_file(path: Path) -> Path:
    for name in CAMERA_FILES:
        if (path / name).is_file():
            return path / name
    raise refusal(
        path,
        "no file of cameras",
        " or ".join(CAMERA_FILES),
        "add the cameras, or set source to photos",
    )


def _pairs(
    file: Path, matrices: Matrices, photos: PhotoFolder, report: Report
) -> list[tuple[int, int]]:
    """Index of each image that has a camera, and the number of its camera."""
    numbers = numbers_of(matrices, "world_mat")
    images = range(len(photos.images))
    if len(numbers) == len(images):
        return list(zip(images, numbers, strict=True))
    named = [number_in(image.stem) for image in photos.images]
    known = {number: i for i, number in enumerate(named) if number is not None}
    both = [number for number in numbers if number in known]
    if len(known) < len(images) or len(both) < min(len(images), len(numbers)):
        raise refusal(
            file,
            f"{len(numbers)} cameras for {len(images)} images in {photos.root}",
            "one camera for each image, or images with the numbers of their cameras",
            "keep one image for each camera",
        )
    bare = [photos.images[i].name for number, i in known.items() if number not in numbers]
    blind = [f"world_mat_{number}" for number in numbers if number not in known]
    if len(both) < max(len(images), len(numbers)) / 2:
        raise refusal(
            file,
            f"{len(numbers)} cameras for {len(images)} images, of which {len(both)} go together",
            "one camera for each image",
            "add what is missing",
        )
    for what, left in (("images without a camera", bare), ("cameras without an image", blind)):
        if left:
            report(f"{file}: {len(left)} {what} are left out ({listed(left)})")
    return [(known[number], number) for number in both]
