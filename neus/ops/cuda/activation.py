"""The sharp softplus of the SDF network and its backward pass, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING

import triton
import triton.language as tl
from torch import Tensor

from neus.ops.cuda.launch import blocks

if TYPE_CHECKING:
    from jaxtyping import Float

# Eight elements of one channel a thread, as two 16-byte loads: bound by memory alone.
STREAM = {"BLOCK": 1024, "num_warps": 4}


@triton.jit
def softplus(scaled, sharpness):
    """``log(1 + exp(k z)) / k`` at ``scaled`` = k z, without overflow."""
    return (tl.maximum(scaled, 0.0) + tl.log(1 + tl.exp(-tl.abs(scaled)))) / sharpness


@triton.jit
def sigmoid(scaled):
    """``1 / (1 + exp(-scaled))``, without overflow on either side."""
    e = tl.exp(-tl.abs(scaled))
    return tl.where(scaled >= 0, 1.0, e) / (1 + e)


@triton.jit(do_not_specialize=["count"])
def softplus_kernel(
    z, value, slope, sharpness, count, z_channel, z_point, out_channel, BLOCK: tl.constexpr
):
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channel = tl.program_id(1).to(tl.int64)
    mask = points < count
    scaled = tl.load(z + channel * z_channel + points * z_point, mask=mask, other=0.0) * sharpness
    out = channel * out_channel + points
    tl.store(value + out, softplus(scaled, sharpness), mask=mask)
    tl.store(slope + out, sigmoid(scaled), mask=mask)


@triton.jit(do_not_specialize=["count"])
def softplus_backward_kernel(
    slope, value_bar, sensitivity, sloped_bar, z_bar, sloped_sums, sharpness, count,
    slope_channel, slope_point, value_channel, value_point, sensitivity_channel,
    sensitivity_point, sloped_channel, sloped_point, out_channel, BLOCK: tl.constexpr,
):  # fmt: skip
    """Gradient with respect to z, and this block's sum of ``sloped_bar * slope``."""
    points = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    channel = tl.program_id(1).to(tl.int64)
    mask = points < count
    at = slope + channel * slope_channel + points * slope_point
    s = tl.load(at, mask=mask, other=0.0)
    at = value_bar + channel * value_channel + points * value_point
    a_bar = tl.load(at, mask=mask, other=0.0)
    at = sensitivity + channel * sensitivity_channel + points * sensitivity_point
    sensed = tl.load(at, mask=mask, other=0.0)
    at = sloped_bar + channel * sloped_channel + points * sloped_point
    q_bar = tl.load(at, mask=mask, other=0.0)
    bar = a_bar * s + q_bar * sensed * sharpness * s * (1 - s)
    tl.store(z_bar + channel * out_channel + points, bar, mask=mask)
    block = channel * tl.num_programs(0) + tl.program_id(0)
    tl.store(sloped_sums + block, tl.sum(q_bar * s, axis=0))


def softplus_with_slope(
    z: Float[Tensor, "c n"], sharpness: float
) -> tuple[Float[Tensor, "c n"], Float[Tensor, "c n"]]:
    channels, count = z.shape
    value, slope = z.new_empty(channels, count), z.new_empty(channels, count)
    if z.numel():
        softplus_kernel[_programs(channels, count)](
            z, value, slope, sharpness, count, *z.stride(), count, **STREAM
        )
    return value, slope


def softplus_backward_with_sum(
    slope: Float[Tensor, "c n"],
    value_bar: Float[Tensor, "c n"],
    sensitivity: Float[Tensor, "c n"],
    sloped_bar: Float[Tensor, "c n"],
    sharpness: float,
) -> tuple[Float[Tensor, "c n"], Float[Tensor, "c"]]:
    """:func:`neus.ops.reference.softplus_backward`, and the sums of ``sloped_bar * slope``."""
    channels, count = slope.shape
    z_bar = slope.new_empty(channels, count)
    inputs, programs = (slope, value_bar, sensitivity, sloped_bar), _programs(channels, count)
    sums = slope.new_empty(channels, programs[0])
    if slope.numel():
        softplus_backward_kernel[programs](
            *inputs,
            *(z_bar, sums, sharpness, count),
            *(stride for tensor in inputs for stride in tensor.stride()),
            count,
            **STREAM,
        )
    return z_bar, sums.sum(dim=1)


def _programs(channels: int, count: int) -> tuple[int, int]:
    return blocks(count, STREAM["BLOCK"]), channels
