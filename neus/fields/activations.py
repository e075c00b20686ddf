"""Activations by name."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.config import NUMBERED
from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float

Activation = Callable[[Tensor], Tensor]

TRUNCATION = 15.0
"""Beyond it the gradient of :func:`truncated_exp` grows no more."""


def activation(name: str) -> Activation:
    """The activation of a name.

    ``none``, ``relu``, ``sigmoid``, ``tanh``, ``softplus``, ``elu``, ``gelu``, ``silu``,
    ``leaky_relu`` and ``exp`` are torch's; ``trunc_exp`` and ``lin2srgb`` stand below. With a
    number at the end, ``softplus100`` has that sharpness, ``scale2`` maps [0, 2] to [0, 1] and cuts
    off the rest, ``clamp2`` cuts off what is not in [0, 2], ``mul2`` multiplies, and ``+2`` and
    ``-2`` shift.

    Raises:
        InputError: there is no activation of that name.
    """
    if name in NAMED:
        return NAMED[name]
    parts = re.fullmatch(NUMBERED, name)
    number = float(parts[2]) if parts else math.nan
    if not parts or (number <= 0 and parts[1] in ("softplus", "scale", "clamp")):
        raise InputError(
            f"there is no activation '{name}': it is one of {', '.join(NAMED)}, or softplus, "
            "scale, clamp, mul, + or - with a number at its end, as in softplus100"
        )
    return _WITH_NUMBER[parts[1]](number)


class _TruncatedExp(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):  # pyright: ignore
        ctx.save_for_backward(x)
        return torch.exp(x)

    @staticmethod
    def backward(ctx, bar):  # pyright: ignore
        (x,) = ctx.saved_tensors
        return bar * torch.exp(x.clamp(max=TRUNCATION))


def truncated_exp(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """exp(x) whose gradient is that of ``min(x, 15)``, so that one point cannot blow up a step.

    Of densities (Mueller et al. 2022, in their implementation of NeRF).
    """
    return _TruncatedExp.apply(x)


def linear_to_srgb(x: Float[Tensor, "*n"]) -> Float[Tensor, "*n"]:
    """Light to display-referred colour in [0, 1] (IEC 61966-2-1)."""
    curved = 1.055 * x.clamp(min=0.0031308) ** (1 / 2.4) - 0.055  # clamped for its gradient's sake
    return torch.where(x > 0.0031308, curved, 12.92 * x).clamp(0, 1)


NAMED: dict[str, Activation] = {
    "none": lambda x: x,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "softplus": torch.nn.functional.softplus,
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "exp": torch.exp,
    "trunc_exp": truncated_exp,
    "lin2srgb": linear_to_srgb,
}

_WITH_NUMBER: dict[str, Callable[[float], Activation]] = {
    "softplus": lambda sharpness: lambda x: torch.nn.functional.softplus(x, beta=sharpness),
    "scale": lambda top: lambda x: x.clamp(0, top) / top,
    "clamp": lambda top: lambda x: x.clamp(0, top),
    "mul": lambda factor: lambda x: x * factor,
    "": lambda shift: lambda x: x + shift,
}
