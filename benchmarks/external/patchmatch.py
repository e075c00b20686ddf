"""A surface from the PatchMatch stereo of pyarchinit-photogrammetry-core, beside ours.

    venv/bin/python patchmatch.py --input EXPORT --output FOLDER

It runs in an environment of its own and imports nothing of `neus`:

    python3 -m venv venv
    venv/bin/pip install pyarchinit-photogrammetry-core==0.5.0 pillow scikit-image trimesh

Depths are that program's (GPL, module `ppg_core`). What is done with them here is the plain
textbook: a depth counts where other views' depths agree with it (as in COLMAP, Schönberger et al.,
ECCV 2016); those that do are fused into a truncated signed distance (Curless and Levoy, SIGGRAPH
1996), whose zero set is meshed where it was seen. FOLDER gets mesh.ply, and points.ply with all
depths that count, in the frame of the cameras.

EXPORT is in NeuS's layout, its object in the unit sphere (`--frame scene` of export_scene.py):
pixel centres are integers there, as in `ppg_core`.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import ppg_core  # pyright: ignore[reportMissingImports]
import trimesh
from PIL import Image
from skimage.measure import marching_cubes  # pyright: ignore[reportMissingImports]

NEIGHBOURS, LEAST_ANGLE, BEST_ANGLE, MOST_ANGLE = 4, 4.0, 12.0, 40.0
"""How many views a depth is looked for in, and degrees between their directions."""
ITERATIONS, HALF_WINDOW, MAX_COST, MIN_VIEWS = 3, 3, 0.5, 2
"""Of PatchMatch: eight views and its own four iterations take four times as long."""
AGREEMENT, AGREEING = 0.01, 2
"""Relative difference of depths, and how many other views have to agree."""
SPACING, TRUNCATION = 0.006, 5
"""Of the grid, as a share of the sphere's radius; and how far a depth tells, in its cells."""
SMALLEST = 0.01
"""Share of the faces below which a piece of the surface is dropped."""


