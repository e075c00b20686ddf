"""From distances and their gradients to section opacities and normals, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
import triton
import triton.language as tl
from torch import Tensor

from neus.ops.cuda.activation import sigmoid
from neus.ops.cuda.launch import blocks, on_device
from neus.ops.cuda.vectors import load_vectors

if TYPE_CHECKING:
    from jaxtyping import Float, Int

# One sample a thread: components of a vector lie n apart, at no alignment that wider loads need.
STREAM = {"BLOCK": 128, "num_warps": 4}


@triton.jit
def _normal_and_cosine(gradient, directions, ray_index, samples, mask, g_sample, g_axis):
    """Unit normal, its length before, the ray's direction, and the cosine between the two."""
    gx, gy, gz = load_vectors(gradient, g_sample, g_axis, samples, mask)
    rays = tl.load(ray_index + samples, mask=mask, other=0)
    dx, dy, dz = load_vectors(directions, 3, 1, rays, mask)
    norm = tl.sqrt_rn(gx * gx + gy * gy + gz * gz + 1e-12)
    nx, ny, nz = gx / norm, gy / norm, gz / norm
    return nx, ny, nz, norm, dx, dy, dz, nx * dx + ny * dy + nz * dz


@triton.jit
def _one_minus_exp(x):
    """``1 - exp(x)`` for x <= 0: the series where the difference would cancel."""
    series = -x * (1 + x * 0.5 * (1 + x / 3 * (1 + x * 0.25 * (1 + x * 0.2))))
    return tl.where(x > -0.1, series, 1 - tl.exp(x))


@triton.jit
def _opacity(sdf, half, inv_s):
    """alpha = (p - f) / (p + 1e-5), and its derivatives by ``sdf * inv_s`` and ``half * inv_s``.

    p = Phi(sdf - half) and f = Phi(sdf + half) are the logistic sigmoid at the section's ends,
    ``half`` <= 0. Their difference, where both are nearly equal, is written as the product
    p - f = p (1 - f) (1 - exp(2 half inv_s)), which leaves nothing to cancel, here or below.
    """
    at_previous, at_following = (sdf - half) * inv_s, (sdf + half) * inv_s
    previous, behind_previous = sigmoid(at_previous), sigmoid(-at_previous)
    following, behind_following = sigmoid(at_following), sigmoid(-at_following)
    scale = 1 / (previous + 1e-5)
    alpha = previous * behind_following * _one_minus_exp(2 * half * inv_s) * scale
    by_sdf = alpha * (1e-5 * scale * behind_previous - following)
    by_half = (alpha - 1) * previous * behind_previous - following * behind_following
    return alpha, by_sdf, tl.where(half < 0, by_half * scale, 0.0)


@triton.jit
def _half_drop(cosine, step, cos_anneal):
    """Half of what the distance falls by over the section; see ``section_alpha``."""
    softened = tl.maximum(0.5 - 0.5 * cosine, 0.0)
    slope = -((1 - cos_anneal) * softened + cos_anneal * tl.maximum(-cosine, 0.0))
    return slope * (0.5 * step)


@triton.jit(do_not_specialize=["count"])
def section_kernel(
    sdf, gradient, directions, ray_index, step, inv_s, cos_anneal, alpha, normals, norms, count,
    sdf_sample, g_sample, g_axis, BLOCK: tl.constexpr,
):  # fmt: skip
    samples = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = samples < count
    nx, ny, nz, norm, _, _, _, cosine = _normal_and_cosine(
        gradient, directions, ray_index, samples, mask, g_sample, g_axis
    )
    distance = tl.load(sdf + samples * sdf_sample, mask=mask, other=0.0)
    half = _half_drop(cosine, tl.load(step), tl.load(cos_anneal))
    opacity, _, _ = _opacity(distance, half, tl.load(inv_s))
    tl.store(alpha + samples, opacity, mask=mask)
    tl.store(norms + samples, norm, mask=mask)
    tl.store(normals + samples, nx, mask=mask)
    tl.store(normals + count + samples, ny, mask=mask)
    tl.store(normals + 2 * count + samples, nz, mask=mask)


