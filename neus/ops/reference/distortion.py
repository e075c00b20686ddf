"""How widely the weights along rays are spread, in time linear in the samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def ray_distortion(
    weights: Float[Tensor, "m"],
    t: Float[Tensor, "m"],
    lengths: Float[Tensor, "m"],
    ray_index: Int[Tensor, "m"],
    offsets: Int[Tensor, "r+1"],
) -> Float[Tensor, "r"]:
    """Distortion of each ray, differentiable once with respect to the weights.

    ``sum_ij w_i w_j |t_i - t_j| + 1/3 sum_i w_i^2 length_i`` (mip-NeRF 360, Barron et al. 2022, eq.
    15), 0 for a ray without samples. Samples lie ray by ray and front to back, as in
    :class:`neus.ops.types.Samples`; places past ``offsets[-1]`` must have weight 0, and get no
    gradient.
    """
    return _RayDistortion.apply(weights, t, lengths, ray_index, offsets)


class _RayDistortion(torch.autograd.Function):
    """With t sorted, each pair needs its nearer half only.

    Let W_i and M_i be the sums of w_j and w_j t_j over the samples before i, W and M those over
    the ray. Then the first term is ``2 sum_i w_i (t_i W_i - M_i)``, and its derivative by w_i
    ``2 (t_i W_i - M_i + (M - M_i - w_i t_i) - t_i (W - W_i - w_i))``. The sums run over all rays at
    once, in float64, and are then taken relative to where the ray begins. Distances are taken from
    the ray's first sample, so that the differences do not cancel.
    """

    @staticmethod
    def forward(ctx, weights, t, lengths, ray_index, offsets):  # pyright: ignore
        last = max(len(t) - 1, 0)
        first, end = offsets[:-1][ray_index], offsets[1:][ray_index]
        place = torch.arange(len(t), device=t.device)
        used = place < offsets[-1]
        w = torch.where(used, weights, 0).double()
        t = t.double() - t[first.clamp(max=last)]
        weight_sums, moment_sums = _sums_before(w), _sums_before(w * t)
        before = weight_sums[:-1] - weight_sums[first]
        moment_before = moment_sums[:-1] - moment_sums[first]
        after = weight_sums[end] - weight_sums[1:]
        moment_after = moment_sums[end] - moment_sums[1:]
        nearer = t * before - moment_before
        farther = moment_after - t * after
        own = w * lengths / 3
        gradient = torch.where(used, 2 * (nearer + farther + own), 0)
        ctx.save_for_backward(gradient.to(weights), ray_index)
        per_ray = w.new_zeros(len(offsets) - 1)
        per_ray.index_add_(0, ray_index, torch.where(used, w * (2 * nearer + own), 0))
        return per_ray.to(weights)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, bar):  # pyright: ignore
        gradient, ray_index = ctx.saved_tensors
        return bar[ray_index] * gradient, None, None, None, None


def _sums_before(values: Float[Tensor, "m"]) -> Float[Tensor, "m+1"]:
    """Sums of the first 0, 1, ..., m values."""
    return torch.cat([values.new_zeros(1), values.cumsum(dim=0)])
