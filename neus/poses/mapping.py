"""Matched photos to a model of cameras and points, by either of COLMAP's mappers."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.poses.method import Method, Report
from neus.poses.prepared import PreparedPhotos
from neus.poses.unplaced import why_unplaced
from neus.sources import import_pycolmap


def map_photos(
    prepared: PreparedPhotos,
    database: Path,
    scratch: Path,
    method: Method,
    threads: int,
    report: Report,
    advance: Callable[[float], None],
) -> Any:
    """Place the photos, from their matches.

    Args:
        database: features and matches.
        scratch: folder for COLMAP's own models.
        threads: of the mapper.
        advance: is told which share of the photos is placed, by the incremental mapper.

    Returns:
        A ``pycolmap.Reconstruction``: the largest model, if several arise.

    Raises:
        InputError: no two photos could be placed.
    """
    start, images = time.perf_counter(), prepared.photos
    pycolmap = import_pycolmap()
    pycolmap.set_random_seed(method.seed)
    places = database, images[0].parent, scratch
    limits = {"num_threads": threads, "random_seed": method.seed, "min_model_size": 3}
    if method.mapper == "global":
        models = pycolmap.global_mapping(*places, _global_options(method, limits))
    else:
        models = pycolmap.incremental_mapping(
            *places,
            _incremental_options(method, limits),
            next_image_callback=_counter(len(images), report, advance),
        )
    if not models:
        raise InputError(why_unplaced(database, prepared.place))
    sizes = {key: model.num_reg_images() for key, model in models.items()}
    if len(models) > 1:
        listed = ", ".join(map(str, sorted(sizes.values(), reverse=True)))
        report(f"the photos fall apart into models of {listed} images: the largest is kept")
    model = models[max(sizes, key=lambda key: sizes[key])]
    report(
        f"{model.num_reg_images()} of {len(images)} images registered, "
        f"in {time.perf_counter() - start:.0f} s"
    )
    return model


def _incremental_options(method: Method, limits: dict[str, int]) -> Any:
    options = import_pycolmap().IncrementalPipelineOptions(**limits)
    options.mapper.random_seed = options.triangulation.random_seed = method.seed
    if method.intrinsics is not None:
        options.ba_refine_focal_length = options.ba_refine_extra_params = False
        options.mapper.abs_pose_refine_focal_length = False
        options.mapper.abs_pose_refine_extra_params = False
    return options


def _global_options(method: Method, limits: dict[str, int]) -> Any:
    options = import_pycolmap().GlobalPipelineOptions(**limits)
    options.mapper.random_seed = method.seed
    adjustment = options.mapper.bundle_adjustment
    adjustment.refine_focal_length = adjustment.refine_extra_params = method.intrinsics is None
    return options


def _counter(images: int, report: Report, advance: Callable[[float], None]) -> Callable[[], None]:
    """What the incremental mapper calls after each photo beyond the first two."""
    placed, step = 2, max(20, images // 10)

    def count() -> None:
        nonlocal placed
        placed += 1
        advance(min(placed / images, 1.0))
        if placed % step == 0:
            report(f"placed {placed} of {images} images")

    return count
