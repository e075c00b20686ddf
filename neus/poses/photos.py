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
from neus.poses.method import Advance, Method, Report
from neus.poses.prepared import Photo, prepare
from neus.poses.structure_from_motion import reconstruct

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
    photos: Sequence[Photo],
    output: Path,
    method: Method,
    *,
    work: Path | None,
    threads: int,
    report: Report,
    place: Path,
    advance: Advance = lambda part, share: None,
) -> Registration:
    """Estimate poses and write their model, for the photos as they are.

    ``output`` gets ``sparse/`` (binary) and ``registration.json``; it is written whole or not at
    all. Where a photo has a mask, only features on it count, so that an object may turn before its
    surroundings; in the others the surroundings help to place them.

    Args:
        photos: with the names that the model will have.
        work: folder that keeps features, matches and model for the next run, or None.
        threads: of all steps.
        report: receives a line of progress now and then.
        place: folder of the photos, to be named.
        advance: is told which part of :func:`neus.poses.expected` is under way.

    Raises:
        InputError: fewer than three photos or half of them can be placed, or another process is
            at work in ``work``.
    """
    with (
        folder_written_whole(output, (SPARSE, REGISTRATION)) as whole,
        tempfile.TemporaryDirectory(prefix="poses-") as scratch,
    ):
        start = time.perf_counter()
        sound = set(find_readable([photo.file for photo in photos], threads))
        readable = [photo for photo in photos if photo.file in sound]
        unreadable = tuple(photo.name for photo in photos if photo.file not in sound)
        if unreadable:
            report("cannot be read and is left out: " + ", ".join(unreadable))
        if len(readable) < 3:
            raise InputError(
                f"{len(readable)} photos in {place} can be read: three or more are "
                "needed to measure anything"
            )
        folder = work or Path(scratch)
        with held_alone(folder):
            masked = sum(photo.mask is not None for photo in readable)
            if masked:
                report(f"{masked} photos have masks: features off them are left out")
            prepared = prepare(readable, place=place, work=folder, threads=threads)
            model = reconstruct(
                prepared, method, work=folder, threads=threads, report=report, advance=advance
            )
        registration = _registration(photos, unreadable, model, time.perf_counter() - start)
        report(
            f"{registration.points} points, {registration.reprojection_error_px:.2f} px mean "
            f"reprojection error; {registration.seconds:.0f} s in all"
        )
        if registration.left_out:
            report("not registered: " + ", ".join(registration.left_out))
        _check(registration, place)
        (whole / SPARSE).mkdir()
        model.write(whole / SPARSE)
        (whole / REGISTRATION).write_text(json.dumps(asdict(registration), indent=1) + "\n")
    return registration


def _registration(
    photos: Sequence[Photo], unreadable: tuple[str, ...], model: Any, seconds: float
) -> Registration:
    placed = {model.images[i].name for i in model.reg_image_ids()}
    without = (photo.name for photo in photos if photo.name not in placed)
    return Registration(
        images=len(photos),
        registered=len(placed),
        unreadable=unreadable,
        left_out=tuple(name for name in without if name not in unreadable),
        reprojection_error_px=model.compute_mean_reprojection_error(),
        points=model.num_points3D(),
        seconds=seconds,
    )


def _check(registration: Registration, place: Path) -> None:
    readable = registration.images - len(registration.unreadable)
    if registration.registered < max(3, readable / 2):
        raise InputError(
            f"only {registration.registered} of the {readable} photos in "
            f"{place} could be placed: add photos between them, so that neighbours "
            "overlap by two thirds, or leave out photos of something else"
        )
