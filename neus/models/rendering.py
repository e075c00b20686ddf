"""What models make of rays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float


@dataclass(frozen=True)
class Rendering:
    """What rays see, before any background.

    Attributes:
        rgb: ``[r, 3]`` premultiplied colour.
        transmittance: ``[r]`` light left for the background; opacity is one minus it.
        weights: ``[m]`` of the samples.
    """

    rgb: Float[Tensor, "r 3"]
    transmittance: Float[Tensor, "r"]
    weights: Float[Tensor, "m"]


@dataclass(frozen=True)
class SurfaceRendering(Rendering):
    """The same, and the field at all points.

    Attributes:
        sdf: ``[n]`` signed distances.
        gradient, gradient_norms: ``[n, 3]``, ``[n]`` of the distance, in the scene frame.
        laplacian: ``[n]`` of the distance, where its gradient is from differences.
    """

    sdf: Float[Tensor, "n"]
    gradient: Float[Tensor, "n 3"]
    gradient_norms: Float[Tensor, "n"]
    laplacian: Float[Tensor, "n"] | None = None
