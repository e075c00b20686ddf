"""Kernels side by side on the threads that ``neus.devices.set_threads`` allows.

The kernels run without Python's lock, so plain threads do. numba's own ``prange`` would compile
each of them three times over, which made up most of the first run's wait.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch


def workers() -> int:
    """How many threads share the work of an operator: as many as torch's own."""
    return torch.get_num_threads()


def on_all_threads(kernel: Callable[..., Any], *arguments: Any) -> None:
    """Call ``kernel(worker, workers, *arguments)`` for every worker; this thread is the first."""
    count = workers()
    others = [_pool(count).submit(kernel, i, count, *arguments) for i in range(1, count)]
    kernel(0, count, *arguments)
    for other in others:
        other.result()


@functools.cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max(1, count - 1), thread_name_prefix="neus-operators")
