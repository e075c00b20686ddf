"""What the backends of stereo share: operands of ``patchmatch``, its neighbourhood, random numbers.

A plane is kept as the inverse depth ``w`` at its pixel and the two slopes of the inverse depth per
pixel: inverse depth is linear over the image of a plane, so that a window needs no normal, and the
plane of a neighbour is read off at a pixel by two multiplications.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

STEEPEST = 0.15
"""Cosine between normal and ray below which a plane is too slanted to be drawn."""
REFUSED = 9.0
"""Cost of a plane that is out of the question; that of any other is less."""
KINDS = 4
"""Planes that refinement draws: another depth, another normal, both, and any plane at all."""
DRAWS = 32
"""Numbers of the random sequence that an iteration takes at a pixel."""
SHIFTS = (2.0**-5, 2.0**3)
"""Range of a perturbed depth, in pixels of the sources: a perturbation is log-uniform in it."""
TILTS = (2.0**-6, 1.0)
"""Range of a perturbed normal, as a length added to the unit vector."""
MOST_COUNTED = 4
"""Largest ``Matching.counted``: kernels keep the best costs in registers."""

MIDDLE = 0.35
"""Pixels from a pixel's centre within which a point says what is seen there."""
SLANTED = 0.2
"""Cosine between normal and ray below which a point's pixel is not known well enough."""
APART = 0.3
"""Cosine between the normals of two views below which they mean different surfaces."""


@dataclass(frozen=True)
class Matching:
    """How windows are compared, and how long planes are searched.

    Attributes:
        radius: windows have ``2 * radius + 1`` taps a side.
        spacing: pixels from tap to tap.
        contrast: difference of grey at which a tap weighs half as much as the window's centre;
            infinity for plain windows.
        noise: standard deviation of the pictures' noise, in grey; it is added to both variances,
            so that windows without texture correlate with nothing.
        counted: so many of the best sources make a plane's cost, at most ``MOST_COUNTED``.
        off_mask: added to a plane's cost for each source whose picture it meets off the mask.
        iterations: sweeps over both colours of the checkerboard; 0 scores the start alone.
    """

    radius: int = 2
    spacing: int = 1
    contrast: float = 0.15
    noise: float = 0.003
    counted: int = 2
    off_mask: float = 0.1
    iterations: int = 3


@dataclass(frozen=True)
class Sources:
    """The pictures that a reference is compared with, and where its planes appear in them.

    Coordinates are pixel indices: the centre of the first pixel is (0, 0) here.

    Attributes:
        grey: ``[s, h, w]`` in [0, 1]; smaller pictures are padded.
        inside: ``[s, h, w]`` where a picture shows the object: its mask, nothing of the padding.
        sizes: the height and width of each.
        turn: ``[s, 3, 3]`` and
        shift: ``[s, 3]``: the pixel ``p = (x, y, 1)`` of inverse depth w appears at the homogeneous
            pixel ``turn @ p + w * shift``.
        centres: ``[s, 3]`` of the cameras, in the reference camera's frame.
    """

    grey: Float[Tensor, "s h w"]
    inside: Bool[Tensor, "s h w"]
    sizes: tuple[tuple[int, int], ...]
    turn: Float[Tensor, "s 3 3"]
    shift: Float[Tensor, "s 3"]
    centres: Float[Tensor, "s 3"]

    def to(self, device: torch.device) -> Sources:
        parts = (self.grey, self.inside, self.turn, self.shift, self.centres)
        grey, inside, turn, shift, centres = (part.to(device) for part in parts)
        return Sources(grey, inside, self.sizes, turn, shift, centres)


@dataclass(frozen=True)
class Lens:
    """The reference camera and the depths that are searched.

    Attributes:
        focal: (fx, fy) in pixels.
        principal: (cx, cy) in pixel indices, where the centre of the first pixel is 0.
        farthest, nearest: bounds of the inverse depth.
        step: change of the inverse depth that moves a point by about a pixel in the sources.
    """

    focal: tuple[float, float]
    principal: tuple[float, float]
    farthest: float
    nearest: float
    step: float


def _rotated(offsets: list[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """The offsets (x, y) of one side of a pixel, for all four sides."""
    sides = [offsets]
    for _ in range(3):
        sides.append([(-y, x) for x, y in sides[-1]])
    return sides


# All have an odd distance, so that red pixels look at black ones alone. Of each region the plane
# that does best where it stands is tried (Xu and Tao, CVPR 2019, section 3.1).
_NEAR = [(0, -1), (-1, -2), (1, -2), (-2, -3), (2, -3)]
_FAR = [(0, -3), (0, -5), (0, -7), (0, -9), (0, -11)]
REGIONS = np.array(_rotated(_NEAR) + _rotated(_FAR), np.int32)
"""``[8, 5, 2]`` regions of neighbours, as offsets (x, y): four near ones, four far ones.

Even iterations look at the near ones, odd iterations at the far ones.
"""
SIDES = 4
"""Regions that an iteration looks at."""


def key_of(*numbers: int) -> int:
    """A key of 31 bits made of (seed, view, level, ...), for the random numbers of a call."""
    key = 0
    for number in numbers:
        key = int(mixed(np.array((key ^ number) & 0xFFFFFFFF, np.uint32))) + 0x9E3779B9 & 0xFFFFFFFF
    return key >> 1


def mixed(x: np.ndarray) -> np.ndarray:
    """A bijection of 32-bit words that flips about half of the bits for each bit of the input.

    The finaliser of MurmurHash3 (Appleby, public domain).
    """
    with np.errstate(over="ignore"):
        x = x ^ (x >> np.uint32(16))
        x = x * np.uint32(0x85EBCA6B)
        x = x ^ (x >> np.uint32(13))
        x = x * np.uint32(0xC2B2AE35)
        return x ^ (x >> np.uint32(16))


def planes_of(
    depth: Float[Tensor, "h w"], normal: Float[Tensor, "h w 3"], lens: Lens
) -> Float[Tensor, "h w 3"]:
    """Inverse depth and its slopes (x, y) of depths and normals; 0 where the depth is 0."""
    x, y = _rays(depth, lens)
    towards = (normal[..., 0] * x + normal[..., 1] * y + normal[..., 2]).clamp(max=-1e-3)
    known = depth > 0
    w = torch.where(known, 1 / depth.clamp(min=1e-12), 0)
    slopes = [w * normal[..., i] / (lens.focal[i] * towards) for i in range(2)]
    return torch.stack([w, *slopes], dim=-1)


def depth_and_normal(
    planes: Float[Tensor, "h w 3"], lens: Lens
) -> tuple[Float[Tensor, "h w"], Float[Tensor, "h w 3"]]:
    """Depths and unit normals towards the camera; 0 where the inverse depth is 0."""
    w = planes[..., 0]
    known = w > 0
    x, y = _rays(w, lens)
    safe = torch.where(known, w, 1)
    a, b = (lens.focal[i] * planes[..., 1 + i] / safe for i in range(2))
    normal = -torch.stack([a, b, 1 - x * a - y * b], dim=-1)
    normal = normal / normal.norm(dim=-1, keepdim=True)
    return torch.where(known, 1 / safe, 0), normal * known[..., None]


def _rays(like: Tensor, lens: Lens) -> tuple[Tensor, Tensor]:
    """x and y of the rays through all pixels, at depth 1, as a row and a column."""
    height, width = like.shape[:2]
    x = torch.arange(width, device=like.device, dtype=like.dtype) - lens.principal[0]
    y = torch.arange(height, device=like.device, dtype=like.dtype) - lens.principal[1]
    return x[None, :] / lens.focal[0], y[:, None] / lens.focal[1]
