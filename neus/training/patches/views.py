"""The training photos as patches see them: grey, at several levels, and whom to compare with."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.patches import WHITE, PatchPictures
from neus.scene import Cameras
from neus.stereo.settings import StereoSettings
from neus.stereo.sources import choose_sources

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8

MOST_LEVELS = 6
SMALLEST = 16
"""Pixels along the shortest side of the last level."""


class PatchViews:
    """Grey pictures of the training views on a device, and each view's candidates.

    Attributes:
        pictures: what the operators compare.
        views: ``[v, 1 + k]`` each view, and the k others that may be compared with it, as stereo
            chooses its sources: the nearest beyond 4 degrees and the nearest beyond 30. Where there
            are fewer, the view itself stands in their places.
    """

    def __init__(
        self, cameras: Cameras, images: list[UInt8[np.ndarray, "h w 3"]], device: torch.device
    ) -> None:
        """``cameras`` and ``images`` are of the training views alone."""
        self.pictures = patch_pictures(cameras, images).to(device)
        self.views: Int[Tensor, "v 1+k"] = torch.tensor(_candidates(cameras), device=device)


def patch_pictures(
    cameras: Cameras, images: list[UInt8[np.ndarray, "h w 3"]] | list[Float[np.ndarray, "h w"]]
) -> PatchPictures:
    """Pictures of colour in bytes, or of grey in [0, 1], and their cameras, for the operators."""
    least = int(min(cameras.widths.min(), cameras.heights.min()))
    levels = min(MOST_LEVELS, 1 + int(math.log2(max(1, least / SMALLEST))))
    pyramids = [_pyramid(_grey(image), levels) for image in images]
    sizes = np.array([[picture.shape for picture in pyramid] for pyramid in pyramids])
    ends = np.cumsum(sizes.prod(axis=2).reshape(-1))
    flat = np.concatenate([picture.ravel() for pyramid in pyramids for picture in pyramid])
    rotations = cameras.camera_to_world[:, :, :3]
    to_pixel = cameras.intrinsics @ rotations.transpose(0, 2, 1)

    def numbers(array: np.ndarray) -> Tensor:
        return torch.tensor(array, dtype=torch.float32)

    return PatchPictures(
        torch.from_numpy(np.rint(flat * WHITE).astype(np.int16)),
        torch.from_numpy(np.concatenate([[0], ends[:-1]]).reshape(sizes.shape[:2])),
        torch.from_numpy(sizes.astype(np.int32)),
        numbers(to_pixel),
        numbers(np.linalg.inv(to_pixel)),
        numbers(cameras.centres),
        numbers(cameras.intrinsics[:, [0, 1], [0, 1]].mean(axis=1)),
    )


def _grey(image: np.ndarray) -> Float[np.ndarray, "h w"]:
    """By the weights of Rec. 601, in [0, 1]."""
    if image.ndim == 2:
        return image.astype(np.float32)
    weights = np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)
    return np.minimum(image.astype(np.float32) @ weights, 1)


def _pyramid(picture: Float[np.ndarray, "h w"], levels: int) -> list[Float[np.ndarray, "h w"]]:
    """Each level is the mean of two by two pixels of the one before; an odd row is left out."""
    found = [picture]
    while len(found) < levels:
        height, width = (side // 2 for side in found[-1].shape)
        blocks = found[-1][: 2 * height, : 2 * width].reshape(height, 2, width, 2)
        found.append(blocks.mean(axis=(1, 3)))
    return found


def _candidates(cameras: Cameras) -> Int[np.ndarray, "v 1+k"]:
    chosen_as = StereoSettings()
    near, wide = chosen_as.near_sources, chosen_as.wide_sources
    chosen = choose_sources(
        cameras,
        near=near,
        wide=wide,
        narrowest=chosen_as.narrowest,
        wide_from=chosen_as.wide,
        widest=chosen_as.widest,
    )
    views = np.repeat(np.arange(len(cameras))[:, None], 1 + near + wide, axis=1)
    for view, others in enumerate(chosen):
        views[view, 1 : 1 + len(others)] = others
    return views
