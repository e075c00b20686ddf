"""Matched photos to a model of cameras and points, by either of COLMAP's mappers."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
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
    import_pycolmap().set_random_seed(method.seed)
    map_with = _map_globally if method.mapper == "global" else _map_incrementally
    models = map_with(images, database, scratch, method, threads, report, advance)
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


def _map_incrementally(
    images: Sequence[Path],
    database: Path,
    scratch: Path,
    method: Method,
    threads: int,
    report: Report,
    advance: Callable[[float], None],
) -> dict[int, Any]:
    pycolmap = import_pycolmap()
    options = pycolmap.IncrementalPipelineOptions(
        num_threads=threads, random_seed=method.seed, min_model_size=3
    )
    options.mapper.random_seed = options.triangulation.random_seed = method.seed
    if method.intrinsics is not None:
        options.ba_refine_focal_length = options.ba_refine_extra_params = False
        options.mapper.abs_pose_refine_focal_length = False
        options.mapper.abs_pose_refine_extra_params = False
    placed, step = 2, max(20, len(images) // 10)

    def count() -> None:
        nonlocal placed
        placed += 1
        advance(min(placed / len(images), 1.0))
        if placed % step == 0:
            report(f"placed {placed} of {len(images)} images")

    return pycolmap.incremental_mapping(
        database, images[0].parent, scratch, options, next_image_callback=count
    )


def _map_globally(
    images: Sequence[Path],
    database: Path,
    scratch: Path,
    method: Method,
    threads: int,
    report: Report,
    advance: Callable[[float], None],
) -> dict[int, Any]:
    pycolmap = import_pycolmap()
    options = pycolmap.GlobalPipelineOptions(
        num_threads=threads, random_seed=method.seed, min_model_size=3
    )
    options.mapper.random_seed = method.seed
    adjustment = options.mapper.bundle_adjustment
    adjustment.refine_focal_length = adjustment.refine_extra_params = method.intrinsics is None
    return pycolmap.global_mapping(database, images[0].parent, scratch, options)
