"""Patches of the surface in several views, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportCallIssue=false

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda.launch import blocks
from neus.ops.cuda.patch_kernels import in_sight_kernel, patch_costs_kernel
from neus.ops.patches import GivenSlopes, PatchPictures

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

# A warp: a step compares a few thousand pairs, which many warps share.
TILE = {"BLOCK": 32, "num_warps": 1}


def patch_costs(
    t: Float[Tensor, "p"],
    directions: Float[Tensor, "p 3"],
    normals: Float[Tensor, "p 3"],
    views: Int[Tensor, "p 1+k"],
    pictures: PatchPictures,
    spacing: Float[Tensor, "p"],
    radius: int,
    noise: float,
) -> tuple[Float[Tensor, "p k"], Bool[Tensor, "p k"], Float[Tensor, "p"]]:
    shape, device = (len(t), views.shape[1] - 1), t.device
    costs, slopes = torch.empty(2, *shape, device=device)
    valid = torch.empty(shape, dtype=torch.uint8, device=device)
    variance = torch.empty(len(t), device=device)
    points = (part.detach().contiguous() for part in (t, directions, normals, views, spacing))
    operands = (*points, _squared(noise, device), *vars(pictures).values())
    results = (costs, slopes, valid, variance)
    sizes = (*shape, pictures.levels, radius)
    programs = (blocks(shape[0] * shape[1], TILE["BLOCK"]),)
    patch_costs_kernel[programs](*operands, *results, *sizes, **TILE)
    return GivenSlopes.apply(t, costs, slopes), valid.bool(), variance


def in_sight(
    points: Float[Tensor, "p 3"],
    views: Int[Tensor, "p k"],
    pictures: PatchPictures,
    free: Bool[Tensor, "g g g"],
) -> Bool[Tensor, "p k"]:
    seen = torch.empty(views.shape, dtype=torch.uint8, device=points.device)
    centres, cells = pictures.centres, free.view(torch.uint8)
    operands = (points.detach().contiguous(), views.contiguous(), centres, cells, seen)
    sizes = (*views.shape, len(free))
    in_sight_kernel[(blocks(views.numel(), TILE["BLOCK"]),)](*operands, *sizes, **TILE)
    return seen.bool()


# Kept on the device, since a copy to it makes the host wait.
@lru_cache(maxsize=8)
def _squared(noise: float, device: torch.device) -> Float[Tensor, ""]:
    return torch.full((), noise**2, device=device)
