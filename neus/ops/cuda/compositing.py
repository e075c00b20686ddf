"""Front-to-back compositing along rays, in Triton: forward and backward without a division."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# A warp takes one ray, 32 samples at a time, which is about what a ray has: scans stay in the
# warp's registers, and short rays beside long ones cost nothing.
WARP = {"CHUNK": 32, "num_warps": 1}


@triton.jit
def composite_kernel(
    alpha, values, offsets, weights, arriving, transmittance, sums, value_sample, value_channel,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """Weights, what is left at the end, and weighted sums; ``arriving`` is the light T_i that
    reaches each sample, kept for the backward pass."""
    ray = tl.program_id(0)
    lanes, channels = tl.arange(0, CHUNK), tl.arange(0, PADDED)
    begin, end = tl.load(offsets + ray), tl.load(offsets + ray + 1)
    total = tl.zeros((PADDED,), tl.float32)
    through = 1.0
    while begin < end:
        samples = begin + lanes
        mask = samples < end
        a = tl.load(alpha + samples, mask=mask, other=0.0)
        before = tl.load(alpha + samples - 1, mask=mask & (lanes > 0), other=0.0)
        reaching = through * tl.cumprod(1 - before, axis=0)
        weight = a * reaching
        tl.store(weights + samples, weight, mask=mask)
        tl.store(arriving + samples, reaching, mask=mask)
        at = values + samples[:, None] * value_sample + channels[None, :] * value_channel
        inside = mask[:, None] & (channels < CHANNELS)[None, :]
        total += tl.sum(weight[:, None] * tl.load(at, mask=inside, other=0.0), axis=0)
        # Factors lie in [0, 1]: the product of all of them is the least.
        through = tl.min(reaching * (1 - a), axis=0)
        begin += CHUNK
    tl.store(transmittance + ray, through)
    tl.store(sums + ray * CHANNELS + channels, total, mask=channels < CHANNELS)


@triton.jit
def _then(scale, offset, next_scale, next_offset):
    """Compose s -> scale s + offset with the affine map that is applied after it."""
    return scale * next_scale, offset * next_scale + next_offset


@triton.jit
def _alpha_and_weight_gradient(
    alpha, values, weights_bar, sum_bar, samples, mask, value_sample, value_channel, channels,
    CHANNELS: tl.constexpr,
):  # fmt: skip
    """alpha_i, and G_i: the gradient with respect to weight i, by itself and through the sums."""
    a = tl.load(alpha + samples, mask=mask, other=0.0)
    at = values + samples[:, None] * value_sample + channels[None, :] * value_channel
    value = tl.load(at, mask=mask[:, None] & (channels < CHANNELS)[None, :], other=0.0)
    g = tl.load(weights_bar + samples, mask=mask, other=0.0)
    return a, g + tl.sum(value * sum_bar[None, :], axis=1)


@triton.jit
def composite_backward_kernel(
    alpha, values, offsets, arriving, weights_bar, transmittance_bar, sums_bar, alpha_bar,
    values_bar, value_sample, value_channel, bar_sample, bar_channel,
    CHANNELS: tl.constexpr, PADDED: tl.constexpr, CHUNK: tl.constexpr,
):  # fmt: skip
    """d/d alpha_i = T_i (G_i - S_i), where S_i is what all later samples make of the light that
    passes sample i: S_i = alpha_{i+1} G_{i+1} + (1 - alpha_{i+1}) S_{i+1}, a scan of affine maps
    from the back, seeded with the transmittance's gradient."""
    ray = tl.program_id(0)
    lanes, channels = tl.arange(0, CHUNK), tl.arange(0, PADDED)
    begin, end = tl.load(offsets + ray), tl.load(offsets + ray + 1)
    sum_bar = tl.load(sums_bar + ray * CHANNELS + channels, mask=channels < CHANNELS, other=0.0)
    later = tl.load(transmittance_bar + ray)
    left = (end - begin).to(tl.int32)
    while left > 0:
        left = (left - 1) // CHUNK * CHUNK
        samples = begin + left + lanes
        mask = samples < end
        a, g = _alpha_and_weight_gradient(
            alpha, values, weights_bar, sum_bar, samples, mask, value_sample, value_channel,
            channels, CHANNELS,
        )  # fmt: skip
        following = (samples + 1 < end) & (lanes + 1 < CHUNK)
        next_a, next_g = _alpha_and_weight_gradient(
            alpha, values, weights_bar, sum_bar, samples + 1, following, value_sample,
            value_channel, channels, CHANNELS,
        )  # fmt: skip
        scale, offset = tl.associative_scan((1 - next_a, next_a * next_g), 0, _then, reverse=True)
        behind = scale * later + offset
        reaching = tl.load(arriving + samples, mask=mask, other=0.0)
        tl.store(alpha_bar + samples, reaching * (g - behind), mask=mask)
        at = values_bar + samples[:, None] * bar_sample + channels[None, :] * bar_channel
        inside = mask[:, None] & (channels < CHANNELS)[None, :]
        tl.store(at, (a * reaching)[:, None] * sum_bar[None, :], mask=inside)
        later = tl.sum(tl.where(lanes == 0, a * g + (1 - a) * behind, 0.0), axis=0)


def composite(
    alpha: Float[Tensor, "m"], values: Float[Tensor, "m c"], offsets: Int[Tensor, "r+1"]
) -> tuple[Float[Tensor, "m"], Float[Tensor, "r"], Float[Tensor, "r c"]]:
    """Samples from ``offsets[-1]`` on are padding: they get weight 0 and gradient 0."""
    return _Composite.apply(alpha, values, offsets)


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(ctx, alpha, values, offsets):  # pyright: ignore
        alpha, rays, channels = alpha.contiguous(), len(offsets) - 1, values.shape[1]
        weights, arriving = torch.zeros_like(alpha), torch.empty_like(alpha)
        transmittance, sums = alpha.new_empty(rays), alpha.new_empty(rays, channels)
        if rays:
            composite_kernel[(rays,)](
                *(alpha, values, offsets, weights, arriving, transmittance, sums),
                *values.stride(),
                **_widths(channels),
                **WARP,
            )
        ctx.save_for_backward(alpha, values, offsets, arriving)
        return weights, transmittance, sums

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *output_bars):  # pyright: ignore
        alpha, values, offsets, arriving = ctx.saved_tensors
        bars = (bar.contiguous() for bar in output_bars)
        alpha_bar, values_bar = torch.zeros_like(alpha), torch.zeros_like(values)
        if rays := len(offsets) - 1:
            composite_backward_kernel[(rays,)](
                *(alpha, values, offsets, arriving, *bars, alpha_bar, values_bar),
                *values.stride(),
                *values_bar.stride(),
                **_widths(values.shape[1]),
                **WARP,
            )
        return alpha_bar, values_bar, None


def _widths(channels: int) -> dict[str, int]:
    """Tiles must have powers of two as sides."""
    return {"CHANNELS": channels, "PADDED": 1 << (channels - 1).bit_length()}
