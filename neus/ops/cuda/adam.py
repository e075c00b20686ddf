"""Adam on the hash table, in Triton."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false, reportCallIssue=false

from __future__ import annotations

from typing import TYPE_CHECKING

import triton
import triton.language as tl
from torch import Tensor

from neus.ops.cuda.launch import blocks, on_device
from neus.ops.reference import ADAM_DECAY, ADAM_EPSILON, TableGradient

if TYPE_CHECKING:
    from jaxtyping import Float

# Four entries a thread, one 16-byte load of each array.
STREAM = {"BLOCK": 512, "num_warps": 4}


@triton.jit
def adam_kernel(
    table, gradient, first, second, rate, first_correction, second_correction, count,
    FIRST_DECAY: tl.constexpr, SECOND_DECAY: tl.constexpr, EPSILON: tl.constexpr,
    BLOCK: tl.constexpr,
):  # fmt: skip
    """One pass over all four arrays, which is all that this costs; clears the gradient."""
    entries = tl.program_id(0).to(tl.int64) * BLOCK + tl.arange(0, BLOCK)
    mask = entries < count
    g = tl.load(gradient + entries, mask=mask, other=0.0)
    m = tl.load(first + entries, mask=mask, other=0.0)
    v = tl.load(second + entries, mask=mask, other=0.0)
    m += (1 - FIRST_DECAY) * (g - m)
    v += (1 - SECOND_DECAY) * (g * g - v)
    root = tl.sqrt_rn(v / tl.load(second_correction))
    change = tl.load(rate) * (m / tl.load(first_correction)) / (root + EPSILON)
    value = tl.load(table + entries, mask=mask, other=0.0)
    tl.store(table + entries, value - change, mask=mask)
    tl.store(first + entries, m, mask=mask)
    tl.store(second + entries, v, mask=mask)
    tl.store(gradient + entries, tl.zeros((BLOCK,), tl.float32), mask=mask)


def adam_step(
    table: Float[Tensor, "rows f"],
    gradient: TableGradient,
    moments: tuple[Float[Tensor, "rows f"], Float[Tensor, "rows f"]],
    rate: float | Tensor,
    step: int | Tensor,
    decay: tuple[float, float] = ADAM_DECAY,
    epsilon: float = ADAM_EPSILON,
) -> None:
    """See :func:`neus.ops.reference.adam_step`. All tensors are contiguous."""
    # 1 - 0.99 leaves five digits of float32.
    exact = step.double() if isinstance(step, Tensor) else step
    corrections = (on_device(1 - base**exact, table.device) for base in decay)
    adam_kernel[(blocks(table.numel(), STREAM["BLOCK"]),)](
        table,
        gradient.dense,
        *moments,
        on_device(rate, table.device),
        *corrections,
        table.numel(),
        *decay,
        epsilon,
        **STREAM,
    )
