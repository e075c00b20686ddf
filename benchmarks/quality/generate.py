"""A scan of the yardstick: photos, masks, cameras and ground truth in the layout of DTU, in mm."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import cv2
import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from benchmarks.quality import render
from benchmarks.quality.developing import develop
from benchmarks.quality.light import gather_light
from benchmarks.quality.rigs import DISTANCE, cameras_of
from benchmarks.quality.scans import GENERATOR, HOLDOUT
from benchmarks.quality.shapes import Shape, load_shape
from benchmarks.quality.truth import Truth, sample_surface, seen_surface
from neus.files import folder_written_whole
from neus.scene import Similarity
from neus.sources.demo.reference import surface_mesh, write_dtu_reference, write_ply
from neus.sources.demo.sculpture import RADIUS
from neus.sources.demo.tracer import distance_grid

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, Int

    from benchmarks.quality.light import Gathered
    from benchmarks.quality.scans import Scan
    from neus.scene import Cameras

ENTRIES = ("image", "mask", "photos", "reference", "cameras_sphere.npz", "scan.json")
GRID, MESH_CELL = 128, 0.006
"""Cells of the grid that rays leap by; side of the mesh's cells, in radii."""
LIGHT_SPACING = 0.012
"""Of the points that light is gathered at, in radii."""
SPACING_MM = 0.4
"""Of the points of the ground truth."""
SURROUNDINGS = {"nothing": render.NOTHING, "table": render.TABLE, "room": render.ROOM}
MOST_PAIRED = 3000
"""Points whose distances are all looked at."""
NO_TABLE = -2.0
"""Height of a table that is out of reach, in radii."""


class Set(NamedTuple):
    """What the photos of a scan are taken of.

    Attributes:
        grid: of the shape's distance.
        vertices, faces: a mesh of its surface.
        cache: the light on it.
    """

    shape: Shape
    grid: Float[np.ndarray, "n n n"]
    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    cache: Gathered


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
    camera_rng, point_rng, noise_rng = np.random.default_rng(seed).spawn(3)
    with folder_written_whole(folder, ENTRIES) as fresh:
        stage = set_up(scan, seed, point_rng)
        report(f"{scan.name}: light on {len(stage.cache.points):,} points")
        hull = stage.vertices[ConvexHull(stage.vertices).vertices]
        size = scan.width, scan.height
        cameras = cameras_of(scan.rig, scan.views, size, scan.zoom, hull, camera_rng)
        rendering = time.perf_counter()
        _write_photos(fresh, scan, stage, cameras, seed, noise_rng)
        rendering = time.perf_counter() - rendering
        report(f"{scan.name}: {scan.views} photos")
        train = [i for i in range(scan.views) if i % HOLDOUT]
        truth = _write_truth(fresh / "reference", scan, stage, cameras[train], point_rng)
        report(f"{scan.name}: {len(truth.points):,} points of the ground truth")
        world = to_world(scan)
        np.savez(fresh / "cameras_sphere.npz", allow_pickle=False, **neus_matrices(cameras, world))
        record = {
            "scan": asdict(scan),
            "generator": GENERATOR,
            "seed": seed,
            "samples_a_pixel": render.SAMPLES,
            "diameter_mm": round(world.scale * diameter_of(hull), 3),
            "points": len(truth.points),
            "seconds": round(time.perf_counter() - started, 1),
            "seconds_of_photos": round(rendering, 1),
        }
        (fresh / "scan.json").write_text(json.dumps(record, indent=1) + "\n")


def diameter_of(points: Float[np.ndarray, "p 3"]) -> float:
    """The largest distance between two points; of many, of an even part of them."""
    return float(pdist(points[:: len(points) // MOST_PAIRED + 1]).max())


def set_up(scan: Scan, seed: int, rng: np.random.Generator) -> Set:
    """Compile the shape, triangulate it, and light it."""
    shape = load_shape(scan.shape)
    grid = distance_grid(shape.distance, GRID)
    vertices, faces = surface_mesh(shape.distance, MESH_CELL)
    points, normals = sample_surface(shape.distance, vertices, faces, LIGHT_SPACING, rng)
    return Set(shape, grid, vertices, faces, gather_light(shape, grid, points, normals, seed))


def _write_photos(
    folder: Path,
    scan: Scan,
    stage: Set,
    cameras: Cameras,
    seed: int,
    rng: np.random.Generator,
) -> None:
    for name in ("image", "mask", "photos"):
        (folder / name).mkdir()
    (folder / "photos" / "images").symlink_to(Path("..") / "image")
    (folder / "photos" / "masks").symlink_to(Path("..") / "mask")
    generators = rng.spawn(len(cameras))
    surroundings = SURROUNDINGS[scan.surroundings]

    def photograph(index: int) -> None:
        seen = render.expose(
            stage.shape, stage.grid, stage.cache, cameras, index, surroundings, seed
        )
        rgb = develop(seen, scan.sensor, scan.brightness, DISTANCE, generators[index])
        coverage = np.repeat((255 * seen.coverage + 0.5).astype(np.uint8)[:, :, None], 3, axis=2)
        for path, pixels in (
            (folder / "image" / f"{index:06d}.png", rgb[:, :, ::-1]),
            (folder / "mask" / f"{index:03d}.png", coverage),
        ):
            if not cv2.imwrite(str(path), pixels):
                raise OSError(f"{path} could not be written")

    with ThreadPoolExecutor() as pool:
        list(pool.map(photograph, range(len(cameras))))


def _write_truth(
    folder: Path, scan: Scan, stage: Set, train: Cameras, rng: np.random.Generator
) -> Truth:
    world, shape = to_world(scan), stage.shape
    points, normals = sample_surface(
        shape.distance, stage.vertices, stage.faces, SPACING_MM / world.scale, rng
    )
    truth = seen_surface(shape.distance, stage.grid, stage.cache, points, normals, train)
    table = NO_TABLE if scan.surroundings == "nothing" else shape.foot_z
    write_dtu_reference(folder / "dtu", truth.points, truth.normals, world, table)
    write_ply(folder / "mesh.ply", world.apply(stage.vertices), faces=stage.faces)
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
