"""Photos to a sparse model in memory: poses, lenses and points, with COLMAP on the CPU.

Schönberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016. A last bundle adjustment with
a robust loss halves the error of the camera centres where features are few: plain least squares
follows the wrong matches that pass COLMAP's limit of 4 pixels.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.matching import match_exhaustively
from neus.sources.colmap import import_pycolmap

Report = Callable[[str], None]
"""Receives a line of progress now and then."""

CAUCHY_SCALE_PX = 0.5
"""Residual at which the robust loss begins to distrust an observation."""
MAX_ERROR_PX = 2.0
MIN_ANGLE_DEGREES = 1.5
"""Points with a larger reprojection error, or seen under a smaller angle, are dropped."""


def reconstruct(
    images: Sequence[Path], *, max_size: int, seed: int, threads: int, report: Report
) -> Any:
    """Place photos in space: SIFT, exhaustive matching, incremental mapping, robust refinement.

    Args:
        images: photos in one folder.
        max_size: features are sought in photos made no larger than this, in pixels.
        seed: of all random choices.
        threads: of all steps. Equal seeds give equal poses, but for the rounding of large bundle
            adjustments, which add up in the order in which threads finish.

    Returns:
        A ``pycolmap.Reconstruction``: the largest, if the photos fall apart into several.

    Raises:
        InputError: a photo cannot be read, or no two photos could be placed.
    """
    pycolmap = import_pycolmap()
    pycolmap.logging.minloglevel = pycolmap.logging.Level.ERROR.value
    with tempfile.TemporaryDirectory(prefix="poses-") as scratch:
        database = Path(scratch) / "database.db"
        _extract_features(images, database, max_size, threads, report)
        _match_features(database, seed, threads, report)
        model = _map(images, database, seed, threads, report)
    _refine(model, threads)
    return model


def _extract_features(
    images: Sequence[Path], database: Path, max_size: int, threads: int, report: Report
) -> None:
    """SIFT features; photos of one size and focal length (EXIF) share a camera."""
    pycolmap = import_pycolmap()
    start = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        lenses = list(pool.map(_lens, images))
    groups: dict[tuple[int, int, float], list[str]] = defaultdict(list)
    for image, lens in zip(images, lenses, strict=True):
        groups[lens].append(image.name)
    folder, reader = images[0].parent, pycolmap.ImageReaderOptions(camera_model="SIMPLE_RADIAL")
    pycolmap.Database.open(database).close()
    for names in groups.values():  # in advance, or ids would follow the order of finished threads
        pycolmap.import_images(database, folder, pycolmap.CameraMode.SINGLE, names, reader)
    pycolmap.extract_features(
        database,
        folder,
        [image.name for image in images],
        reader_options=reader,
        extraction_options=pycolmap.FeatureExtractionOptions(
            num_threads=threads, max_image_size=max_size, use_gpu=False
        ),
        device=pycolmap.Device.cpu,
    )
    with pycolmap.Database.open(database) as content:
        count = content.num_keypoints()
    report(
        f"{len(images)} images, {len(groups)} {'lens' if len(groups) == 1 else 'lenses'}, "
        f"{count} features in {time.perf_counter() - start:.0f} s"
    )


def _lens(image: Path) -> tuple[int, int, float]:
    """Width, height and the focal length in pixels that EXIF states, else 0."""
    try:
        camera = import_pycolmap().infer_camera_from_image(image)
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{image} cannot be read: replace the file or leave it out") from error
    focal = camera.mean_focal_length() if camera.has_prior_focal_length else 0.0
    return camera.width, camera.height, focal


def _match_features(database: Path, seed: int, threads: int, report: Report) -> None:
    start = time.perf_counter()
    verified, tried = match_exhaustively(database, seed=seed, processes=threads)
    report(f"{verified} of {tried} pairs of images match, in {time.perf_counter() - start:.0f} s")


def _map(images: Sequence[Path], database: Path, seed: int, threads: int, report: Report) -> Any:
    """Place photo after photo; return the largest model if several arise."""
    pycolmap = import_pycolmap()
    start = time.perf_counter()
    options = pycolmap.IncrementalPipelineOptions(
        num_threads=threads, random_seed=seed, min_model_size=3
    )
    options.mapper.random_seed = options.triangulation.random_seed = seed
    pycolmap.set_random_seed(seed)
    models = pycolmap.incremental_mapping(database, images[0].parent, database.parent, options)
    if not models:
        raise InputError(
            f"no poses could be estimated from the photos in {images[0].parent}: take sharp photos "
            "that overlap by two thirds, of something with texture"
        )
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


def _refine(model: Any, threads: int) -> None:
    """Bundle adjustment with a Cauchy loss, then drop what it found to be wrong."""
    pycolmap = import_pycolmap()
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in model.reg_image_ids():
        config.add_image(image_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    options = pycolmap.BundleAdjustmentOptions(print_summary=False)
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = CAUCHY_SCALE_PX
    options.ceres.solver_options.function_tolerance = 1e-6
    options.ceres.solver_options.num_threads = threads
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()
    pycolmap.ObservationManager(model).filter_all_points3D(MAX_ERROR_PX, MIN_ANGLE_DEGREES)
    model.update_point_3d_errors()
