"""A scan of the yardstick: photos, masks, cameras and ground truth in the layout of DTU, in mm."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from benchmarks.quality.render import SAMPLES
from benchmarks.quality.scans import GENERATOR, HOLDOUT
from benchmarks.quality.studio import Studio, open_studio, photograph
from benchmarks.quality.truth import Truth, sample_surface, seen_surface
from neus.files import folder_written_whole
from neus.scene import Similarity
from neus.sources.demo.reference import write_dtu_reference, write_ply
from neus.sources.demo.sculpture import RADIUS

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float

    from benchmarks.quality.scans import Scan
    from neus.scene import Cameras

ENTRIES = ("image", "mask", "photos", "reference", "cameras_sphere.npz", "scan.json")
SPACING_MM = 0.4
"""Of the points of the ground truth."""
MOST_PAIRED = 3000
"""Points whose distances are all looked at."""
NO_TABLE = -2.0
"""Height of a table that is out of reach, in radii."""


def to_world(scan: Scan) -> Similarity:
    """The shape's frame to the world frame, millimetres: away from the origin, and turned."""
    axis = np.array([0.61, -0.33, 0.72])
    rotation = Rotation.from_rotvec(np.radians(48.0) * axis / np.linalg.norm(axis))
    scale = scan.millimetres / (2 * RADIUS)
    return Similarity(scale, rotation.as_matrix(), np.array([-18.0, 27.0, 4.2 * scale]))


def make_scan(
    scan: Scan,
    folder: Path,
    seed: int,
    report: Callable[[str], None] = lambda progress: None,
) -> None:
    """Render a scan and write it, complete or not at all.

    ``image/%06d.png`` and ``mask/%03d.png`` (coverage, 0 to 255), ``cameras_sphere.npz`` in NeuS's
    convention, ``reference/mesh.ply`` (all of the exact surface, mm), ``reference/dtu/`` (what
    the training views see of it, as DTU's files have it), ``reference/seen.npz`` (for each of
    those points, in their order: ``views``, ``openness``), ``photos/`` (images and masks without
    cameras) and ``scan.json``.

    Args:
        seed: of cameras, textures, noise and points.
    """
    started = time.perf_counter()
    with folder_written_whole(folder, ENTRIES) as fresh:
        studio = open_studio(scan, seed)
        report(f"{scan.name}: light on {len(studio.cache.points):,} points")
        rendering = time.perf_counter()
        _write_photos(fresh, studio)
        rendering = time.perf_counter() - rendering
        report(f"{scan.name}: {scan.views} photos")
        truth = _write_truth(fresh / "reference", studio)
        report(f"{scan.name}: {len(truth.points):,} points of the ground truth")
        world = to_world(scan)
        matrices = neus_matrices(studio.cameras, world)
        np.savez(fresh / "cameras_sphere.npz", allow_pickle=False, **matrices)
        record = {
            "scan": asdict(scan),
            "generator": GENERATOR,
            "seed": seed,
            "samples_a_pixel": SAMPLES,
            "diameter_mm": round(world.scale * diameter_of(studio.hull), 3),
            "points": len(truth.points),
            "seconds": round(time.perf_counter() - started, 1),
            "seconds_of_photos": round(rendering, 1),
        }
        (fresh / "scan.json").write_text(json.dumps(record, indent=1) + "\n")


def diameter_of(points: Float[np.ndarray, "p 3"]) -> float:
    """The largest distance between two points; of many, of an even part of them."""
    return float(pdist(points[:: len(points) // MOST_PAIRED + 1]).max())


def _write_photos(folder: Path, studio: Studio) -> None:
    for name in ("image", "mask", "photos"):
        (folder / name).mkdir()
    (folder / "photos" / "images").symlink_to(Path("..") / "image")
    (folder / "photos" / "masks").symlink_to(Path("..") / "mask")

    def write(index: int) -> None:
        rgb, coverage = photograph(studio, index)
        for path, pixels in (
            (folder / "image" / f"{index:06d}.png", rgb[:, :, ::-1]),
            (folder / "mask" / f"{index:03d}.png", np.repeat(coverage[:, :, None], 3, axis=2)),
        ):
            if not cv2.imwrite(str(path), pixels):
                raise OSError(f"{path} could not be written")

    with ThreadPoolExecutor() as pool:
        list(pool.map(write, range(studio.scan.views)))


def _write_truth(folder: Path, studio: Studio) -> Truth:
    """What the views that are not held out see of the surface, and all of it as a mesh."""
    scan, shape, world = studio.scan, studio.shape, to_world(studio.scan)
    spacing = SPACING_MM / world.scale
    points, normals = sample_surface(
        shape.distance, studio.vertices, studio.faces, spacing, studio.points
    )
    train = studio.cameras[[i for i in range(scan.views) if i % HOLDOUT]]
    truth = seen_surface(shape.distance, studio.grid, studio.cache, points, normals, train)
    table = NO_TABLE if scan.surroundings == "nothing" else shape.foot_z
    write_dtu_reference(folder / "dtu", truth.points, truth.normals, world, table)
    write_ply(folder / "mesh.ply", world.apply(studio.vertices), faces=studio.faces)
    openness = truth.openness.astype(np.float32)
    np.savez_compressed(folder / "seen.npz", views=truth.views, openness=openness)
    return truth


def neus_matrices(cameras: Cameras, world: Similarity) -> dict[str, Float[np.ndarray, "4 4"]]:
    """``world_mat_i = K [R | t]``, world (mm) to pixels with *integer* centres; ``scale_mat_i``."""
    sphere_to_world = np.diag([world.scale] * 3 + [1.0])
    sphere_to_world[:3, 3] = world.translation
    in_world = cameras.transformed(world)
    matrices = {}
    for index in range(len(cameras)):
        intrinsics, camera_to_world = np.eye(4), np.eye(4)
        intrinsics[:3, :3] = in_world.intrinsics[index]
        intrinsics[:2, 2] -= 0.5
        camera_to_world[:3] = in_world.camera_to_world[index]
        matrices[f"world_mat_{index}"] = intrinsics @ np.linalg.inv(camera_to_world)
        matrices[f"scale_mat_{index}"] = sphere_to_world
    return matrices
