"""A texture from photos: what the training views that see a texel have to say of it.

Each view is weighed by how squarely and how closely it sees the texel (Lempitsky and Ivanov, CVPR
2007, blend as we do where they choose), fading towards edges of what it sees, so that no seam shows
where one view takes over from another. Of the best few, those that differ from their median are
left out: highlights, and what stood in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import cv2
import numpy as np

from neus.mesh.baking_kernels import blend, look
from neus.mesh.rasterising import rasterised
from neus.mesh.texels import Texels
from neus.mesh.triangles import Mesh
from neus.scene import Scene, load_image, load_mask

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

BEST = 6
"""Views that are kept for each texel."""
FADE = 6.0
"""Pixels from an edge of what is seen to full weight; within one pixel nothing counts."""
LAST = 0.01
"""Weight of the mesh's own colour beside that of a good view: it shows where all views fade."""
JUMP = 0.03
"""Relative step of the depth between neighbouring pixels that is an edge."""


def baked(
    scene: Scene,
    mesh: Mesh,
    texels: Texels,
    views: Sequence[int],
    workers: int = 1,
    advance: Callable[[float], None] = lambda share: None,
) -> tuple[UInt8[np.ndarray, "n 3"], float]:
    """Colours of the texels, and the share of them that views have seen.

    Texels that no view sees keep the colours of the mesh, which also fill in, with little weight,
    as views fade towards edges. Of the photos one at a time is in memory.

    Args:
        mesh: which hides its other side, in the scene frame, as the texels.
        views: indices of training frames.
        workers: threads.
        advance: is told which share of the views has been looked at.

    Raises:
        ValueError: one of the views is held out, and must not be looked at.
    """
    held_out = set(views) & set(scene.test)
    if held_out:
        raise ValueError(f"frames {sorted(held_out)} are held out: textures are of training views")
    weights = np.zeros((len(texels.points), BEST), np.float32)
    seen = np.zeros((len(texels.points), BEST, 3), np.uint8)
    for done, index in enumerate(views, start=1):
        _look(scene, index, mesh, texels, weights, seen, workers)
        advance(done / len(views))
    found, best = texels.colours.copy(), weights.max(axis=1)
    is_seen = best > 0
    if not is_seen.any():
        return found, 0.0
    rest = LAST * float(np.median(best[is_seen]))
    _in_parallel(lambda a, b: blend(a, b, weights, seen, rest, found), len(found), workers)
    return found, float(is_seen.mean())


def _look(
    scene: Scene,
    index: int,
    mesh: Mesh,
    texels: Texels,
    weights: Float[np.ndarray, "n b"],
    seen: UInt8[np.ndarray, "n b 3"],
    workers: int,
) -> None:
    """Let one view say what it sees, in place of the least of the views kept so far."""
    cameras, photo = scene.cameras, load_image(scene, index)
    height, width = photo.shape[:2]
    nearness = rasterised(*cameras.project(index, mesh.vertices), mesh.faces, height, width)[1]
    trust = _trust(nearness, None if scene.frames[index].mask is None else load_mask(scene, index))
    rotation, centre = cameras.camera_to_world[index, :, :3], cameras.centres[index]
    to_camera = np.concatenate([rotation.T, -rotation.T @ centre[:, None]], axis=1)
    to_pixels = cameras.intrinsics[index] @ to_camera
    focal = float(cameras.intrinsics[index, 0, 0])
    surface, view = (texels.points, texels.normals), (to_pixels, centre, focal)
    _in_parallel(
        lambda a, b: look(a, b, *surface, *view, nearness, trust, photo, weights, seen),
        len(weights),
        workers,
    )


def _in_parallel(kernel: Callable[[int, int], None], count: int, workers: int) -> None:
    """Call ``kernel(start, stop)``, which releases the interpreter's lock, on slices of a range."""
    length = max(1, -(-count // max(1, workers)))
    with ThreadPoolExecutor(max(1, workers)) as pool:
        list(pool.map(lambda a: kernel(a, min(a + length, count)), range(0, count, length)))


def _trust(
    nearness: Float[np.ndarray, "h w"], mask: UInt8[np.ndarray, "h w"] | None
) -> Float[np.ndarray, "h w"]:
    """1 inside of what a view sees whole, falling to 0 at its edges: silhouettes, steps, masks."""
    square = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(nearness, square), cv2.dilate(nearness, square)
    whole: Bool[np.ndarray, "h w"] = (low > 0) & (high <= low * (1 + JUMP))
    if mask is not None:
        whole &= mask > 127
    bordered = np.pad(whole, 1).astype(np.uint8)
    distance = cv2.distanceTransform(bordered, cv2.DIST_L2, 3)[1:-1, 1:-1]
    return np.clip((distance - 1) / FADE, 0, 1).astype(np.float32)
