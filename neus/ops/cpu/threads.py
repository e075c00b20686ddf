"""Kernels side by side on the threads that ``neus.devices.set_threads`` allows.

The kernels run without Python's lock, so plain threads do. numba's own ``prange`` would compile
each of them three times over, which made up most of the first run's wait.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch

_kept: ContextVar[int | None] = ContextVar("threads of the operators", default=None)


def workers() -> int:
    """How many threads share the work of an operator: as many as torch may use elsewhere."""
    return _kept.get() or torch.get_num_threads()


@contextmanager
def torch_on_one_thread() -> Iterator[None]:
    """Within the block torch works on this thread alone, and the operators on as many as before.

    What a training step leaves to torch is small: to wake a second thread takes longer, some 35 µs
    a call, than it saves.
    """
    threads = torch.get_num_threads()
    token = _kept.set(workers())
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        _kept.reset(token)


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
