"""Batches of training rays drawn from all pixels of all training images."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.scene import Cameras

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int, UInt8

_MARGIN = 0.05
"""How far masked rays reach beyond the silhouette, as a fraction of the image's width."""


@dataclass(frozen=True)
class RayBatch:
    """Rays in the scene frame and what the photos show there.

    ``image`` is the place of a ray's image among the training images. ``coverage`` is the mask's
    share of the pixel, and 1 where ``masked`` says that the view has no mask, so that nobody knows.
    """

    origins: Float[Tensor, "r 3"]
    directions: Float[Tensor, "r 3"]
    colours: Float[Tensor, "r 3"]
    coverage: Float[Tensor, "r"]
    masked: Bool[Tensor, "r"]
    image: Int[Tensor, "r"]


class PixelPool:
    """All training pixels in one flat array of bytes, whatever the images' sizes."""

    def __init__(
        self,
        cameras: Cameras,
        images: list[UInt8[np.ndarray, "h w 3"]],
        masks: Sequence[UInt8[np.ndarray, "h w"] | None] | None,
        device: torch.device,
    ) -> None:
        self.images = len(images)
        sizes = [image.shape[0] * image.shape[1] for image in images]
        self._first = torch.tensor(np.concatenate([[0], np.cumsum(sizes)]), device=device)
        self._widths = torch.tensor(cameras.widths, device=device)
        flat = np.concatenate([image.reshape(-1, 3) for image in images])
        self._colours = torch.from_numpy(flat).to(device)
        to_world = cameras.camera_to_world[:, :, :3] @ np.linalg.inv(cameras.intrinsics)
        self._to_world = torch.tensor(to_world, dtype=torch.float32, device=device)
        self._centres = torch.tensor(cameras.centres, dtype=torch.float32, device=device)
        masks = [None] * len(images) if masks is None else masks
        self._masked = torch.tensor([mask is not None for mask in masks], device=device)
        self._coverage = self._near_mask = None
        if self._masked.any():
            full = [np.full(image.shape[:2], 255, np.uint8) for image in images]
            known = [one if mask is None else mask for one, mask in zip(full, masks, strict=True)]
            flat = np.concatenate([mask.reshape(-1) for mask in known])
            self._coverage = torch.from_numpy(flat).to(device)
            near = [_dilate(torch.from_numpy(mask > 127)).flatten() for mask in known]
            self._near_mask = torch.cat(near).nonzero()[:, 0].to(torch.int32).to(device)

    def draw(
        self, rays: int, masked: float, generator: torch.Generator, *, one_image: bool = False
    ) -> RayBatch:
        """Rays through random pixels, of all images or of one that is drawn first.

        A share of ``masked`` lies in or near the silhouettes. A view without a mask counts as
        silhouette throughout.
        """
        device = self._colours.device
        first, last = 0, len(self._colours)
        if one_image:
            images = len(self._first) - 1
            image = int(torch.randint(images, (1,), generator=generator, device=device))
            first, last = int(self._first[image]), int(self._first[image + 1])
        pixel = first + torch.randint(last - first, (rays,), generator=generator, device=device)
        near_mask = self._near_mask
        if near_mask is not None and one_image:
            ends = torch.tensor([first, last], device=device, dtype=near_mask.dtype)
            near_mask = near_mask[slice(*torch.searchsorted(near_mask, ends).tolist())]
        if near_mask is not None and len(near_mask):
            choice = torch.randint(len(near_mask), (rays,), generator=generator, device=device)
            near = torch.rand(rays, generator=generator, device=device) < masked
            pixel = torch.where(near, near_mask[choice].long(), pixel)
        image = torch.searchsorted(self._first, pixel, right=True) - 1
        place = pixel - self._first[image]
        width = self._widths[image]
        position = torch.stack([place % width, place // width, torch.ones_like(place)], 1).float()
        position[:, :2] += 0.5
        directions = (self._to_world[image] @ position[:, :, None])[:, :, 0]
        directions = torch.nn.functional.normalize(directions, dim=1)
        colours = self._colours[pixel].float() / 255
        if self._coverage is None:
            coverage = torch.ones(rays, device=device)
        else:
            coverage = self._coverage[pixel].float() / 255
        return RayBatch(
            self._centres[image], directions, colours, coverage, self._masked[image], image
        )


def _dilate(mask: Tensor) -> Tensor:
    """Grow a silhouette by about ``_MARGIN`` of the image's width, by doubling shifts."""
    reach, shift = max(1, round(_MARGIN * mask.shape[1])), 1
    while reach > 0:
        step = min(shift, reach)
        for axis in (0, 1):
            grown = mask.clone()
            length = mask.shape[axis] - step
            if length > 0:
                grown.narrow(axis, step, length).logical_or_(mask.narrow(axis, 0, length))
                grown.narrow(axis, 0, length).logical_or_(mask.narrow(axis, step, length))
            mask = grown
        reach -= step
        shift *= 2
    return mask
