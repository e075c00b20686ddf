"""SIFT features of photos in a COLMAP database; photos through one lens share a camera."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from neus.errors import InputError
from neus.images import colmap_reads
from neus.sources import image_size, import_pycolmap

if TYPE_CHECKING:
    from jaxtyping import Float

Lens = tuple[int, int, float]
"""Width and height in pixels, and the focal length in pixels that EXIF states, else 0."""

SiftDevice = Literal["cpu", "cuda"]

BATCH = 50
"""Photos after which a line says how far it is."""
BATCHES = 16
"""Into which photos are cut at least, to know how far it is."""


def sift_device(device: str) -> SiftDevice:
    """Where features are found and matched: on a GPU if there is one that pycolmap can use.

    The wheels of pycolmap on PyPI are made for the CPU alone; conda-forge's can have CUDA. The
    features of the two differ a little. No card is leased: seconds of work share one.

    Args:
        device: ``auto``, ``cuda`` or ``cpu``, as for networks.
    """
    import torch

    usable = device != "cpu" and import_pycolmap().has_cuda and torch.cuda.is_available()
    return "cuda" if usable else "cpu"


def find_readable(images: Sequence[Path], threads: int) -> list[Path]:
    """The photos that are whole and can be decoded, in their order."""
    with ThreadPoolExecutor(threads) as pool:
        lenses = list(pool.map(_lens, images))
    return [image for image, lens in zip(images, lenses, strict=True) if lens is not None]


def extract_features(
    images: Sequence[Path],
    database: Path,
    *,
    lens: str,
    intrinsics: Float[np.ndarray, "3 3"] | None,
    max_size: int,
    device: SiftDevice,
    threads: int,
    report: Callable[[str], None],
    masks: Path | None = None,
    place: Path | None = None,
    advance: Callable[[float], None] = lambda share: None,
) -> None:
    """Write features and cameras; photos of one size and focal length (EXIF) share a camera.

    Args:
        images: readable photos in one folder.
        database: is made.
        lens: COLMAP's name of the camera model.
        intrinsics: known ones, of all photos; then ``lens`` does not count.
        max_size: features are sought in photos made no larger than this, in pixels.
        device: see `sift_device`.
        threads: photos that are worked on at a time.
        report: hears of the progress.
        masks: folder with ``{photo}.png`` for some photos: features off their white are left out.
        place: folder that is named instead of that of ``images``.
        advance: is told which share is done.

    Raises:
        InputError: the photos differ in size although ``intrinsics`` are given.
    """
    pycolmap, start = import_pycolmap(), time.perf_counter()
    groups = _group_by_lens(images, threads)
    folder, reader = images[0].parent, pycolmap.ImageReaderOptions(camera_model=lens)
    if intrinsics is not None:
        if len({(width, height) for width, height, _ in groups}) > 1:
            raise InputError(
                f"{place or folder}: known intrinsics need photos of one size: sort them"
            )
        groups = {(0, 0, 0.0): [image.name for image in images]}
        reader.camera_model = "PINHOLE"
        reader.camera_params = ", ".join(map(repr, intrinsics[[0, 1, 0, 1], [0, 1, 2, 2]].tolist()))
    if masks is not None:
        reader.mask_path = masks
    pycolmap.Database.open(database).close()
    for names in groups.values():  # in advance, or ids would follow the order of finished threads
        pycolmap.import_images(database, folder, pycolmap.CameraMode.SINGLE, names, reader)
    options = pycolmap.FeatureExtractionOptions(
        num_threads=threads, max_image_size=max_size, use_gpu=device == "cuda"
    )
    batch = min(BATCH, threads * -(-len(images) // (threads * BATCHES)))
    for first in range(0, len(images), batch):
        if first // BATCH > (first - batch) // BATCH and first:
            report(f"features of {first} of {len(images)} images")
        advance(first / len(images))
        pycolmap.extract_features(
            database,
            folder,
            [image.name for image in images[first : first + batch]],
            reader_options=reader,
            extraction_options=options,
            device=getattr(pycolmap.Device, device),
        )
    with pycolmap.Database.open(database) as content:
        count = content.num_keypoints()
    lenses = f"{len(groups)} {'lens' if len(groups) == 1 else 'lenses'}"
    where = " on the GPU" if device == "cuda" else ""
    seconds = time.perf_counter() - start
    report(f"{len(images)} images, {lenses}, {count} features in {seconds:.0f} s{where}")


def _group_by_lens(images: Sequence[Path], threads: int) -> dict[Lens, list[str]]:
    groups: dict[Lens, list[str]] = defaultdict(list)
    with ThreadPoolExecutor(threads) as pool:
        for image, lens in zip(images, pool.map(_lens, images), strict=True):
            if lens is not None:
                groups[lens].append(image.name)
    return groups


def _lens(image: Path) -> Lens | None:
    """The lens of a photo, or None if it cannot be read; half a file would still be decoded."""
    try:
        size = image_size(image)
        if not colmap_reads(image):  # it is converted before COLMAP sees it
            return *size, 0.0
        camera = import_pycolmap().infer_camera_from_image(image)
    except (ValueError, RuntimeError):
        return None
    focal = camera.mean_focal_length() if camera.has_prior_focal_length else 0.0
    return camera.width, camera.height, focal
