"""Photos to a COLMAP model on disk, with an account of how it went."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.files import folder_written_whole, held_alone
from neus.poses.features import find_readable
from neus.poses.structure_from_motion import Method, Report, reconstruct

SPARSE, REGISTRATION = "sparse", "registration.json"


@dataclass(frozen=True)
class Registration:
    """How the pose estimation went.

    Attributes:
        images: number of photos given.
        registered: number of photos with a pose.
        unreadable: names of the files that are no images inside.
        left_out: names of the other photos without a pose.
        reprojection_error_px: mean over all observations, in pixels of the photos.
        points: number of sparse points.
        seconds: wall-clock time; stages that were kept from an earlier run take none.
    """

    images: int
    registered: int
    unreadable: tuple[str, ...]
    left_out: tuple[str, ...]
    reprojection_error_px: float
    points: int
    seconds: float


def estimate_poses(
    images: Sequence[Path],
    output: Path,
    method: Method,
    *,
    work: Path | None,
    threads: int,
    report: Report,
) -> Registration:
    """Estimate poses and write their model, for the photos as they are.

    ``output`` gets ``sparse/`` (binary) and ``registration.json``; it is written whole or not at
    all. Masks play no part: the surroundings help to place the photos.

    Args:
        images: photos in one folder, whose stems differ.
        work: folder that keeps features, matches and model for the next run, or None.
        threads: of all steps.
        report: receives a line of progress now and then.

    Raises:
        InputError: fewer than three photos or half of them can be placed, or another process is
            at work in ``work``.
    """
    with (
        folder_written_whole(output, (SPARSE, REGISTRATION)) as whole,
        tempfile.TemporaryDirectory(prefix="poses-") as scratch,
    ):
        start = time.perf_counter()
        readable = find_readable(images, threads)
        unreadable = tuple(image.name for image in images if image not in set(readable))
        if unreadable:
            report("cannot be read and is left out: " + ", ".join(unreadable))
        if len(readable) < 3:
            raise InputError(
                f"{len(readable)} photos in {images[0].parent} can be read: three or more are "
                "needed to measure anything"
            )
        folder = work or Path(scratch)
        with held_alone(folder):
            model = reconstruct(readable, method, work=folder, threads=threads, report=report)
        registration = _registration(images, unreadable, model, time.perf_counter() - start)
        report(
            f"{registration.points} points, {registration.reprojection_error_px:.2f} px mean "
            f"reprojection error; {registration.seconds:.0f} s in all"
        )
        if registration.left_out:
            report("not registered: " + ", ".join(registration.left_out))
        _check(registration, images)
        (whole / SPARSE).mkdir()
        model.write(whole / SPARSE)
        (whole / REGISTRATION).write_text(json.dumps(asdict(registration), indent=1) + "\n")
    return registration


def _registration(
    images: Sequence[Path], unreadable: tuple[str, ...], model: Any, seconds: float
) -> Registration:
    placed = {model.images[i].name for i in model.reg_image_ids()}
    without = (image.name for image in images if image.name not in placed)
    return Registration(
        images=len(images),
        registered=len(placed),
        unreadable=unreadable,
        left_out=tuple(name for name in without if name not in unreadable),
        reprojection_error_px=model.compute_mean_reprojection_error(),
        points=model.num_points3D(),
        seconds=seconds,
    )


def _check(registration: Registration, images: Sequence[Path]) -> None:
    readable = registration.images - len(registration.unreadable)
    if registration.registered < max(3, readable / 2):
        raise InputError(
            f"only {registration.registered} of the {readable} photos in "
            f"{images[0].parent} could be placed: add photos between them, so that neighbours "
            "overlap by two thirds, or leave out photos of something else"
        )
