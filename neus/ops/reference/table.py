"""The hash table's gradient and its optimizer in plain torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from neus.ops.grid import GridLayout

if TYPE_CHECKING:
    from jaxtyping import Float

ADAM_DECAY = (0.9, 0.99)
"""Of the running means of gradient and squared gradient."""
ADAM_EPSILON = 1e-15


class TableGradient:
    """The gradient of a hash table, added to by backward passes and cleared by ``adam_step``."""

    def __init__(self, table: Float[Tensor, "rows f"], grid: GridLayout) -> None:
        self.dense = torch.zeros_like(table)


class GradientAddedTo(torch.autograd.Function):
    """Identity whose gradient is added to a buffer and goes no further."""

    @staticmethod
    def forward(ctx, table, buffer):  # pyright: ignore
        ctx.buffer = buffer
        return table.view_as(table)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, bar):  # pyright: ignore
        ctx.buffer.add_(bar)
        return None, None


def adam_step(
    table: Float[Tensor, "rows f"],
    gradient: TableGradient,
    moments: tuple[Float[Tensor, "rows f"], Float[Tensor, "rows f"]],
    rate: float | Tensor,
    step: int | Tensor,
    decay: tuple[float, float] = ADAM_DECAY,
    epsilon: float = ADAM_EPSILON,
) -> None:
    """The ``step``-th step (from 1 on) of Adam (Kingma and Ba 2015); clears ``gradient``.

    ``decay`` is of the running means of gradient and squared gradient, and ``epsilon``, which is
    added to the root of the latter, is positive. They are those of Mueller et al. 2022, section 4.
    """
    first, second = moments
    # 1 - 0.99 leaves five digits of float32.
    count = step.double() if isinstance(step, Tensor) else step
    first_decay, second_decay = decay
    first.lerp_(gradient.dense, 1 - first_decay)
    second.lerp_(gradient.dense**2, 1 - second_decay)
    root = (second / (1 - second_decay**count)).sqrt_().add_(epsilon)
    table.sub_(rate * first / (1 - first_decay**count) / root)
    gradient.dense.zero_()
