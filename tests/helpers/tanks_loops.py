"""The protocol of Tanks and Temples once more, by other means: plain loops, and slow."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import KDTree

AXIS_OF = {"X": 0, "Y": 1, "Z": 2}


def write_scene(
    root: Path,
    name: str,
    truth: np.ndarray,
    centres: np.ndarray,
    to_truth: np.ndarray,
    volume: dict[str, Any],
) -> None:
    """Files as the official archives name them; the cameras stand in COLMAP's frame."""
    import trimesh

    folder = root / name
    folder.mkdir(parents=True)
    trimesh.PointCloud(truth).export(folder / f"{name}.ply")
    (folder / f"{name}.json").write_text(json.dumps(volume))
    np.savetxt(folder / f"{name}_trans.txt", to_truth)
    write_trajectory(folder / f"{name}_COLMAP_SfM.log", centres)


def write_trajectory(path: Path, centres: np.ndarray) -> None:
    lines = []
    for i, centre in enumerate(centres):
        pose = np.eye(4)
        pose[:3, 3] = centre
        lines += [f"{i} {i} 0", *(" ".join(f"{x:.17g}" for x in row) for row in pose)]
    path.write_text("\n".join(lines) + "\n")


def by_quaternion(origin: np.ndarray, target: np.ndarray) -> np.ndarray:
    """4x4 similarity by Horn's closed form with a quaternion (JOSA A 1987), not by an SVD."""
    p, q = origin - origin.mean(axis=0), target - target.mean(axis=0)
    s = p.T @ q
    trace = np.trace(s)
    z = np.array([s[1, 2] - s[2, 1], s[2, 0] - s[0, 2], s[0, 1] - s[1, 0]])
    n = np.zeros((4, 4))
    n[0, 0], n[0, 1:], n[1:, 0], n[1:, 1:] = trace, z, z, s + s.T - trace * np.eye(3)
    w, x, y, v = np.linalg.eigh(n)[1][:, -1]
    rotation = np.array(
        [
            [1 - 2 * (y * y + v * v), 2 * (x * y - w * v), 2 * (x * v + w * y)],
            [2 * (x * y + w * v), 1 - 2 * (x * x + v * v), 2 * (y * v - w * x)],
            [2 * (x * v - w * y), 2 * (y * v + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    scale = float((q * (p @ rotation.T)).sum() / (p * p).sum())
    matrix = np.eye(4)
    matrix[:3, :3] = scale * rotation
    matrix[:3, 3] = target.mean(axis=0) - scale * rotation @ origin.mean(axis=0)
    return matrix


def winds_around(outline: list[tuple[float, float]], u: float, v: float) -> bool:
    """Whether a simple polygon holds a point: its edges turn by a full circle, seen from there."""
    turn = 0.0
    for (u0, v0), (u1, v1) in zip(outline, outline[1:] + outline[:1], strict=True):
        angle = math.atan2(v1 - v, u1 - u) - math.atan2(v0 - v, u0 - u)
        turn += (angle + math.pi) % (2 * math.pi) - math.pi
    return abs(turn) > math.pi


def cropped(points: np.ndarray, volume: dict[str, Any]) -> np.ndarray:
    along = AXIS_OF[volume["orthogonal_axis"]]
    u, v = (axis for axis in range(3) if axis != along)
    outline = [(corner[u], corner[v]) for corner in volume["bounding_polygon"]]
    kept = [
        point
        for point in points
        if volume["axis_min"] <= point[along] <= volume["axis_max"]
        and winds_around(outline, point[u], point[v])
    ]
    return np.array(kept).reshape(-1, 3)


def one_a_voxel(points: np.ndarray, size: float) -> np.ndarray:
    lowest = [min(point[axis] for point in points) - size / 2 for axis in range(3)]
    voxels: dict[tuple[int, ...], list[np.ndarray]] = {}
    for point in points:
        cell = tuple(math.floor((point[axis] - lowest[axis]) / size) for axis in range(3))
        voxels.setdefault(cell, []).append(point)
    return np.array([sum(held) / len(held) for held in voxels.values()])


def figures_by_loop(
    points: np.ndarray,
    centres: np.ndarray,
    truth: np.ndarray,
    true_centres: np.ndarray,
    volume: dict[str, Any],
    tau: float,
) -> tuple[float, float, float]:
    """Precision, recall and F-score."""
    matrix = by_quaternion(centres, true_centres)
    moved = points @ matrix[:3, :3].T + matrix[:3, 3]
    ours = one_a_voxel(cropped(moved, volume), tau / 2)
    theirs = one_a_voxel(cropped(truth, volume), tau / 2)
    precision = float(np.mean(KDTree(theirs).query(ours)[0] < tau))
    recall = float(np.mean(KDTree(ours).query(theirs)[0] < tau))
    both = precision + recall
    return precision, recall, 2 * precision * recall / both if both else 0.0