@dataclass
class View:
    """A photo with its camera: ``x_camera = rotation @ x + translation``; pixel centres are
    integers."""

    rgb: np.ndarray  # h w 3, bytes
    mask: np.ndarray  # h w, whether object
    intrinsics: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    @property
    def grey(self) -> np.ndarray:
        return (self.rgb @ np.array([0.299, 0.587, 0.114]) / 255).astype(np.float32)

    @property
    def centre(self) -> np.ndarray:
        return -self.rotation.T @ self.translation

    @property
    def k(self) -> tuple[float, float, float, float]:
        matrix = self.intrinsics
        return tuple(float(matrix[i]) for i in ((0, 0), (1, 1), (0, 2), (1, 2)))  # pyright: ignore

    def project(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Nearest pixel (-1 where there is none), and depth, of points ``[n, 3]``."""
        seen = points @ self.rotation.T.astype(points.dtype) + self.translation.astype(points.dtype)
        depth = seen[:, 2]
        fx, fy, cx, cy = self.k
        with np.errstate(divide="ignore", invalid="ignore"):
            x = np.rint(fx * seen[:, 0] / depth + cx)
            y = np.rint(fy * seen[:, 1] / depth + cy)
        height, width = self.mask.shape
        inside = (depth > 0) & (x >= 0) & (x < width) & (y >= 0) & (y < height)
        return np.where(inside, x, -1).astype(int), np.where(inside, y, -1).astype(int), depth

    def unproject(self, depth: np.ndarray) -> np.ndarray:
        """Points ``[n, 3]`` of the pixels that have a depth."""
        y, x = np.nonzero(depth)
        fx, fy, cx, cy = self.k
        z = depth[y, x].astype(np.float64)
        seen = np.stack([(x - cx) / fx * z, (y - cy) / fy * z, z], axis=1)
        return (seen - self.translation) @ self.rotation


def load_views(folder: Path) -> list[View]:
    images = sorted((folder / "image").iterdir())
    masks = {int(file.stem): file for file in (folder / "mask").glob("*.png")}
    views = []
    with np.load(folder / "cameras_sphere.npz") as cameras:
        for i, file in enumerate(images):
            rgb = np.asarray(Image.open(file).convert("RGB"))
            covered = np.asarray(Image.open(masks[i]).convert("L")) if i in masks else None
            mask = np.ones(rgb.shape[:2], bool) if covered is None else covered > 127
            projection = cameras[f"world_mat_{i}"] @ cameras[f"scale_mat_{i}"]
            views.append(View(rgb, mask, *decomposed(projection[:3])))
    return views


def decomposed(projection: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Intrinsics, rotation and translation of a 3x4 projection, by RQ (Hartley and Zisserman)."""
    flip = np.eye(3)[::-1]
    q, r = np.linalg.qr((flip @ projection[:, :3]).T)
    intrinsics, rotation = flip @ r.T @ flip, flip @ q.T
    signs = np.diag(np.sign(np.diag(intrinsics)))
    intrinsics, rotation = intrinsics @ signs, signs @ rotation
    translation = np.linalg.solve(intrinsics, projection[:, 3])
    if np.linalg.det(rotation) < 0:
        rotation, translation = -rotation, -translation
    return intrinsics / intrinsics[2, 2], rotation, translation


def neighbours_of(views: list[View], index: int) -> list[int]:
    """The views from which a surface looks shifted, but alike."""
    towards = np.stack([view.centre / np.linalg.norm(view.centre) for view in views])
    angles = np.degrees(np.arccos(np.clip(towards @ towards[index], -1, 1)))
    order = np.argsort(np.abs(angles - BEST_ANGLE))
    chosen = [j for j in order if j != index and LEAST_ANGLE <= angles[j] <= MOST_ANGLE]
    return (chosen or [j for j in order if j != index])[:NEIGHBOURS]


def depth_map(views: list[View], index: int, seed: int) -> np.ndarray:
    """The program's depths of one photo, in its mask and the unit sphere; 0 where there is none."""
    view, sources = views[index], []
    for j in neighbours_of(views, index):
        rotation = views[j].rotation @ view.rotation.T
        shift = views[j].translation - rotation @ view.translation
        sources.append((views[j].grey, views[j].k, rotation, shift))
    away = float(np.linalg.norm(view.centre))
    depth, _, _ = ppg_core.patchmatch_depth(
        view.grey,
        view.k,
        sources,
        (max(away - 1, 0.05 * away), away + 1),
        iterations=ITERATIONS,
        half_window=HALF_WINDOW,
        max_cost=MAX_COST,
        min_views=min(MIN_VIEWS, len(sources)),
        seed=seed,
    )
    return np.where(view.mask, depth, 0).astype(np.float32)


def agreed(views: list[View], depths: list[np.ndarray], index: int) -> np.ndarray:
    """The depths of a photo that enough other photos' depths agree with."""
    depth = depths[index]
    points, votes = views[index].unproject(depth), np.zeros(np.count_nonzero(depth), int)
    for j in neighbours_of(views, index):
        x, y, expected = views[j].project(points)
        found = np.where(x >= 0, depths[j][y, x], 0)
        votes += (found > 0) & (np.abs(found - expected) < AGREEMENT * expected)
    kept = np.zeros_like(depth)
    kept[np.nonzero(depth)] = np.where(votes >= AGREEING, depth[np.nonzero(depth)], 0)
    return kept


def fused(
    views: list[View], depths: list[np.ndarray], low: np.ndarray, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Truncated distance, positive outside, in units of the truncation, and how many views tell."""
    distance, told = np.zeros(shape, np.float32), np.zeros(shape, np.uint16)
    reach = TRUNCATION * SPACING
    rows = np.stack(np.meshgrid(*map(np.arange, shape[1:]), indexing="ij"), axis=-1)
    rows = rows.reshape(-1, 2).astype(np.float32)
    for i in range(shape[0]):
        layer = np.concatenate([np.full((len(rows), 1), i, np.float32), rows], axis=1)
        points = (low + SPACING * layer).astype(np.float32)
        total, count = np.zeros(len(rows), np.float32), np.zeros(len(rows), np.uint16)
        for view, depth in zip(views, depths, strict=True):
            x, y, expected = view.project(points)
            seen = x >= 0
            found = np.where(seen, depth[y, x], 0)
            free = seen & ~view.mask[y, x]  # outside of the silhouette
            ahead = np.where(free, reach, found - expected)
            counts = free | ((found > 0) & (ahead > -reach))
            total += np.where(counts, np.minimum(ahead / reach, 1), 0)
            count += counts
        distance[i] = (total / np.maximum(count, 1)).reshape(shape[1:])
        told[i] = count.reshape(shape[1:])
    return distance, told


def surface(views: list[View], depths: list[np.ndarray]) -> trimesh.Trimesh:
    cloud = np.concatenate([v.unproject(d)[::7] for v, d in zip(views, depths, strict=True)])
    low, high = np.quantile(cloud, [0.001, 0.999], axis=0)
    margin = 2 * TRUNCATION * SPACING
    low, high = np.maximum(low - margin, -1), np.minimum(high + margin, 1)
    shape = tuple(int(n) for n in np.ceil((high - low) / SPACING) + 1)
    distance, told = fused(views, depths, low, shape)  # pyright: ignore
    vertices, faces, _, _ = marching_cubes(distance, 0.0, mask=told >= AGREEING + 1)
    mesh = trimesh.Trimesh(low + SPACING * vertices, faces, process=False)
    pieces = trimesh.graph.connected_components(mesh.face_adjacency, nodes=np.arange(len(faces)))
    large = [piece for piece in pieces if len(piece) >= SMALLEST * len(faces)]
    mesh.update_faces(np.concatenate(large))
    mesh.remove_unreferenced_vertices()
    mesh.visual.vertex_colors = colours(views, depths, np.asarray(mesh.vertices))  # pyright: ignore
    return mesh


def colours(views: list[View], depths: list[np.ndarray], points: np.ndarray) -> np.ndarray:
    """Means over the photos whose depths say that they see a point; grey where none does."""
    total, count = np.zeros((len(points), 3)), np.zeros((len(points), 1))
    for view, depth in zip(views, depths, strict=True):
        x, y, expected = view.project(points)
        found = np.where(x >= 0, depth[y, x], 0)
        sees = (np.abs(found - expected) < AGREEMENT * expected)[:, None]
        total += np.where(sees, view.rgb[y, x], 0)
        count += sees
    return np.where(count > 0, total / np.maximum(count, 1), 128).round().astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--input", type=Path, required=True, help="folder in NeuS's layout")
    parser.add_argument("--output", type=Path, required=True, help="folder for mesh.ply")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)  # minutes are lost if it is missed at the end
    views, start = load_views(options.input), time.perf_counter()
    depths = []
    for i in range(len(views)):
        depths.append(depth_map(views, i, options.seed))
        print(f"{i + 1} of {len(views)} depth maps", end="\r", flush=True)
    print(f"{len(views)} depth maps in {time.perf_counter() - start:.0f} s", flush=True)
    kept = [agreed(views, depths, i) for i in range(len(views))]
    share = sum(np.count_nonzero(d) for d in kept) / sum(int(view.mask.sum()) for view in views)
    print(f"other views agree with {share:.0%} of the pixels of the object", flush=True)
    points = np.concatenate([view.unproject(d) for view, d in zip(views, kept, strict=True)])
    trimesh.PointCloud(points).export(options.output / "points.ply")
    mesh = surface(views, kept)
    mesh.export(options.output / "mesh.ply")
    print(f"{len(mesh.faces):,} faces in {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