@triton.jit(do_not_specialize=["count"])
def section_backward_kernel(
    sdf, gradient, directions, ray_index, step, inv_s, cos_anneal, alpha_bar, normals_bar,
    norms_bar, sdf_bar, gradient_bar, inv_s_bars, count, sdf_sample, g_sample, g_axis,
    bar_sample, bar_axis, BLOCK: tl.constexpr,
):  # fmt: skip
    """The chain of :func:`section_kernel` backwards; a block sums its share of inv_s's gradient.

    x_bar is the gradient with respect to x; n = g / |g| has g_bar = (n_bar - n (n . n_bar)) / |g|.
    """
    samples = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    mask = samples < count
    nx, ny, nz, norm, dx, dy, dz, cosine = _normal_and_cosine(
        gradient, directions, ray_index, samples, mask, g_sample, g_axis
    )
    distance = tl.load(sdf + samples * sdf_sample, mask=mask, other=0.0)
    length, sharpness, anneal = tl.load(step), tl.load(inv_s), tl.load(cos_anneal)
    half = _half_drop(cosine, length, anneal)
    _, by_sdf, by_half = _opacity(distance, half, sharpness)
    opacity_bar = tl.load(alpha_bar + samples, mask=mask, other=0.0)
    tl.store(sdf_bar + samples, opacity_bar * by_sdf * sharpness, mask=mask)
    inv_s_bar = opacity_bar * (by_sdf * distance + by_half * half)
    tl.store(inv_s_bars + tl.program_id(0), tl.sum(tl.where(mask, inv_s_bar, 0.0), axis=0))

    slope_bar = opacity_bar * by_half * sharpness * (0.5 * length)
    by_cosine = tl.where(cosine < 1, 0.5 * (1 - anneal), 0.0) + tl.where(cosine < 0, anneal, 0.0)
    cosine_bar = slope_bar * by_cosine
    bx, by, bz = load_vectors(normals_bar, bar_sample, bar_axis, samples, mask)
    bx, by, bz = bx + cosine_bar * dx, by + cosine_bar * dy, bz + cosine_bar * dz
    along = nx * bx + ny * by + nz * bz
    norm_bar = tl.load(norms_bar + samples, mask=mask, other=0.0)
    tl.store(gradient_bar + samples, (bx - nx * along) / norm + norm_bar * nx, mask=mask)
    tl.store(gradient_bar + count + samples, (by - ny * along) / norm + norm_bar * ny, mask=mask)
    tl.store(
        gradient_bar + 2 * count + samples, (bz - nz * along) / norm + norm_bar * nz, mask=mask
    )


def section(
    sdf: Float[Tensor, "n"],
    gradient: Float[Tensor, "n 3"],
    directions: Float[Tensor, "r 3"],
    ray_index: Int[Tensor, "n"],
    step: float | Float[Tensor, ""],
    inv_s: Float[Tensor, ""],
    cos_anneal: float | Float[Tensor, ""],
) -> tuple[Float[Tensor, "n"], Float[Tensor, "n 3"], Float[Tensor, "n"]]:
    """Opacities, unit normals and gradient norms; normals are stored ``[3, n]``."""
    device = sdf.device
    return _Section.apply(
        sdf,
        gradient,
        directions.contiguous(),
        ray_index.contiguous(),
        on_device(step, device),
        inv_s,
        on_device(cos_anneal, device),
    )


class _Section(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *inputs):  # pyright: ignore
        sdf, gradient = inputs[:2]
        count = len(sdf)
        alpha, norms, normals = sdf.new_empty(count), sdf.new_empty(count), sdf.new_empty(3, count)
        if count:
            section_kernel[_programs(count)](
                *inputs, alpha, normals, norms, count, *sdf.stride(), *gradient.stride(), **STREAM
            )
        ctx.save_for_backward(*inputs)
        return alpha, normals.T, norms

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, alpha_bar, normals_bar, norms_bar):  # pyright: ignore
        inputs = ctx.saved_tensors
        sdf, gradient = inputs[:2]
        count = len(sdf)
        sdf_bar, gradient_bar = sdf.new_empty(count), sdf.new_empty(3, count)
        inv_s_bars = sdf.new_empty(_programs(count))
        if count:
            section_backward_kernel[_programs(count)](
                *inputs,
                *(alpha_bar.contiguous(), normals_bar, norms_bar.contiguous()),
                *(sdf_bar, gradient_bar, inv_s_bars, count),
                *sdf.stride(),
                *gradient.stride(),
                *normals_bar.stride(),
                **STREAM,
            )
        return sdf_bar, gradient_bar.T, None, None, None, inv_s_bars.sum(), None


def _programs(count: int) -> tuple[int]:
    return (blocks(count, STREAM["BLOCK"]),)
