"""Random access to rows of a hash table on CUDA: how fast it can be at all."""

# Triton's decorator hides from pyright what kernels take and return.
# pyright: reportArgumentType=false

from __future__ import annotations

import torch
import triton
import triton.language as tl

from benchmarks.timing import Case

LAUNCH = {"BLOCK": 1024, "num_warps": 8}


@triton.jit
def gather_kernel(table, rows, sums, BLOCK: tl.constexpr):
    """Sum of the rows, as 64-bit words, that a block of ``rows`` names."""
    row = tl.load(rows + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    tl.store(sums + tl.program_id(0), tl.sum(tl.load(table + row), axis=0))


@triton.jit
def scatter_kernel(table, rows, BLOCK: tl.constexpr):
    """Add to both features of the rows, which one atomic operation does where it can."""
    row = tl.load(rows + tl.program_id(0) * BLOCK + tl.arange(0, BLOCK))
    feature = tl.arange(0, 2)
    entries = table + (row[:, None] * 2 + feature)
    values = tl.zeros((BLOCK, 2), tl.float32) + (feature + 1)
    tl.atomic_add(entries, values, sem="relaxed")


def accesses(
    level_rows: int, table_rows: int, count: int, device: torch.device
) -> tuple[Case, Case, Case]:
    """``count`` gathers from a level, gathers from the whole table, and additions to a level.

    ``count`` is a multiple of the block.
    """
    generator = torch.Generator(device).manual_seed(0)
    blocks = count // LAUNCH["BLOCK"]
    in_level, in_table = (
        torch.randint(limit, (count,), generator=generator, device=device, dtype=torch.int32)
        for limit in (level_rows, table_rows)
    )
    words = torch.randint(1 << 62, (table_rows,), generator=generator, device=device)
    sums = torch.empty(blocks, dtype=torch.int64, device=device)
    table = torch.zeros(level_rows, 2, device=device)
    return (
        Case(lambda _: gather_kernel[(blocks,)](words, in_level, sums, **LAUNCH)),
        Case(lambda _: gather_kernel[(blocks,)](words, in_table, sums, **LAUNCH)),
        Case(lambda _: scatter_kernel[(blocks,)](table, in_level, **LAUNCH)),
    )
