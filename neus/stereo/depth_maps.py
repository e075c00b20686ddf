"""The depth map of a view: PatchMatch, coarse to fine.

Bleyer, Rhemann and Rother, "PatchMatch Stereo", BMVC 2011: a slanted plane a pixel, drawn at
random, handed on to neighbours and refined. On a checkerboard as in Galliani, Lasinger and
Schindler, ICCV 2015 (red pixels learn of black ones and the reverse), with regions of neighbours
of which the best is tried, as in Xu and Tao, CVPR 2019, and windows weighted by the reference as in
Schoenberger et al., ECCV 2016, section 4.2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from neus.ops import backend_for
from neus.ops.stereo import Lens, Sources, key_of
from neus.scene import Cameras
from neus.stereo.pictures import Pictures
from neus.stereo.settings import StereoSettings

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

NEAREST = 0.05
"""Scene units before the camera where the search begins at the earliest."""
BEYOND = 4.0
"""Without masks a ray may end behind the sphere: at so many times the depth of its far side."""


@dataclass(frozen=True)
class DepthMap:
    """What stereo says of one view; nothing (depth 0) off the mask or beside the unit sphere.

    Attributes:
        depth: along the optical axis, in scene units.
        normal: unit, in the camera's frame, towards the camera.
        correlation: mean NCC of the sources that count, in [0, 1].
        active: pixels that were looked at.
    """

    depth: Float[np.ndarray, "h w"]
    normal: Float[np.ndarray, "h w 3"]
    correlation: Float[np.ndarray, "h w"]
    active: Bool[np.ndarray, "h w"]


def depth_map(
    pictures: Pictures,
    view: int,
    sources: list[int],
    settings: StereoSettings,
    device: torch.device,
    seed: int,
    start: tuple[np.ndarray, np.ndarray] | None = None,
) -> DepthMap:
    """Depth and normals of a training view.

    Args:
        pictures: of the training views.
        view: its place among them.
        sources: the views it is compared with.
        settings: levels, sweeps and windows.
        device: where the operator runs.
        seed: of the random planes; the result depends on it and the view, on no order.
        start: depth ``[h, w]`` and normals ``[h, w, 3]`` in the camera's frame at the finest level,
            to search around instead of coarse to fine; depth 0 where there is none.
    """
    levels = range(pictures.levels)
    if start is not None:
        levels = levels[-1:]
    found, active = start, np.zeros((0, 0), bool)
    correlation = np.zeros((0, 0))
    for level in levels:
        cameras, picture = pictures.cameras[level], pictures.at(view, level)
        active = picture.object & meets_sphere(cameras, view)
        if found is None:
            found = np.zeros(active.shape), np.zeros((*active.shape, 3))
        elif start is None:
            found = enlarged(*found, pictures.cameras[level - 1], cameras, view)
        if not sources or not active.any():
            found = np.zeros(active.shape), np.zeros((*active.shape, 3))
            correlation = np.zeros(active.shape)
            continue
        sweeps = settings.sweeps[level - pictures.levels + len(settings.sweeps)]
        depth, normal, cost = backend_for(device).patchmatch(
            torch.from_numpy(picture.grey).to(device),
            torch.from_numpy(active).to(device),
            *(torch.from_numpy(part.astype(np.float32)).to(device) for part in found),
            lens_of(cameras, view, sources, pictures.masked),
            source_operands(pictures, level, view, sources, device),
            replace(settings.matching, iterations=sweeps),
            key_of(seed, view, level),
        )
        found = depth.cpu().numpy(), normal.cpu().numpy()
        correlation = np.where(active, np.clip(1 - cost.cpu().numpy(), 0, 1), 0)
    assert found is not None
    return DepthMap(
        found[0].astype(np.float32),
        found[1].astype(np.float32),
        correlation.astype(np.float32),
        active,
    )


def meets_sphere(cameras: Cameras, view: int) -> Bool[np.ndarray, "h w"]:
    """Pixels whose ray passes the unit sphere, with the sphere before the camera.

    The ray ``d`` from ``o`` meets it where (o d)^2 > (o^2 - 1) d^2. Both sides are polynomials in
    the pixel, so that no ray is made.
    """
    origin = cameras.centres[view]
    ray = cameras.camera_to_world[view, :, :3] @ np.linalg.inv(cameras.intrinsics[view])
    along, squared, beyond = origin @ ray, ray.T @ ray, origin @ origin - 1
    x = np.arange(cameras.widths[view]) + 0.5
    y = np.arange(cameras.heights[view])[:, None] + 0.5
    towards = along[0] * x + (along[1] * y + along[2])
    length = squared[0, 0] * x + 2 * (squared[0, 1] * y + squared[0, 2])
    length = length * x + (squared[1, 1] * y + 2 * squared[1, 2]) * y + squared[2, 2]
    return (towards**2 > beyond * length) & ((towards < 0) | (beyond < 0))


def index_intrinsics(cameras: Cameras) -> Float[np.ndarray, "n 3 3"]:
    """Intrinsics for pixel indices: the centre of the first pixel is at (0, 0)."""
    intrinsics = cameras.intrinsics.copy()
    intrinsics[:, :2, 2] -= 0.5
    return intrinsics


def lens_of(cameras: Cameras, view: int, sources: list[int], masked: bool) -> Lens:
    """The view's camera, and the depths of the unit sphere before it."""
    K = index_intrinsics(cameras)[view]
    middle = float(-cameras.centres[view] @ cameras.optical_axes[view])
    farthest = max(middle + 1, 2 * NEAREST) * (1 if masked else BEYOND)
    nearest = max(middle - 1, NEAREST)
    centre = max(middle, 2 * NEAREST)
    return Lens(
        (K[0, 0], K[1, 1]),
        (K[0, 2], K[1, 2]),
        1 / farthest,
        1 / nearest,
        _step(cameras, view, sources, 1 / centre),
    )


