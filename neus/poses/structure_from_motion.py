"""Photos to a sparse model: poses, lenses and points, with COLMAP.

Schönberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016; Pan et al., "Global
Structure-from-Motion Revisited", ECCV 2024. A last bundle adjustment with a robust loss halves the
error of the camera centres where features are few: plain least squares follows the wrong matches
that pass COLMAP's limit of 4 pixels.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.files import kept
from neus.poses.features import extract_features
from neus.poses.matching import match_in_processes
from neus.poses.method import Advance, Method, Report
from neus.poses.pairing import choose_pairs
from neus.poses.prepared import PreparedPhotos
from neus.poses.unplaced import why_unplaced
from neus.sources import import_pycolmap

DATABASE = "database.db"
CAUCHY_SCALE_PX = 0.5
"""Residual at which the robust loss begins to distrust an observation."""
MAX_ERROR_PX = 2.0
MIN_ANGLE_DEGREES = 1.5
"""Points with a larger reprojection error, or seen under a smaller angle, are dropped."""


def reconstruct(
    prepared: PreparedPhotos,
    method: Method,
    *,
    work: Path,
    threads: int,
    report: Report,
    advance: Advance,
) -> Any:
    """Place photos in space: SIFT, matching, mapping, robust refinement.

    Args:
        prepared: the photos, with masks or without: features off a mask are left out.
        work: folder that keeps features, matches and model; what it holds is not done again.
        threads: of all steps. Equal seeds give equal poses, but for the rounding of large bundle
            adjustments, which add up in the order in which threads finish.

    Returns:
        A ``pycolmap.Reconstruction``: the largest, if the photos fall apart into several.

    Raises:
        InputError: no two photos could be placed.
    """
    pycolmap = import_pycolmap()
    pycolmap.logging.minloglevel = pycolmap.logging.Level.ERROR.value
    images = prepared.photos
    known = None if method.intrinsics is None else method.intrinsics.tolist()
    key = [
        pycolmap.__version__,
        prepared.states,
        method.max_size,
        method.lens,
        known,
        method.device,
    ]
    extract = partial(_extract, prepared, method, threads, report, advance)
    features = kept(work, "features", key, extract) / DATABASE
    key += [method.pairing, method.seed]
    match = partial(_match, images, features, method, threads, report, advance)
    matches = kept(work, "matches", key, match) / DATABASE
    key += [method.mapper]
    place = partial(_place, prepared, matches, method, threads, report, advance)
    model = kept(work, "model", key, place)
    placed = pycolmap.Reconstruction(model)
    prepared.name_images(placed)
    return placed


def _extract(
    prepared: PreparedPhotos,
    method: Method,
    threads: int,
    report: Report,
    advance: Advance,
    folder: Path,
) -> None:
    advance("features", 0.0)
    extract_features(
        prepared.photos,
        folder / DATABASE,
        masks=prepared.masks,
        place=prepared.place,
        lens=method.lens,
        intrinsics=method.intrinsics,
        max_size=method.max_size,
        device=method.device,
        threads=threads,
        report=report,
        advance=partial(advance, "features"),
    )


def _match(
    images: Sequence[Path],
    features: Path,
    method: Method,
    threads: int,
    report: Report,
    advance: Advance,
    folder: Path,
) -> None:
    advance("matches", 0.0)
    start, pycolmap = time.perf_counter(), import_pycolmap()
    names = [image.name for image in images]
    with pycolmap.Database.open(features) as content:
        ids = {image.name: image.image_id for image in content.read_all_images()}
        pairs = choose_pairs(
            names,
            lambda name: content.read_descriptors(ids[name]).data,
            method.pairing,
            method.seed,
        )
    shutil.copyfile(features, folder / DATABASE)
    matched = match_in_processes(
        folder / DATABASE,
        pairs,
        seed=method.seed,
        device=method.device,
        processes=threads,
        report=report,
        advance=partial(advance, "matches"),
    )
    seconds = time.perf_counter() - start
    report(f"{matched} of {len(pairs)} pairs of images match, in {seconds:.0f} s")


def _place(
    prepared: PreparedPhotos,
    matches: Path,
    method: Method,
    threads: int,
    report: Report,
    advance: Advance,
    folder: Path,
) -> None:
    advance("placing", 0.0)
    placing = partial(advance, "placing")
    model = _map(prepared, matches, folder, method, threads, report, placing)
    advance("refining", 0.0)
    _refine(model, threads, refine_lens=method.intrinsics is None)
    shutil.rmtree(folder)
    folder.mkdir()
    model.write(folder)


def _map(
    prepared: PreparedPhotos,
    database: Path,
    scratch: Path,
    method: Method,
    threads: int,
    report: Report,
    advance: Callable[[float], None],
) -> Any:
    """Place the photos; return the largest model if several arise."""
    start, images = time.perf_counter(), prepared.photos
    import_pycolmap().set_random_seed(method.seed)
    map_photos = _map_globally if method.mapper == "global" else _map_incrementally
    models = map_photos(images, database, scratch, method, threads, report, advance)
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


def _refine(model: Any, threads: int, *, refine_lens: bool) -> None:
    """Bundle adjustment with a Cauchy loss, then drop what it found to be wrong."""
    pycolmap = import_pycolmap()
    config = pycolmap.BundleAdjustmentConfig()
    for image_id in model.reg_image_ids():
        config.add_image(image_id)
    config.fix_gauge(pycolmap.BundleAdjustmentGauge.TWO_CAMS_FROM_WORLD)
    options = pycolmap.BundleAdjustmentOptions(print_summary=False)
    options.refine_focal_length = options.refine_extra_params = refine_lens
    options.ceres.loss_function_type = pycolmap.LossFunctionType.CAUCHY
    options.ceres.loss_function_scale = CAUCHY_SCALE_PX
    options.ceres.solver_options.function_tolerance = 1e-6
    options.ceres.solver_options.num_threads = threads
    pycolmap.create_default_bundle_adjuster(options, config, model).solve()
    pycolmap.ObservationManager(model).filter_all_points3D(MAX_ERROR_PX, MIN_ANGLE_DEGREES)
    model.update_point_3d_errors()
