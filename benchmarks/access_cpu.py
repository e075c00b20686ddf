"""Random access to rows of a hash table on the CPU: how fast it can be at all."""

from __future__ import annotations

import numba as nb
import numpy as np

from benchmarks.timing import Case
from neus.ops.cpu.threads import on_all_threads, workers


@nb.njit(nogil=True, cache=True, boundscheck=False)
def gather(worker, workers, table, rows, sums):
    """Sum the rows, as 64-bit words, that each thread's share of ``rows`` names."""
    share = len(rows) // workers
    total = np.uint64(0)
    for row in rows[worker * share : (worker + 1) * share]:
        total += table[row]
    sums[worker] = total


@nb.njit(nogil=True, cache=True, boundscheck=False)
def scatter(worker, workers, tables, rows):
    """Add to both features of the rows, each thread in a table of its own."""
    share, table = len(rows) // workers, tables[worker]
    for row in rows[worker * share : (worker + 1) * share]:
        table[row, 0] += np.float32(1)
        table[row, 1] += np.float32(2)


def accesses(level_rows: int, table_rows: int, count: int) -> tuple[Case, Case, Case]:
    """``count`` gathers from a level, gathers from the whole table, and additions to a level."""
    rng = np.random.default_rng(0)
    parts = workers()
    in_level = rng.integers(level_rows, size=count, dtype=np.int32)
    in_table = rng.integers(table_rows, size=count, dtype=np.int32)
    words = rng.integers(1 << 62, size=table_rows, dtype=np.uint64)
    sums = np.empty(parts, np.uint64)
    tables = np.zeros((parts, level_rows, 2), np.float32)
    return (
        Case(lambda _: on_all_threads(gather, words[:level_rows], in_level, sums)),
        Case(lambda _: on_all_threads(gather, words, in_table, sums)),
        Case(lambda _: on_all_threads(scatter, tables, in_level)),
    )
