"""Matching features of pairs of photos, with equal results on any number of cores.

COLMAP's own threads lose a pair, or all pairs of an image, once in some twenty runs (pycolmap 4.2,
CPU). Here each process matches a part of the pairs in one thread, in a copy of the database.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from neus.poses.features import SiftDevice
from neus.poses.pairing import Pairs
from neus.sources import import_pycolmap

SLICE = 1000
"""Pairs that a process matches before a line says how far it is."""
SLICES = 16
"""Into which the pairs of a process are cut at least, to know how far it is."""
FEWEST = 30
"""Pairs in a slice, since each reads its photos' features anew."""
ON_ONE_CARD = 4
"""Processes that share a GPU, each with buffers of its own there."""


def match_in_processes(
    database: Path,
    pairs: Pairs,
    *,
    seed: int,
    device: SiftDevice,
    processes: int,
    report: Callable[[str], None],
    advance: Callable[[float], None] = lambda share: None,
) -> int:
    """Match pairs of images; keep matches that one epipolar geometry explains.

    Args:
        database: COLMAP database with features; receives matches and two-view geometries.
        pairs: names of images.
        seed: of RANSAC, anew for each pair.
        device: see :func:`neus.poses.features.sift_device`.
        processes: pairs that are matched at the same time; on a GPU no more than `ON_ONE_CARD`.
        report: hears how far it is, if it takes long.
        advance: is told which share is done.

    Returns:
        How many pairs match.
    """
    pycolmap = import_pycolmap()
    processes = min(processes, ON_ONE_CARD) if device == "cuda" else processes
    parts = [part for i in range(processes) if (part := pairs[i::processes])]
    copies = [database.with_name(f"part{i}.db") for i in range(len(parts))]
    for copy in copies:
        shutil.copyfile(database, copy)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        longest = max(map(len, parts), default=0)
        size = min(SLICE, max(FEWEST, -(-longest // SLICES)))
        for start in range(0, longest, size):
            if start // SLICE > (start - size) // SLICE and start:
                report(f"matched {start * len(parts)} of {len(pairs)} pairs")
            advance(start / longest)
            slices = [part[start : start + size] for part in parts]
            list(pool.map(partial(match_pairs, seed=seed, device=device), copies, slices))
    for copy in copies:
        _add_matches(copy, database)
        copy.unlink()
    with pycolmap.Database.open(database) as content:
        return len(content.read_two_view_geometry_num_inliers()[0])


def match_pairs(database: Path, pairs: Pairs, *, seed: int, device: SiftDevice) -> None:
    """Match the given pairs of images, by name, in one thread."""
    if not pairs:
        return
    pycolmap = import_pycolmap()
    pycolmap.logging.minloglevel = pycolmap.logging.Level.ERROR.value
    listed = database.with_suffix(".txt")
    listed.write_text("".join(f"{first} {second}\n" for first, second in pairs))
    verification = pycolmap.TwoViewGeometryOptions()
    verification.ransac.random_seed = seed
    pycolmap.match_image_pairs(
        database,
        matching_options=pycolmap.FeatureMatchingOptions(num_threads=1, use_gpu=device == "cuda"),
        pairing_options=pycolmap.ImportedPairingOptions(match_list_path=listed),
        verification_options=verification,
        device=getattr(pycolmap.Device, device),
    )


def _add_matches(source: Path, target: Path) -> None:
    pycolmap = import_pycolmap()
    with (
        pycolmap.Database.open(source) as part,
        pycolmap.Database.open(target) as whole,
        pycolmap.DatabaseTransaction(whole),
    ):
        for pair, matches in zip(*part.read_all_matches(), strict=True):
            whole.write_matches(*pycolmap.pair_id_to_image_pair(pair), matches)
        for pair, geometry in zip(*part.read_two_view_geometries(), strict=True):
            whole.write_two_view_geometry(*pycolmap.pair_id_to_image_pair(pair), geometry)
