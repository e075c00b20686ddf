"""Patches of the surface in several views on the CPU."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu import patch_kernels
from neus.ops.cpu.threads import on_all_threads
from neus.ops.patches import GivenSlopes, PatchPictures

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


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
    shape = (len(t), views.shape[1] - 1)
    costs, slopes = torch.empty(shape), torch.empty(shape)
    valid, variance = torch.empty(shape, dtype=torch.bool), torch.empty(len(t))
    points = (part.detach().contiguous().numpy() for part in (t, directions, normals, views))
    on_all_threads(
        patch_kernels.compare, *points, spacing.detach().contiguous().numpy(), radius,
        np.float32(noise**2), *(part.numpy() for part in vars(pictures).values()),
        *(part.numpy() for part in (costs, slopes, valid, variance)),
    )  # fmt: skip
    return GivenSlopes.apply(t, costs, slopes), valid, variance


def in_sight(
    points: Float[Tensor, "p 3"],
    views: Int[Tensor, "p k"],
    pictures: PatchPictures,
    free: Bool[Tensor, "g g g"],
) -> Bool[Tensor, "p k"]:
    seen = torch.empty(views.shape, dtype=torch.bool)
    parts = (points.detach().contiguous(), views.contiguous(), pictures.centres, free, seen)
    on_all_threads(patch_kernels.look, *(part.numpy() for part in parts))
    return seen
