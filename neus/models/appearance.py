"""What exposure and white balance did to each photo: one affine map of its colours.

An affine map in the space of displayed colours, as in Urban Radiance Fields (Rematas et al., CVPR
2022, section 4.2), but free in each image rather than predicted. It belongs to training: what a
camera nobody has trained with would have done is not known, so new views have the scene's colours.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from jaxtyping import Float, Int


class AffineColours(nn.Module):
    """A map ``colour -> M colour + b`` for each training image, the identity at first.

    The maps and the scene's colours are known up to one affine map that all images share.
    ``anchor`` settles it: the mean of all maps is to be the identity, which makes the scene's
    colours those of the mean photo.
    """

    def __init__(self, images: int) -> None:
        super().__init__()
        identity = torch.eye(3, 4).flatten()
        self.maps = nn.Parameter(identity.repeat(images, 1))

    def forward(
        self,
        colours: Float[Tensor, "r 3"],
        image: Int[Tensor, "r"],
        clear: Float[Tensor, "r 1"],
        background: Float[Tensor, "#r 3"],
    ) -> Float[Tensor, "r 3"]:
        """The colours of rays as their images show them.

        Args:
            colours: of the scene, composited.
            image: that each ray belongs to, by its place among the training images.
            clear, background: how much of each ray sees a background that stands in for that of
                the photo, and its colour; the image's exposure has no say in that part.
        """
        matrix = (by_product if self.maps.is_cuda else by_lookup)(self.maps, image).view(-1, 3, 4)
        own = colours - clear * background
        mapped = (matrix[:, :, :3] @ own[:, :, None])[:, :, 0] + (1 - clear) * matrix[:, :, 3]
        return mapped + clear * background

    def anchor(self) -> Float[Tensor, ""]:
        """Squared distance of the mean map from the identity."""
        identity = torch.eye(3, 4, device=self.maps.device).flatten()
        return ((self.maps.mean(dim=0) - identity) ** 2).sum()


def by_lookup(maps: Float[Tensor, "i c"], image: Int[Tensor, "r"]) -> Float[Tensor, "r c"]:
    """The map of each ray's image, on the host.

    Not an index: its backward pass adds up in the order in which threads finish.
    """
    return nn.functional.embedding(image, maps)


def by_product(maps: Float[Tensor, "i c"], image: Int[Tensor, "r"]) -> Float[Tensor, "r c"]:
    """The same on a card, where a lookup's backward pass sorts, for which it may wait."""
    chosen = image[:, None] == torch.arange(len(maps), device=maps.device)
    return chosen.to(maps.dtype) @ maps
