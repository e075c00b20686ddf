"""The depth maps of all views, where they are compared: on the host, or on a card.

Both kinds have the same attributes and methods, which ``neus.ops.cuda.maps.DeviceMaps`` describes,
and give tensors of their device.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu.threads import on_all_threads, workers
from neus.ops.stereo import Lens, planes_of
from neus.scene import Cameras
from neus.stereo import kernels
from neus.stereo.depth_maps import DepthMap, index_intrinsics

if TYPE_CHECKING:
    from jaxtyping import Float

    from neus.ops.cuda.maps import DeviceMaps


@dataclass(frozen=True)
class Relief:
    """A depth map as the comparison reads it.

    Attributes:
        planes: ``[h, w, 3]`` inverse depth and its slopes a pixel; 0 where there is none, or the
            windows are too little alike.
        normals: ``[h, w, 3]`` in the scene frame.
        correlation: ``[h, w]``
        focal: in pixels, the mean of both axes.
    """

    planes: Float[np.ndarray, "h w 3"]
    normals: Float[np.ndarray, "h w 3"]
    correlation: Float[np.ndarray, "h w"]
    focal: float


def relief(found: DepthMap, cameras: Cameras, view: int, least: float) -> Relief:
    """A depth map without what correlates less than ``least``."""
    K = index_intrinsics(cameras)[view]
    lens = Lens((K[0, 0], K[1, 1]), (K[0, 2], K[1, 2]), 0, 0, 0)
    planes = planes_of(torch.from_numpy(found.depth), torch.from_numpy(found.normal), lens)
    normals = found.normal @ cameras.camera_to_world[view, :, :3].T.astype(np.float32)
    focal = float(K[0, 0] + K[1, 1]) / 2
    likely = planes.numpy() * (found.correlation >= least)[..., None]
    return Relief(likely, np.ascontiguousarray(normals), found.correlation, focal)


def maps_on(
    device: torch.device,
    reliefs: list[Relief],
    cameras: Cameras,
    neighbours: list[list[int]],
    tolerance: float,
) -> HostMaps | DeviceMaps:
    """The maps where their views are compared.

    Args:
        device: on CUDA they lie there as long as they are needed.
        reliefs: of each view, at the size of ``cameras``.
        neighbours: the views that each is held against.
        tolerance: of depths that agree, in pixels' footprints.
    """
    if device.type == "cuda" and reliefs:
        return _on_device(device, reliefs, cameras, neighbours, tolerance)
    return HostMaps(reliefs, cameras, neighbours, tolerance)


def path_between(cameras: Cameras, view: int, other: int) -> tuple[np.ndarray, np.ndarray]:
    """``turn`` and ``shift`` of ``neus.ops.stereo.Sources`` from one view to another."""
    K, R, C = index_intrinsics(cameras), cameras.camera_to_world[:, :, :3], cameras.centres
    to_other = K[other] @ R[other].T
    turn = to_other @ R[view] @ np.linalg.inv(K[view])
    return turn.astype(np.float32), (to_other @ (C[view] - C[other])).astype(np.float32)


class HostMaps:
    """Maps in the host's memory, for numba's kernels; see :func:`maps_on`."""

    device = torch.device("cpu")

    def __init__(
        self,
        reliefs: list[Relief],
        cameras: Cameras,
        neighbours: list[list[int]],
        tolerance: float,
    ) -> None:
        self._reliefs, self._cameras, self._neighbours = reliefs, cameras, neighbours
        self._tolerance = np.float32(tolerance)
        self.focals = [seen.focal for seen in reliefs]
        self.planes = [torch.from_numpy(seen.planes) for seen in reliefs]
        self.sure, self.taken = (
            [torch.zeros(seen.correlation.shape, dtype=torch.bool) for seen in reliefs]
            for _ in range(2)
        )
        self._weights: list[np.ndarray] = []
        self._colours: list[np.ndarray] = []
        self._points: list[np.ndarray] = []

    def compared(self, view: int) -> tuple[Tensor, Tensor]:
        own = self._reliefs[view]
        agree, violate = (np.zeros(own.planes.shape[:2], np.int32) for _ in range(2))
        for j in self._neighbours[view]:
            other = self._reliefs[j]
            on_all_threads(
                kernels.compare,
                *(own.planes, own.normals),
                *(other.planes, other.normals, self.sure[j].numpy()),
                *path_between(self._cameras, view, j),
                *(np.float32(own.focal), np.float32(other.focal), self._tolerance),
                *(agree, violate),
            )
        return torch.from_numpy(agree), torch.from_numpy(violate)

    def hidden(self, view: int) -> Tensor:
        own, cameras = self._reliefs[view], self._cameras
        shape = own.planes.shape[:2]
        hidden, nearest = np.zeros(shape, np.int32), np.empty((workers(), *shape), np.float32)
        C, rays = cameras.centres, _rays(cameras)
        for j in self._neighbours[view]:
            nearest.fill(np.inf)
            on_all_threads(
                kernels.show,
                *(self._reliefs[j].planes, self._reliefs[j].normals, self.sure[j].numpy()),
                *path_between(cameras, j, view),
                *(rays[j].astype(np.float32), (C[view] - C[j]).astype(np.float32), nearest),
            )
            on_all_threads(
                kernels.count_hidden,
                *(own.planes, nearest, np.float32(own.focal), self._tolerance, hidden),
            )
        return torch.from_numpy(hidden)

    def lay_out(self, weights: list[Tensor], colours: list[Tensor]) -> None:
        self._weights = [part.numpy() for part in weights]
        self._colours = [part.numpy() for part in colours]
        self._points = [_world_points(r, self._cameras, i) for i, r in enumerate(self._reliefs)]

    def gathered(self, view: int, pending: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        own, chosen, near = self._reliefs[view], pending.numpy(), self._neighbours[view]
        weight = self._weights[view][..., None]
        parts = (self._points[view], own.normals, self._colours[view])
        sums = np.concatenate([weight, *(weight * part for part in parts)], axis=2)
        sums = sums.astype(np.float32)
        count = chosen.astype(np.int32)
        views = np.zeros((*chosen.shape, len(near) + 1), np.int32)
        views[..., 0] = view
        for j in near if chosen.any() else []:
            other = self._reliefs[j]
            on_all_threads(
                kernels.gather,
                *(own.planes, own.normals, chosen),
                *(other.planes, self._points[j], other.normals, self._colours[j]),
                *(self._weights[j], self.taken[j].numpy()),
                *path_between(self._cameras, view, j),
                *(np.float32(own.focal), np.float32(other.focal), self._tolerance),
                *(j, count, views, sums),
            )
        found = (torch.from_numpy(part[chosen]) for part in (sums, views, count))
        return tuple(found)  # pyright: ignore


def _on_device(
    device: torch.device,
    reliefs: list[Relief],
    cameras: Cameras,
    neighbours: list[list[int]],
    tolerance: float,
) -> DeviceMaps:
    from neus.ops.cuda.maps import DeviceMaps

    most = max((len(near) for near in neighbours), default=0)
    near = np.full((len(reliefs), most), -1, np.int32)
    paths = np.zeros((len(reliefs), most, 24), np.float32)
    for view, others in enumerate(neighbours):
        near[view, : len(others)] = others
        for k, j in enumerate(others):
            ways = (*path_between(cameras, view, j), *path_between(cameras, j, view))
            paths[view, k] = np.concatenate([way.ravel() for way in ways])
    lenses = np.concatenate([_rays(cameras).reshape(-1, 9), cameras.centres], axis=1)
    return DeviceMaps(
        [torch.from_numpy(seen.planes) for seen in reliefs],
        [torch.from_numpy(seen.normals) for seen in reliefs],
        [seen.focal for seen in reliefs],
        torch.from_numpy(lenses),
        torch.from_numpy(near),
        torch.from_numpy(paths),
        tolerance,
        device,
    )


def _rays(cameras: Cameras) -> Float[np.ndarray, "n 3 3"]:
    """Matrices from pixel indices (x, y, 1) to rays in the scene frame, at depth 1."""
    K, R = index_intrinsics(cameras), cameras.camera_to_world[:, :, :3]
    return np.stack([R[view] @ np.linalg.inv(K[view]) for view in range(len(cameras))])


def _world_points(seen: Relief, cameras: Cameras, view: int) -> Float[np.ndarray, "h w 3"]:
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
