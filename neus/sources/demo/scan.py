"""The demo scan: photographs, masks, cameras and exact ground truth in the layout of DTU and NeuS.

The sculpture stands in a world frame in millimetres, away from the origin and turned about an odd
axis, so that nothing agrees by accident.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from scipy.spatial import ConvexHull
from scipy.spatial.distance import pdist
from scipy.spatial.transform import Rotation

from neus.errors import InputError
from neus.files import folder_written_whole
from neus.scene import Similarity
from neus.sources.demo import reference, sculpture
from neus.sources.demo.render import render_view
from neus.sources.demo.tracer import distance_grid
from neus.sources.demo.viewpoints import place_cameras

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Float, UInt8

    from neus.scene import Cameras

KIND = "procedural demo scan"
ENTRIES = ("image", "mask", "reference", "cameras_sphere.npz", "scan.json")
LEAST_VIEWS, LEAST_SIZE = 4, 16
GRID_RESOLUTION = 96
MESH_CELL, POINT_SPACING = 0.0068, 0.0043
"""In radii of the unit sphere: 0.63 mm and 0.40 mm."""


def sculpture_to_world() -> Similarity:
    """The sculpture's frame to the world frame, millimetres."""
    axis = np.array([0.36, -0.81, 0.47])
    turn = Rotation.from_rotvec(np.radians(67.0) * axis / np.linalg.norm(axis))
    return Similarity(92.7, turn.as_matrix(), np.array([12.0, -35.0, 640.0]))


def make_demo(
    folder: Path,
    views: int = 48,
    width: int = 400,
    height: int = 300,
    seed: int = 0,
    room: bool = False,
    advance: Callable[[str, float], None] = lambda part, share: None,
) -> None:
    """Photograph the sculpture and write the scan, complete or not at all.

    ``image/%06d.png`` (over black, or in a room), ``mask/%03d.png`` (coverage, 0 to 255),
    ``cameras_sphere.npz`` as NeuS reads it (``world_mat_i``: world in mm to pixels with *integer*
    centres; ``scale_mat_i``: unit sphere to world), ``reference/mesh.ply`` (the exact surface,
    mm), ``reference/dtu/`` (the same as files of the DTU benchmark, seen surface only) and
    ``scan.json``. The same arguments give the same scan.

    Args:
        folder: the scan's folder; a demo scan that lies there is replaced, nothing else is.
        views: number of photographs.
        width, height: of a photograph in pixels.
        seed: of the cameras' jitter, the stones and the reference points.
        room: put the sculpture on the floor of a furnished room; masks and reference stay as
            they are.
        advance: is told which share of ``surface``, and after it of ``photos``, is done.

    Raises:
        InputError: an argument is out of range, or ``folder`` holds something else.
    """
    _check_arguments(folder, views, width, height, seed)
    with folder_written_whole(folder, ENTRIES) as fresh:
        _write_scan(fresh, views, width, height, seed, room, advance)


def _check_arguments(folder: Path, views: int, width: int, height: int, seed: int) -> None:
    if views < LEAST_VIEWS:
        raise InputError(f"views is {views}: a demo scan needs {LEAST_VIEWS} or more")
    for name, size in (("width", width), ("height", height)):
        if size < LEAST_SIZE:
            raise InputError(f"{name} is {size}: a demo scan needs {LEAST_SIZE} or more pixels")
    if seed < 0:
        raise InputError(f"seed is {seed}: use 0 or a positive number")
    if folder.exists() and not _is_replaceable(folder):
        raise InputError(
            f"{folder} exists and is not a demo scan: remove it or name another folder"
        )


def _is_replaceable(folder: Path) -> bool:
    """An empty folder tree, or a demo scan whatever its arguments were.

    A real scan has the same files, all but ``scan.json``, and must not be taken for a demo.
    """
    if not folder.is_dir():
        return False
    record = folder / "scan.json"
    if record.is_file():
        return f'"{KIND}"' in record.read_text()
    return not any(path.is_file() for path in folder.rglob("*"))


def _write_scan(
    folder: Path,
    views: int,
    width: int,
    height: int,
    seed: int,
    room: bool,
    advance: Callable[[str, float], None],
) -> None:
    advance("surface", 0.0)
    for name in ("image", "mask", "reference/dtu"):
        (folder / name).mkdir(parents=True)
    camera_rng, point_rng = np.random.default_rng(seed).spawn(2)
    distance, part = sculpture.compiled()
    grid = distance_grid(distance, GRID_RESOLUTION)
    vertices, faces = reference.surface_mesh(distance, MESH_CELL)
    hull = vertices[ConvexHull(vertices).vertices]
    cameras = place_cameras(views, width, height, hull, camera_rng)
    to_world = sculpture_to_world()

    def photograph(index: int) -> None:
        rgba = render_view(distance, part, grid, cameras, index, seed, room)
        _write_view(folder, index, rgba)

    def write_reference() -> None:
        points, normals = reference.sample_seen_surface(
            distance, grid, vertices, faces, cameras.centres, POINT_SPACING, point_rng
        )
        reference.write_dtu_reference(folder / "reference" / "dtu", points, normals, to_world)
        mesh_file = folder / "reference" / "mesh.ply"
        reference.write_ply(mesh_file, to_world.apply(vertices), faces=faces)

    advance("photos", 0.0)
    with ThreadPoolExecutor() as pool:
        written = pool.submit(write_reference)
        photographs = [pool.submit(photograph, index) for index in range(views)]
        for done, one in enumerate(as_completed(photographs), start=1):
            one.result()
            advance("photos", done / views)
        written.result()
    matrices = _neus_matrices(cameras, to_world)
    np.savez(folder / "cameras_sphere.npz", allow_pickle=False, **matrices)
    record = {
        "kind": KIND,
        "seed": seed,
        "views": views,
        "width": width,
        "height": height,
        "room": room,
        "unit": "mm",
        "diameter_mm": round(to_world.scale * float(pdist(hull).max()), 3),
        "diameter_is": "the largest distance between two points of the surface",
    }
    (folder / "scan.json").write_text(json.dumps(record, indent=1) + "\n")


def _write_view(folder: Path, index: int, rgba: UInt8[np.ndarray, "h w 4"]) -> None:
    coverage = np.repeat(rgba[:, :, 3:], 3, axis=2)
    for path, pixels in (
        (folder / "image" / f"{index:06d}.png", rgba[:, :, 2::-1]),
        (folder / "mask" / f"{index:03d}.png", coverage),
    ):
        if not cv2.imwrite(str(path), pixels):
            raise OSError(f"{path} could not be written")


def _neus_matrices(cameras: Cameras, to_world: Similarity) -> dict[str, Float[np.ndarray, "4 4"]]:
    """``world_mat_i = K [R | t]`` from the world in mm, and ``scale_mat_i``, in NeuS's convention.

    NeuS and IDR count pixels from the centre of the first one: (0, 0) there is (0.5, 0.5) here.
    """
    sphere_to_world = np.diag([to_world.scale] * 3 + [1.0])
    sphere_to_world[:3, 3] = to_world.translation
    in_world = cameras.transformed(to_world)
    matrices = {}
    for index in range(len(cameras)):
        intrinsics, camera_to_world = np.eye(4), np.eye(4)
        intrinsics[:3, :3] = in_world.intrinsics[index]
        intrinsics[:2, 2] -= 0.5
        camera_to_world[:3] = in_world.camera_to_world[index]
        matrices[f"world_mat_{index}"] = intrinsics @ np.linalg.inv(camera_to_world)
        matrices[f"scale_mat_{index}"] = sphere_to_world
    return matrices
