"""What the machine can do: matrix products, random access to a level of the table, memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from benchmarks.timing import Case, Timing
from neus.ops.grid import GridLayout

FLOAT32, TF32 = "product, float32", "product, TF32"
GATHER, SCATTER = "gather, one level", "scatter, one level"
GATHER_ALL = "gather, whole table"
STREAM, COPY = "stream in place", "copy"

UNITS = {
    FLOAT32: "GFLOP/s",
    TF32: "GFLOP/s",
    GATHER: "million/s",
    SCATTER: "million/s",
    GATHER_ALL: "million/s",
    STREAM: "GB/s",
    COPY: "GB/s",
}
UNIT_SIZES = {"GFLOP/s": 1e9, "million/s": 1e6, "GB/s": 1e9}


@dataclass(frozen=True)
class Ceiling:
    """A case and how much it does, in operations, table rows or bytes."""

    case: Case
    amount: float


@dataclass(frozen=True)
class Sizes:
    """How much to do: a square product's side, random rows, floats streamed."""

    side: int
    rows: int
    floats: int


def sizes_for(device: torch.device, quick: bool) -> Sizes:
    """Large enough that nothing else than the limit counts."""
    if quick:
        return Sizes(128, 1 << 12, 1 << 16)
    if device.type == "cuda":
        return Sizes(8192, 1 << 26, 1 << 29)
    return Sizes(2048, 1 << 21, 1 << 26)


def ceilings(grid: GridLayout, sizes: Sizes, device: torch.device) -> dict[str, Ceiling]:
    """The cases that measure the ceilings; TF32 on CUDA only."""
    accesses = _cuda_accesses if device.type == "cuda" else _cpu_accesses
    return (
        _products(sizes.side, device)
        | accesses(grid, sizes.rows, device)
        | _streams(sizes.floats, device)
    )


def rates(found: Mapping[str, Ceiling], timings: Mapping[str, Timing]) -> dict[str, float]:
    """Amounts per second, in the ceilings' ``UNITS``."""
    return {
        name: ceiling.amount / (timings[name].median_ms / 1e3) / UNIT_SIZES[UNITS[name]]
        for name, ceiling in found.items()
    }


def _products(side: int, device: torch.device) -> dict[str, Ceiling]:
    generator = torch.Generator(device).manual_seed(0)
    left, right = (torch.randn(side, side, generator=generator, device=device) for _ in range(2))
    result = torch.empty_like(left)

    def product(precision: str) -> None:
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision(precision)
        torch.mm(left, right, out=result)
        torch.set_float32_matmul_precision(before)

    amount = 2.0 * side**3
    found = {FLOAT32: Ceiling(Case(lambda _: product("highest")), amount)}
    if device.type == "cuda":
        found[TF32] = Ceiling(Case(lambda _: product("high")), amount)
    return found


def _cpu_accesses(grid: GridLayout, count: int, device: torch.device) -> dict[str, Ceiling]:
    """On all threads, which share a level to read and have one each to write."""
    from benchmarks.access_cpu import accesses

    cases = accesses(grid.hashed_rows, grid.rows, count)
    return {
        name: Ceiling(case, count)
        for name, case in zip((GATHER, GATHER_ALL, SCATTER), cases, strict=True)
    }


def _cuda_accesses(grid: GridLayout, count: int, device: torch.device) -> dict[str, Ceiling]:
    from benchmarks.access_cuda import accesses

    cases = accesses(grid.hashed_rows, grid.rows, count, device)
    return {
        name: Ceiling(case, count)
        for name, case in zip((GATHER, GATHER_ALL, SCATTER), cases, strict=True)
    }


def _streams(floats: int, device: torch.device) -> dict[str, Ceiling]:
    """Bytes read plus bytes written.

    A copy on a CPU also fetches the lines that it overwrites, which nobody counts; an optimizer,
    which writes where it has read, does not.
    """
    source, target = torch.zeros(floats, device=device), torch.zeros(floats, device=device)
    amount = 8.0 * floats
    return {
        STREAM: Ceiling(Case(lambda _: target.neg_()), amount),
        COPY: Ceiling(Case(lambda _: target.copy_(source)), amount),
    }
