"""One cloud from the depth maps of all views: points that several views have become one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.ops.cpu.threads import on_all_threads
from neus.scene import Cameras
from neus.stereo import kernels
from neus.stereo.consistency import Agreement, Relief, path_between
from neus.stereo.points import StereoPoints
from neus.stereo.support import support_of_points

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

LEAST_WEIGHT = np.float32(0.05)
"""Confidence that a depth counts with which agrees with a kept one and is not kept itself."""
SUPPORTED = 0.2
"""Of a point by the cloud around it, from which its confidence stays as it is: thin struts have
little more, and what scatters on gloss and bare walls has less."""


def fuse(
    reliefs: list[Relief],
    agreements: list[Agreement],
    colours: list[UInt8[np.ndarray, "h w 3"]],
    cameras: Cameras,
    neighbours: list[list[int]],
    tolerance: float,
) -> StereoPoints:
    """Merge what the views agree on.

    View by view, each kept pixel that no earlier point has taken becomes a point: the mean of its
    own position and those that agree with it, weighted by confidence over footprint. Points outside
    the unit sphere are left out, and what the cloud around does not bear out loses confidence.

    Args:
        reliefs, agreements, colours: of each view, at the size of ``cameras``.
        neighbours: the views that each is held against.
        tolerance: of depths that agree, in footprints.
    """
    if not reliefs:
        return StereoPoints.none()
    points = [world_points(r, cameras, i) for i, r in enumerate(reliefs)]
    weights = [
        np.maximum(a.confidence, LEAST_WEIGHT) * r.planes[..., 0] * np.float32(r.focal)
        for r, a in zip(reliefs, agreements, strict=True)
    ]
    taken = [np.zeros(w.shape, bool) for w in weights]
    parts = []
    for i, own in enumerate(reliefs):
        pending = agreements[i].kept & ~taken[i]
        if not pending.any():
            continue
        weight = weights[i][..., None]
        sums = np.concatenate(
            [weight, weight * points[i], weight * own.normals, weight * colours[i]], axis=2
        ).astype(np.float32)
        count = pending.astype(np.int32)
        views = np.zeros((*pending.shape, len(neighbours[i]) + 1), np.int32)
        views[..., 0] = i
        for j in neighbours[i]:
            on_all_threads(
                kernels.gather,
                *(own.planes, own.normals, pending),
                *(
                    reliefs[j].planes,
                    points[j],
                    reliefs[j].normals,
                    colours[j],
                    weights[j],
                    taken[j],
                ),
                *path_between(cameras, i, j),
                np.float32(own.focal),
                np.float32(reliefs[j].focal),
                np.float32(tolerance),
                j,
                *(count, views, sums),
            )
        parts.append(
            (sums[pending], views[pending], count[pending], agreements[i].confidence[pending])
        )
    return _points(parts, reliefs, cameras) if parts else StereoPoints.none()


def _points(
    parts: list[tuple[np.ndarray, ...]], reliefs: list[Relief], cameras: Cameras
) -> StereoPoints:
    """The points of all views' sums, counts, lists of views and confidences."""
    sums = np.concatenate([part[0] for part in parts])
    count = np.concatenate([part[2] for part in parts])
    trust = np.concatenate([part[3] for part in parts])
    most = max(part[1].shape[1] for part in parts)
    views = np.concatenate(
        [np.pad(part[1], [(0, 0), (0, most - part[1].shape[1])]) for part in parts]
    )
    position = sums[:, 1:4] / sums[:, :1]
    inside = (position**2).sum(axis=1) < 1
    position, sums, count, views = position[inside], sums[inside], count[inside], views[inside]
    normal = sums[:, 4:7] / np.maximum(np.linalg.norm(sums[:, 4:7], axis=1, keepdims=True), 1e-12)
    seen = np.arange(most) < count[:, None]
    first = np.concatenate([[0], np.cumsum(count)]).astype(np.int64)
    lists = views[seen]
    owner = np.repeat(np.arange(len(count)), count)
    focal = np.array([r.focal for r in reliefs])
    depth = ((position[owner] - cameras.centres[lists]) * cameras.optical_axes[lists]).sum(axis=1)
    footprint = np.bincount(owner, depth / focal[lists], minlength=len(count)) / np.maximum(
        count, 1
    )
    borne_out = np.minimum(support_of_points(position, normal, footprint) / SUPPORTED, 1)
    return StereoPoints(
        position.astype(np.float32),
        normal.astype(np.float32),
        np.rint(np.clip(sums[:, 7:10] / sums[:, :1], 0, 255)).astype(np.uint8),
        (trust[inside] * borne_out).astype(np.float32),
        footprint.astype(np.float32),
        first,
        lists.astype(np.int32),
    )


def world_points(seen: Relief, cameras: Cameras, view: int) -> Float[np.ndarray, "h w 3"]:
    """The point of every pixel in the scene frame; the camera's centre where there is none."""
    height, width = seen.planes.shape[:2]
    K = cameras.intrinsics[view]
    x = (np.arange(width) + 0.5 - K[0, 2]) / K[0, 0]
    y = (np.arange(height) + 0.5 - K[1, 2]) / K[1, 1]
    w = seen.planes[..., 0]
    depth = np.where(w > 0, 1 / np.maximum(w, 1e-12), 0)
    rays = np.stack(np.broadcast_arrays(x[None, :], y[:, None], np.float64(1)), axis=-1)
    rotation, centre = cameras.camera_to_world[view, :, :3], cameras.centres[view]
    return ((rays * depth[..., None]) @ rotation.T + centre).astype(np.float32)