def _step(cameras: Cameras, view: int, sources: list[int], w: float) -> float:
    """Change of the inverse depth w that moves a point on the axis by a pixel in the median."""
    axis, centre = cameras.optical_axes[view], cameras.centres[view]
    change = 0.01 * w
    points = centre + axis / np.array([[w], [w + change]])
    moved = [np.diff(cameras.project(j, points)[0], axis=0)[0] for j in sources]
    pixels = float(np.median(np.linalg.norm(moved, axis=1)))
    return change / max(pixels, 1e-3) if np.isfinite(pixels) else change


def source_operands(
    pictures: Pictures, level: int, view: int, sources: list[int], device: torch.device
) -> Sources:
    """Pictures of the sources, and the homographies' parts from the view to each."""
    cameras = pictures.cameras[level]
    K, R, C = index_intrinsics(cameras), cameras.camera_to_world[:, :, :3], cameras.centres
    seen = [pictures.at(j, level) for j in sources]
    sizes = tuple(picture.grey.shape for picture in seen)
    shape = (len(seen), max(h for h, _ in sizes), max(w for _, w in sizes))
    grey, inside = np.zeros(shape, np.float32), np.zeros(shape, bool)
    for s, (picture, (height, width)) in enumerate(zip(seen, sizes, strict=True)):
        grey[s, :height, :width], inside[s, :height, :width] = picture.grey, picture.touched
    to_source = [K[j] @ R[j].T for j in sources]
    turn = np.stack([M @ R[view] @ np.linalg.inv(K[view]) for M in to_source])
    shift = np.stack([M @ (C[view] - C[j]) for M, j in zip(to_source, sources, strict=True)])
    centres = (C[sources] - C[view]) @ R[view]
    matrices = (torch.from_numpy(a.astype(np.float32)) for a in (turn, shift, centres))
    return Sources(torch.from_numpy(grey), torch.from_numpy(inside), sizes, *matrices).to(device)


def enlarged(
    depth: Float[np.ndarray, "h w"],
    normal: Float[np.ndarray, "h w 3"],
    coarse: Cameras,
    fine: Cameras,
    view: int,
) -> tuple[Float[np.ndarray, "H W"], Float[np.ndarray, "H W 3"]]:
    """Each fine pixel's depth on the plane of the coarse pixel that covers it."""
    height, width = int(fine.heights[view]), int(fine.widths[view])
    x, y = np.arange(width) + 0.5, np.arange(height) + 0.5
    column = np.minimum((x * coarse.widths[view] / width).astype(int), depth.shape[1] - 1)
    row = np.minimum((y * coarse.heights[view] / height).astype(int), depth.shape[0] - 1)
    normals, depths = normal[row[:, None], column], depth[row[:, None], column]
    along = _along_rays(normals, coarse, view, column + 0.5, row + 0.5)
    towards = _along_rays(normals, fine, view, x, y)
    known = (depths > 0) & (towards < -1e-3) & (along < -1e-3)
    ratio = np.where(known, along, 0) / np.where(known, towards, 1)
    return depths * ratio, normals * known[..., None]


def _along_rays(
    normals: Float[np.ndarray, "h w 3"],
    cameras: Cameras,
    view: int,
    x: Float[np.ndarray, "w"],
    y: Float[np.ndarray, "h"],
) -> Float[np.ndarray, "h w"]:
    """Products of normals with the rays through (x, y) in the camera's frame, at depth 1."""
    K = cameras.intrinsics[view]
    across, down = (x - K[0, 2]) / K[0, 0], (y - K[1, 2]) / K[1, 1]
    return normals[..., 0] * across + normals[..., 1] * down[:, None] + normals[..., 2]
