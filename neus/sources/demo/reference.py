"""Ground truth from the exact surface: a mesh, and reference files as the DTU benchmark's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import mcubes
import numpy as np
from scipy.io import savemat
from scipy.ndimage import distance_transform_edt

from neus.sources.demo.sculpture import FOOT_Z, RADIUS
from neus.sources.demo.tracer import Distance, project, sample_box, visible

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Bool, Float, Int

    from neus.scene import Similarity

LEAST_COSINE = 0.05
"""A surface point seen more obliquely than this from everywhere counts as not seen."""
OBSERVED_MM, VOXEL_MM = 10.0, 1.5
"""ObsMask reaches this far from the seen surface, in cubes of this side."""
PLANE_MM = 1.5
"""Height of the cutting plane above the underside: more than half a voxel's diagonal."""


def surface_mesh(
    distance: Distance, cell: float
) -> tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]:
    """Triangulate the surface in its own frame, with vertices exactly on it.

    Marching cubes over a grid of ``cell`` (Lorensen and Cline, SIGGRAPH 1987), then Newton steps.
    """
    resolution = int(np.ceil(2 * RADIUS / cell)) + 1
    values = sample_box(distance, -RADIUS, cell, resolution, margin=2 * cell)
    indices, faces = mcubes.marching_cubes(values, 0.0)
    vertices, _ = project(distance, cell * indices - RADIUS)
    return vertices, faces[:, ::-1].astype(np.int32)


def sample_seen_surface(
    distance: Distance,
    grid: Float[np.ndarray, "n n n"],
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    centres: Float[np.ndarray, "c 3"],
    spacing: float,
    rng: np.random.Generator,
) -> tuple[Float[np.ndarray, "p 3"], Float[np.ndarray, "p 3"]]:
    """Points and normals on the exact surface that some camera centre sees.

    One point per ``spacing`` squared, drawn by area from the mesh in equal strata of its faces,
    then projected.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    cumulative = np.cumsum(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1))
    count = int(cumulative[-1] / spacing**2)
    strata = (np.arange(count) + rng.uniform(size=count)) / count
    face = np.searchsorted(cumulative, strata * cumulative[-1])
    u, v = rng.uniform(size=(2, count, 1))
    u, v = np.where(u + v > 1, (1 - u, 1 - v), (u, v))
    points, normals = project(distance, a[face] + u * (b - a)[face] + v * (c - a)[face])
    seen = visible(distance, grid, points, normals, centres, LEAST_COSINE)
    return points[seen], normals[seen]


def write_dtu_reference(
    folder: Path,
    points: Float[np.ndarray, "p 3"],
    normals: Float[np.ndarray, "p 3"],
    to_world: Similarity,
    foot_z: float = FOOT_Z,
) -> None:
    """Write scan 1 of a DTU-like data set: surface points, observation mask, cutting plane.

    Args:
        folder: receives ``Points/stl/`` and ``ObsMask/``, as ``SampleSet/MVS Data`` has them.
        points, normals: seen surface points, in the sculpture's frame.
        to_world: the similarity to the world frame, millimetres.
        foot_z: height of the table that the solid stands on, in its own frame.
    """
    points = to_world.apply(points)
    stl = folder / "Points" / "stl"
    stl.mkdir(parents=True)
    write_ply(stl / "stl001_total.ply", points, normals=to_world.apply_to_directions(normals))
    up = to_world.rotation[:, 2]
    foot = to_world.apply(np.array([[0.0, 0.0, foot_z]]))[0]
    plane = np.append(up, -up @ foot - PLANE_MM)
    mask, box = _observed(points, plane)
    (folder / "ObsMask").mkdir()
    savemat(
        folder / "ObsMask" / "ObsMask1_10.mat",
        {"ObsMask": mask, "BB": box, "Res": VOXEL_MM, "Margin": OBSERVED_MM},
        do_compression=True,
    )
    savemat(folder / "ObsMask" / "Plane1.mat", {"P": plane[:, None]})


def _observed(
    points: Float[np.ndarray, "p 3"], plane: Float[np.ndarray, "4"]
) -> tuple[Bool[np.ndarray, "a b c"], Float[np.ndarray, "2 3"]]:
    """Voxels near a seen point and above the plane; their box, voxel ``(p - box[0]) / size``."""
    low = points.min(axis=0) - OBSERVED_MM
    shape = np.ceil((points.max(axis=0) + OBSERVED_MM - low) / VOXEL_MM).astype(int) + 1
    empty = np.ones(shape, bool)
    empty[tuple(np.around((points - low) / VOXEL_MM).astype(int).T)] = False
    mask = np.asarray(distance_transform_edt(empty, sampling=VOXEL_MM)) <= OBSERVED_MM
    x, y, z = (low[k] + VOXEL_MM * np.arange(shape[k]) for k in range(3))
    height = plane[0] * x[:, None, None] + plane[1] * y[:, None] + plane[2] * z + plane[3]
    return mask & (height > 0), np.array([low, low + VOXEL_MM * (shape - 1)])


def write_ply(
    path: Path,
    vertices: Float[np.ndarray, "v 3"],
    *,
    normals: Float[np.ndarray, "v 3"] | None = None,
    faces: Int[np.ndarray, "f 3"] | None = None,
) -> None:
    """Write a binary PLY: float32 positions, and normals or triangles where they are given."""
    columns = vertices if normals is None else np.concatenate([vertices, normals], axis=1)
    names = ("x", "y", "z", "nx", "ny", "nz")[: columns.shape[1]]
    header = ["ply", "format binary_little_endian 1.0", f"element vertex {len(vertices)}"]
    header += [f"property float {name}" for name in names]
    if faces is not None:
        header += [f"element face {len(faces)}", "property list uchar int vertex_indices"]
    with path.open("wb") as file:
        file.write("\n".join([*header, "end_header", ""]).encode())
        file.write(columns.astype("<f4").tobytes())
        if faces is not None:
            records = np.empty(len(faces), [("corners", "u1"), ("indices", "<i4", 3)])
            records["corners"], records["indices"] = 3, faces
            file.write(records.tobytes())
