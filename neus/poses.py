"""Photos to a COLMAP model on disk: poses, and photos and masks without distortion."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError
from neus.folders import folder_written_whole
from neus.images import read_image, write_image
from neus.scene import read_mask
from neus.sources.colmap import import_pycolmap
from neus.structure_from_motion import Report, reconstruct
from neus.undistort import pinhole_intrinsics, source_map, undistort_pixels, warp

if TYPE_CHECKING:
    from jaxtyping import Float

SPARSE, IMAGES, MASKS, REGISTRATION = "sparse", "images", "masks", "registration.json"


@dataclass(frozen=True)
class Registration:
    """How the pose estimation went.

    Attributes:
        images: number of photos given.
        registered: number of photos with a pose.
        left_out: names of the photos without one.
        reprojection_error_px: mean over all observations, in pixels of the photos.
        points: number of sparse points.
        seconds: wall-clock time, without undistortion.
    """

    images: int
    registered: int
    left_out: tuple[str, ...]
    reprojection_error_px: float
    points: int
    seconds: float


def estimate_poses(
    images: Sequence[Path],
    masks: Sequence[Path] | None,
    output: Path,
    *,
    max_size: int,
    seed: int,
    threads: int,
    report: Report,
) -> Registration:
    """Estimate poses and write undistorted photos and masks with their model.

    ``output`` gets ``sparse/`` (binary, PINHOLE cameras), ``images/{stem}.png``,
    ``masks/{stem}.png`` and ``registration.json``; it is written whole or not at all.

    Args:
        images: photos in one folder, whose stems differ.
        masks: one for each photo, of the same size, or None. They do not restrict the features:
            the surroundings help to place the photos.
        max_size: features are sought in photos made no larger than this, in pixels.
        seed: of all random choices.
        threads: of all steps.
        report: receives a line of progress now and then.

    Raises:
        InputError: a photo cannot be read, or fewer than three photos or half of them can be
            placed.
    """
    with folder_written_whole(output, (SPARSE, IMAGES, MASKS, REGISTRATION)) as whole:
        start = time.perf_counter()
        model = reconstruct(images, max_size=max_size, seed=seed, threads=threads, report=report)
        registration = _registration(images, model, time.perf_counter() - start)
        report(
            f"{registration.points} points, {registration.reprojection_error_px:.2f} px mean "
            f"reprojection error; {registration.seconds:.0f} s in all"
        )
        if registration.left_out:
            report("not registered: " + ", ".join(registration.left_out))
        _check(registration, images)
        _undistort(images, masks, model, whole, threads)
        (whole / SPARSE).mkdir()
        model.write(whole / SPARSE)
        (whole / REGISTRATION).write_text(json.dumps(asdict(registration), indent=1) + "\n")
    return registration


def _registration(images: Sequence[Path], model: Any, seconds: float) -> Registration:
    placed = {model.images[i].name for i in model.reg_image_ids()}
    return Registration(
        images=len(images),
        registered=len(placed),
        left_out=tuple(image.name for image in images if image.name not in placed),
        reprojection_error_px=model.compute_mean_reprojection_error(),
        points=model.num_points3D(),
        seconds=seconds,
    )


def _check(registration: Registration, images: Sequence[Path]) -> None:
    if registration.registered < max(3, registration.images / 2):
        raise InputError(
            f"only {registration.registered} of the {registration.images} photos in "
            f"{images[0].parent} could be placed: add photos between them, so that neighbours "
            "overlap by two thirds, or leave out photos of something else"
        )


def _undistort(
    images: Sequence[Path], masks: Sequence[Path] | None, model: Any, folder: Path, threads: int
) -> None:
    """Write photos and masks without distortion; turn the model's cameras into pinholes."""
    pinhole = import_pycolmap().CameraModelId.PINHOLE
    index_of = {image.name: index for index, image in enumerate(images)}
    for camera_id, camera in model.cameras.items():
        intrinsics = pinhole_intrinsics(camera)
        placed = [model.images[i] for i in model.reg_image_ids()]
        placed = [image for image in placed if image.camera_id == camera_id]
        indices = [index_of[image.name] for image in placed]
        for image, index in zip(placed, indices, strict=True):
            image.name = f"{images[index].stem}.png"
            pixels = np.array([point.xy for point in image.points2D]).reshape(-1, 2)
            moved = undistort_pixels(camera, intrinsics, pixels)
            for point, xy in zip(image.points2D, moved, strict=True):
                point.xy = xy
        write = partial(_write_warped, images, masks, source_map(camera, intrinsics), folder)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(write, indices))
        camera.model, camera.params = pinhole, intrinsics[[0, 1, 0, 1], [0, 1, 2, 2]]


def _write_warped(
    images: Sequence[Path],
    masks: Sequence[Path] | None,
    source: Float[np.ndarray, "h w 2"],
    folder: Path,
    index: int,
) -> None:
    name = f"{images[index].stem}.png"
    write_image(folder / IMAGES / name, warp(read_image(images[index]), source))
    if masks is not None:
        write_image(folder / MASKS / name, warp(read_mask(masks[index]), source))
