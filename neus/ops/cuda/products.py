"""Products of a network's layers on CUDA, with what follows them: see ``product_kernels``.

Matrices are channel-major, ``[channels, n]``, with points one after the other. Networks of up to
:data:`WIDEST` channels take the kernels; of wider ones a tile would not fit into the registers, and
cuBLAS, which is good at these, makes the products. ``precision`` says which may round.
"""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.cuda import precision
from neus.ops.cuda import product_kernels as kernels
from neus.ops.cuda.activation import softplus_with_slope
from neus.ops.cuda.launch import blocks

if TYPE_CHECKING:
    from jaxtyping import Float

WIDEST = 64
"""Channels that a tile has room for."""
# 16 outputs a thread of the widest layer: with twice as many, its registers leave too few warps to
# hide the memory's latency.
TILE = {"BLOCK": 32, "num_warps": 4}
SUM = {"BLOCK": 32, "num_warps": 8}
SHARES = 528
"""Programs that share the points of a sum: four for each multiprocessor of a large card."""


def layer(
    weight: Float[Tensor, "o i"],
    bias: Float[Tensor, "o"] | None,
    x: Float[Tensor, "i n"],
    rounding: str = precision.DOT,
) -> Float[Tensor, "o n"]:
    """``weight @ x + bias``."""
    if not _fits(max(weight.shape), x.shape[1]):
        with precision.matmuls(rounding):
            return weight @ x if bias is None else torch.addmm(bias[:, None], weight, x)
    return _product(weight, bias, x, kernels.PLAIN, rounding)[0]


def softplus_layer(
    weight: Float[Tensor, "o i"],
    bias: Float[Tensor, "o"],
    x: Float[Tensor, "i n"],
    sharpness: float,
) -> tuple[Float[Tensor, "o n"], Float[Tensor, "o n"]]:
    """The sharp softplus of a layer's outputs, and its slope there."""
    if not _fits(max(weight.shape), x.shape[1]):
        return softplus_with_slope(layer(weight, bias, x), sharpness)
    return _product(weight, bias, x, kernels.SOFTPLUS, precision.DOT, sharpness=sharpness)


def relu_layer(
    weight: Float[Tensor, "o i"], bias: Float[Tensor, "o"], x: Float[Tensor, "i n"], rounding: str
) -> Float[Tensor, "o n"]:
    """A layer's outputs where they are positive, else 0."""
    if not _fits(max(weight.shape), x.shape[1]):
        return layer(weight, bias, x, rounding).relu_()
    return _product(weight, bias, x, kernels.RELU, rounding)[0]


def relu_layers(
    weights: Sequence[Tensor],
    biases: Sequence[Tensor],
    x: Float[Tensor, "i n"],
    rounding: str = precision.DOT,
) -> list[Tensor]:
    """The input of each layer of a network with ReLU between them, and the last one's output."""
    values = [x]
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        values.append(relu_layer(weight, bias, values[-1], rounding))
    return [*values, layer(weights[-1], biases[-1], values[-1], rounding)]


def relu_layers_backward(
    weights: Sequence[Tensor],
    values: Sequence[Tensor],
    bar: Float[Tensor, "o n"],
    rounding: str = precision.DOT,
) -> tuple[Float[Tensor, "i n"], list[Tensor], list[Tensor]]:
    """Gradients of the input, the weights and the biases of :func:`relu_layers`.

    ``values`` are the inputs of the layers, ``bar`` is the gradient of the output, contiguous.
    """
    weight_bars, bias_bars = [], []
    for weight, value in zip(reversed(weights), reversed(values), strict=True):
        weight_bar, bias_bar = outer(bar, value, rounding)
        weight_bars.insert(0, weight_bar)
        bias_bars.insert(0, bias_bar)
        if len(weight_bars) == len(weights):
            bar = layer(weight.T, None, bar, rounding)
        elif _fits(max(weight.shape), bar.shape[1]):
            bar = _product(weight.T, None, bar, kernels.GATED, rounding, second=value)[0]
        else:
            bar = layer(weight.T, None, bar, rounding)
            bar = torch.ops.aten.threshold_backward(bar, value, 0)
    return bar, weight_bars, bias_bars


def outer(
    a: Float[Tensor, "o n"], b: Float[Tensor, "i n"], rounding: str = precision.DOT
) -> tuple[Float[Tensor, "o i"], Float[Tensor, "o"]]:
    """``a @ b.T`` and the sums of a over the points: a layer's gradients of weight and bias."""
    (rows, count), columns = a.shape, len(b)
    if not _fits(max(rows, columns), count) or not count:
        with precision.matmuls(rounding):
            return a @ b.T, a.sum(dim=1)
    share = SUM["BLOCK"] * blocks(count, SHARES * SUM["BLOCK"])
    programs = blocks(count, share)
    products, sums = a.new_empty(programs, rows, columns), a.new_empty(programs, rows)
    kernels.outer_kernel[(programs,)](
        a, b, products, sums, count, share, rows, columns, a.stride(0), b.stride(0),
        ROWS=_padded(rows), COLUMNS=_padded(columns), PRECISION=rounding, **SUM,
    )  # fmt: skip
    return products.sum(dim=0), sums.sum(dim=0)


def _product(
    weight: Tensor,
    bias: Tensor | None,
    x: Tensor,
    after: int,
    rounding: str,
    *,
    second: Tensor | None = None,
    sharpness: float = 1.0,
) -> tuple[Tensor, Tensor]:
    (rows, inner), count = weight.shape, x.shape[1]
    out = x.new_empty(rows, count)
    if second is None:
        second = torch.empty_like(out) if after == kernels.SOFTPLUS else out
    if count:
        kernels.product_kernel[(blocks(count, TILE["BLOCK"]),)](
            weight, x, weight if bias is None else bias, out, second, sharpness, count, rows, inner,
            weight.stride(0), weight.stride(1), x.stride(0), out.stride(0), second.stride(0),
            ROWS=_padded(rows), INNER=_padded(inner), BIASED=bias is not None, AFTER=after,
            PRECISION=rounding, **TILE,
        )  # fmt: skip
    return out, second


def _fits(channels: int, count: int) -> bool:
    """Whether a tile has room for a layer, and 32 bits for the places of its numbers."""
    return channels <= WIDEST and channels * count < 1 << 31


def _padded(channels: int) -> int:
    """A tile's sides are powers of two, and tensor cores want 16 at least."""
    return max(16, 1 << (channels - 1).bit_length())
