"""Views at work on several threads of the host while a card computes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

from neus.ops.cpu.threads import workers

Result = TypeVar("Result")
MOST = 8
"""Threads beside a card: one waits for it while the others prepare what comes next."""


def host_threads(device: torch.device) -> int:
    """Threads for what the host does: a card leaves cores idle, kernels of the CPU do not."""
    return min(MOST, len(os.sched_getaffinity(0))) if device.type == "cuda" else workers()


def in_order(work: Callable[[int], Result], count: int, device: torch.device) -> Iterator[Result]:
    """``work(0)``, ``work(1)``, ... one by one where ``device`` is the CPU.

    On CUDA several threads, each with a stream of its own, go ahead of whoever asks. The first
    piece of work is done alone: it compiles the kernels that all others use.
    """
    if device.type != "cuda":
        yield from map(work, range(count))
        return
    yield from map(work, range(min(count, 1)))
    with ThreadPoolExecutor(host_threads(device), "neus-views", _take_stream, (device,)) as threads:
        yield from threads.map(work, range(1, count))


def _take_stream(device: torch.device) -> None:
    """The card and a stream for this thread: torch and Triton keep both by thread."""
    torch.cuda.set_stream(torch.cuda.Stream(device))
