"""What the photos of a scan are taken of and from where, and the taking of one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial import ConvexHull

from benchmarks.quality import render
from benchmarks.quality.developing import develop
from benchmarks.quality.light import gather_light
from benchmarks.quality.rigs import DISTANCE, cameras_of
from benchmarks.quality.shapes import Shape, load_shape
from benchmarks.quality.truth import sample_surface
from neus.sources.demo.reference import surface_mesh
from neus.sources.demo.tracer import distance_grid

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

    from benchmarks.quality.light import Gathered
    from benchmarks.quality.scans import Scan
    from neus.scene import Cameras

GRID, MESH_CELL = 128, 0.006
"""Cells of the grid that rays leap by; side of the mesh's cells, in radii."""
LIGHT_SPACING = 0.012
"""Of the points that light is gathered at, in radii."""
SURROUNDINGS = {"nothing": render.NOTHING, "table": render.TABLE, "room": render.ROOM}


class Studio(NamedTuple):
    """A scan ready to be photographed, in the shape's frame.

    Attributes:
        grid: of the shape's distance.
        vertices, faces: a mesh of its surface.
        hull: ``[h, 3]`` those of its vertices that its convex hull has.
        cache: the light on it.
        noise: a generator for each photo.
        points: a generator for points on the surface.
    """

    scan: Scan
    seed: int
    shape: Shape
    grid: Float[np.ndarray, "n n n"]
    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"]
    hull: Float[np.ndarray, "h 3"]
    cache: Gathered
    cameras: Cameras
    noise: list[np.random.Generator]
    points: np.random.Generator


def open_studio(scan: Scan, seed: int) -> Studio:
    """Compile the shape, triangulate it, light it, and place the cameras.

    Args:
        seed: of cameras, textures, noise and points.
    """
    camera_rng, point_rng, noise_rng = np.random.default_rng(seed).spawn(3)
    shape = load_shape(scan.shape)
    grid = distance_grid(shape.distance, GRID)
    vertices, faces = surface_mesh(shape.distance, MESH_CELL)
    points, normals = sample_surface(shape.distance, vertices, faces, LIGHT_SPACING, point_rng)
    cache = gather_light(shape, grid, points, normals, seed)
    hull = vertices[ConvexHull(vertices).vertices]
    size = scan.width, scan.height
    cameras = cameras_of(scan.rig, scan.views, size, scan.zoom, hull, camera_rng)
    noise = noise_rng.spawn(scan.views)
    return Studio(scan, seed, shape, grid, vertices, faces, hull, cache, cameras, noise, point_rng)


def photograph(
    studio: Studio, index: int
) -> tuple[UInt8[np.ndarray, "h w 3"], UInt8[np.ndarray, "h w"]]:
    """Photo ``index`` of a scan, and the object's coverage in it, 0 to 255."""
    scan = studio.scan
    seen = render.expose(
        studio.shape,
        studio.grid,
        studio.cache,
        studio.cameras,
        index,
        SURROUNDINGS[scan.surroundings],
        studio.seed,
    )
    rgb = develop(seen, scan.sensor, scan.brightness, DISTANCE, studio.noise[index])
    return rgb, (255 * seen.coverage + 0.5).astype(np.uint8)
