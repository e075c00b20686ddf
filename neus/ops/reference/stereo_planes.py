"""Planes that PatchMatch tries around a pixel's own, and the random numbers that choose them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.reference.stereo_windows import Pixels
from neus.ops.stereo import SHIFTS, STEEPEST, TILTS

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def drawn_planes(at: Pixels, now: Float[Tensor, "n 3"], kind: int, draw: int, key: int) -> Tensor:
    """Planes to try: 0 another depth, 1 another normal, 2 both, 3 any plane.

    The change of a depth is log-uniform between ``SHIFTS`` pixels of the sources, the length of
    what is added to a unit normal between ``TILTS``. Too slanted normals give way to the current.
    """
    (fx, fy), (x, y) = at.lens.focal, at.ray
    pixels = at.rows * at.grey.shape[1] + at.columns
    numbers = [uniform(key, pixels, draw + k).to(now.dtype) for k in range(6)]
    w = now[:, 0]
    a, b = fx * now[:, 1] / w, fy * now[:, 2] / w
    normal = -torch.stack([a, b, 1 - x * a - y * b], dim=1)
    normal = normal / normal.norm(dim=1, keepdim=True)
    ray = torch.stack([x, y, torch.ones_like(x)], dim=1)
    length = ray.norm(dim=1)
    noise = 2 * torch.stack(numbers[2:5], dim=1) - 1
    turned = normal
    if kind == 3:
        w = at.lens.farthest + numbers[0] * (at.lens.nearest - at.lens.farthest)
        turned = noise - ray / length[:, None]
    if kind in (0, 2):
        size = 2 ** (math.log2(SHIFTS[0]) + math.log2(SHIFTS[1] / SHIFTS[0]) * numbers[0])
        sign = torch.where(numbers[1] < 0.5, 1, -1)
        w = (w + sign * size * at.lens.step).clamp(at.lens.farthest, at.lens.nearest)
    if kind in (1, 2):
        tilt = 2 ** (math.log2(TILTS[0]) + math.log2(TILTS[1] / TILTS[0]) * numbers[5])
        turned = normal + tilt[:, None] * noise
    turned = turned / turned.norm(dim=1, keepdim=True).clamp(min=1e-6)
    steep = (turned * ray).sum(dim=1) > -STEEPEST * length
    turned = torch.where(steep[:, None], normal, turned)
    towards = (turned * ray).sum(dim=1).clamp(max=-1e-3)
    return torch.stack(
        [w, w * turned[:, 0] / (fx * towards), w * turned[:, 1] / (fy * towards)], dim=1
    )


def uniform(key: int, pixels: Int[Tensor, "n"], draw: int) -> Float[Tensor, "n"]:
    """Numbers in [0, 1) that depend on the key, the pixel and the draw alone, in steps of 2^-24."""
    h = _mixed((pixels * 0x9E3779B1 & 0xFFFFFFFF) ^ key)
    h = _mixed(h + draw * 0x85157AF5 & 0xFFFFFFFF)
    return (h >> 8).double() * 2.0**-24


def _mixed(h: Tensor) -> Tensor:
    """The finaliser of MurmurHash3, on 32-bit words held in 64 bits."""
    h = h ^ h >> 16
    h = h * 0x85EBCA6B & 0xFFFFFFFF
    h = h ^ h >> 13
    h = h * 0xC2B2AE35 & 0xFFFFFFFF
    return h ^ h >> 16
