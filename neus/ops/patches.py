"""What the backends of ``patch_costs`` and ``in_sight`` share: the pictures, and what is refused.

A patch is a square of taps around a pixel of one view, on the plane that touches the surface at the
pixel's point. The plane carries it into other views, where it should look alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float, Int

WHITE = 32767.0
"""What stands for a grey of 1 in the pictures' 16 bits."""
STEEPEST = 0.2
"""Cosine between normal and way to a camera below which a plane is too slanted to compare."""


@dataclass(frozen=True)
class PatchPictures:
    """Grey pictures of views at several levels, each half as large as the one before, and cameras.

    The pixel (x, y) of level l covers the pixels from (2^l x, 2^l y) on of the first one.

    Attributes:
        grey: ``[n]`` times ``WHITE``: all levels of a view, the finest first, then the next view.
        first: ``[v, l]`` where each picture begins in ``grey``.
        sizes: ``[v, l, 2]`` heights and widths, 2 or more each.
        to_pixel: ``[v, 3, 3]`` from vectors in the scene frame to homogeneous pixels of level 0;
            the third component is the depth.
        to_world: ``[v, 3, 3]`` the inverses.
        centres: ``[v, 3]`` of the cameras, in the scene frame.
        focal: ``[v]`` pixels, the mean of both axes.
    """

    grey: Int[Tensor, "n"]
    first: Int[Tensor, "v l"]
    sizes: Int[Tensor, "v l 2"]
    to_pixel: Float[Tensor, "v 3 3"]
    to_world: Float[Tensor, "v 3 3"]
    centres: Float[Tensor, "v 3"]
    focal: Float[Tensor, "v"]

    @property
    def levels(self) -> int:
        return self.first.shape[1]

    def to(self, device: torch.device) -> PatchPictures:
        return PatchPictures(**{name: part.to(device) for name, part in vars(self).items()})


class GivenSlopes(torch.autograd.Function):
    """Costs ``[p, k]`` whose slopes by ``t`` ``[p]`` came with them."""

    @staticmethod
    def forward(ctx, t, costs, slopes):  # pyright: ignore
        """The costs, as they are."""
        ctx.save_for_backward(slopes)
        return costs.view_as(costs)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, bar):  # pyright: ignore
        """The gradient by ``t``, the product with the slopes."""
        (slopes,) = ctx.saved_tensors
        return (bar * slopes).sum(dim=1), None, None
