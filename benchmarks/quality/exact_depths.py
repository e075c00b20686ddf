"""Stereo that starts from the exact surface: the most that one more sweep could find.

A sweep that starts from rendered depths can at best start from right ones. What stereo holds on to
when it does is a bound of what a second sweep, after half of a training, may add.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

from benchmarks.quality.generate import to_world
from benchmarks.quality.render import ray_of
from neus.sources.demo.tracer import normal, trace

if TYPE_CHECKING:
    from jaxtyping import Float

    from benchmarks.quality.studio import Studio
    from neus.scene import Scene

Start = tuple["Float[np.ndarray, 'h w']", "Float[np.ndarray, 'h w 3']"]


def exact_starts(studio: Studio, scene: Scene) -> list[Start]:
    """Of each training view, as :func:`neus.stereo.reconstruction.reconstruct` takes them.

    Depth is along the optical axis in units of the scene, 0 beside the object; normals are in the
    camera's frame.

    Args:
        scene: of the scan's own cameras, not of estimated ones.
    """
    scale = to_world(studio.scan).scale / scene.to_source.scale
    cameras, starts = studio.cameras, []
    for view in scene.train:
        size = int(cameras.heights[view]), int(cameras.widths[view])
        depth, normals = np.zeros(size), np.zeros((*size, 3))
        pose = cameras.camera_to_world[view]
        _look(studio.shape.distance, studio.grid, cameras.intrinsics[view], pose, depth, normals)
        starts.append((scale * depth, normals))
    return starts


@njit(cache=True, nogil=True)
def _look(distance, grid, intrinsics, pose, depth, normals):
    ox, oy, oz = pose[0, 3], pose[1, 3], pose[2, 3]
    pixel = 1.0 / min(intrinsics[0, 0], intrinsics[1, 1])
    for row in range(depth.shape[0]):
        for column in range(depth.shape[1]):
            dx, dy, dz = ray_of(column + 0.5, row + 0.5, intrinsics, pose)
            t = trace(distance, grid, ox, oy, oz, dx, dy, dz, 0.0, pixel)[0]
            if t == np.inf:
                continue
            depth[row, column] = t * (dx * pose[0, 2] + dy * pose[1, 2] + dz * pose[2, 2])
            nx, ny, nz = normal(distance, ox + t * dx, oy + t * dy, oz + t * dz)
            for axis in range(3):
                normals[row, column, axis] = (
                    nx * pose[0, axis] + ny * pose[1, axis] + nz * pose[2, axis]
                )
