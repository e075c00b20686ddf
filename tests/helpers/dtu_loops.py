"""An independent DTU protocol, one point at a time, and references in the official layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh
from scipy.io import savemat

from neus.metrics.dtu_reference import DtuReference
from neus.metrics.geometry import Surface


def reference_of(
    points: np.ndarray,
    lower: float = -50.0,
    upper: float = 50.0,
    resolution: float = 1.0,
    plane: tuple[float, float, float, float] = (0, 0, 1, 1000),
) -> DtuReference:
    """All voxels of a cube observed, and by default no point below the table."""
    side = round((upper - lower) / resolution) + 1
    bounds = np.array([[lower] * 3, [upper] * 3])
    return DtuReference(points, np.ones((side,) * 3, bool), bounds, resolution, np.array(plane))


def lattice(size: float, z: float = 0.0, spacing: float = 0.25) -> np.ndarray:
    axis = np.arange(-size, size + spacing / 2, spacing)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    return np.stack([x, y, np.full_like(x, z)], -1).reshape(-1, 3)


def square(size: float, z: float = 0.0) -> Surface:
    corners = [[-size, -size, z], [size, -size, z], [size, size, z], [-size, size, z]]
    return Surface(np.array(corners, float), np.array([[0, 1, 2], [0, 2, 3]]))


def thin_by_loop(points: np.ndarray, radius: float, order: np.ndarray) -> np.ndarray:
    """Each kept point removes all others within the radius."""
    removed, kept = np.zeros(len(points), bool), np.zeros(len(points), bool)
    for index in order:
        if not removed[index]:
            kept[index] = True
            offsets = points - points[index]
            removed |= (offsets * offsets).sum(axis=1) <= radius * radius
    return kept


def points_by_loop(surface: Surface, spacing: float) -> np.ndarray:
    points = [np.asarray(vertex) for vertex in surface.vertices]
    for v0, corner1, corner2 in surface.triangles:
        v1, v2 = corner1 - v0, corner2 - v0
        l1, l2 = np.linalg.norm(v1), np.linalg.norm(v2)
        area2 = np.linalg.norm(np.cross(v1, v2))
        if area2 == 0:
            continue
        threshold = spacing * np.sqrt(l1 * l2 / area2)
        n1, n2 = int(np.floor(l1 / threshold)), int(np.floor(l2 / threshold))
        for i in range(n1 + 1):
            for j in range(n2 + 1):
                a, b = (i + 0.5) / max(n1, 1e-7), (j + 0.5) / max(n2, 1e-7)
                if a + b < 1:
                    points.append(v1 * a + v2 * b + v0)
    return np.array(points)


def figures_by_loop(surface: Surface, reference: DtuReference, seed: int) -> tuple[float, float]:
    """Section by section of the protocol, one point at a time."""
    points = points_by_loop(surface, 0.2) if surface.is_mesh else surface.vertices
    order = np.random.default_rng(seed).permutation(len(points))
    points = points[thin_by_loop(points, 0.2, order)]
    low, high = reference.bounds
    inside = [p for p in points if all(p >= low - 60) and all(p < high + 120)]
    to_stl = []
    for p in inside:
        voxel = [round(v) for v in (p - low) / reference.resolution]
        in_grid = all(0 <= v < n for v, n in zip(voxel, reference.observed.shape, strict=True))
        if in_grid and reference.observed[tuple(voxel)]:
            to_stl.append(np.linalg.norm(reference.points - p, axis=1).min())
    to_data = [
        np.linalg.norm(np.array(inside) - q, axis=1).min()
        for q in reference.points
        if reference.plane @ [*q, 1] > 0
    ]
    return (
        float(np.mean([d for d in to_stl if d < 20])),
        float(np.mean([d for d in to_data if d < 20])),
    )


def write_reference(root: Path, reference: DtuReference, scan: int) -> None:
    (root / "Points" / "stl").mkdir(parents=True)
    (root / "ObsMask").mkdir()
    trimesh.PointCloud(reference.points).export(root / "Points/stl" / f"stl{scan:03}_total.ply")
    savemat(
        root / "ObsMask" / f"ObsMask{scan}_10.mat",
        {
            "ObsMask": reference.observed.astype(np.uint8),
            "BB": reference.bounds,
            "Res": reference.resolution,
        },
    )
    savemat(root / "ObsMask" / f"Plane{scan}.mat", {"P": reference.plane[:, None]})
