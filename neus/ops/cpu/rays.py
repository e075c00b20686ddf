"""Marching and compositing on the CPU."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from neus.ops.cpu import ray_kernels
from neus.ops.cpu.threads import on_all_threads
from neus.ops.types import Samples

if TYPE_CHECKING:
    from jaxtyping import Float, Int, UInt8


def march_rays(
    origins: Float[Tensor, "r 3"],
    directions: Float[Tensor, "r 3"],
    occupancy: UInt8[Tensor, "g g g"],
    step: float,
    jitter: Float[Tensor, "r"],
    capacity: int | None,
) -> Samples:
    counts = np.empty(len(origins), np.int64)
    distances = np.empty((len(origins), math.ceil(2 / step) + 1), np.float32)
    on_all_threads(
        ray_kernels.march,
        origins.contiguous().numpy(),
        directions.contiguous().numpy(),
        occupancy.numpy(),
        np.float32(step),
        jitter.numpy(),
        counts,
        distances,
    )
    ends = np.cumsum(counts)
    taken = ends <= (ends[-1] if capacity is None else capacity)
    offsets = np.zeros(len(origins) + 1, np.int64)
    offsets[1:] = np.minimum(ends, ends[taken].max(initial=0))
    places = offsets[-1] if capacity is None else capacity
    ray_index, t = np.zeros(places, np.int64), np.zeros(places, np.float32)
    ray_kernels.pack(distances, offsets, ray_index, t)
    return Samples(*(torch.from_numpy(array) for array in (ray_index, t, offsets, taken)))


def composite(
    alpha: Float[Tensor, "m"], values: Float[Tensor, "m c"], offsets: Int[Tensor, "r+1"]
) -> tuple[Float[Tensor, "m"], Float[Tensor, "r"], Float[Tensor, "r c"]]:
    weights, transmittance, sums = _Composite.apply(alpha, values.T, offsets)
    return weights, transmittance, sums


class _Composite(torch.autograd.Function):
    """Channel-major: values ``[c, m]``."""

    @staticmethod
    def forward(ctx, alpha, values, offsets):  # pyright: ignore
        alpha, values = alpha.contiguous(), values.contiguous()
        rays, channels = len(offsets) - 1, len(values)
        weights, transmittance = torch.zeros_like(alpha), torch.empty(rays)
        sums = torch.empty(rays, channels)
        ray_kernels.composite(
            *(t.numpy() for t in (alpha, values, offsets, weights, transmittance, sums))
        )
        ctx.save_for_backward(alpha, values, offsets, weights)
        return weights, transmittance, sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, weights_bar, transmittance_bar, sums_bar):  # pyright: ignore
        alpha, values, offsets, weights = ctx.saved_tensors
        alpha_bar, values_bar = torch.zeros_like(alpha), torch.zeros_like(values)
        bars = (t.contiguous() for t in (weights_bar, transmittance_bar, sums_bar))
        tensors = (alpha, values, offsets, weights, *bars, alpha_bar, values_bar)
        ray_kernels.composite_backward(*(t.numpy() for t in tensors))
        return alpha_bar, values_bar, None
