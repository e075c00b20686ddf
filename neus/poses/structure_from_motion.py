"""Photos to a sparse model: poses, lenses and points, with COLMAP.

Schönberger and Frahm, "Structure-from-Motion Revisited", CVPR 2016; Pan et al., "Global
Structure-from-Motion Revisited", ECCV 2024. A last bundle adjustment with a robust loss halves the
error of the camera centres where features are few: plain least squares follows the wrong matches
that pass COLMAP's limit of 4 pixels.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from neus.files import kept
from neus.poses.features import extract_features
from neus.poses.mapping import map_photos
from neus.poses.matching import match_in_processes
from neus.poses.method import Advance, Method, Report
from neus.poses.pairing import choose_pairs
from neus.poses.prepared import PreparedPhotos
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
    model = map_photos(prepared, matches, folder, method, threads, report, placing)
    advance("refining", 0.0)
    _refine(model, threads, refine_lens=method.intrinsics is None)
    shutil.rmtree(folder)
    folder.mkdir()
    model.write(folder)


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
