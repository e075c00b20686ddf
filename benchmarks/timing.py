"""Times of things that run side by side."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch


def nothing() -> None:
    """The preparation of what needs none."""


@dataclass(frozen=True)
class Case:
    """What is timed: ``run``, given what ``prepare`` made for this call, untimed."""

    run: Callable[[Any], object]
    prepare: Callable[[], Any] = nothing


@dataclass(frozen=True)
class Timing:
    """Milliseconds of the middle and of the fastest round."""

    median_ms: float
    best_ms: float


def interleaved(cases: Mapping[str, Case], rounds: int, device: torch.device) -> dict[str, Timing]:
    """Time all cases once a round, so that what else the machine does strikes all of them alike.

    Each measurement follows an untimed call of its own case, which brings the case's data back
    into the caches: a training step, too, follows another. A first round, which compiles, is not
    counted.
    """
    seconds: dict[str, list[float]] = {name: [] for name in cases}
    for turn in range(rounds + 1):
        for name, case in cases.items():
            case.run(case.prepare())
            elapsed = _seconds(case, device)
            if turn > 0:
                seconds[name].append(elapsed)
    return {
        name: Timing(1e3 * statistics.median(times), 1e3 * min(times))
        for name, times in seconds.items()
    }


def _seconds(case: Case, device: torch.device) -> float:
    prepared = case.prepare()
    if device.type != "cuda":
        start = time.perf_counter()
        case.run(prepared)
        return time.perf_counter() - start
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize(device)
    first.record()
    case.run(prepared)
    last.record()
    torch.cuda.synchronize(device)
    return first.elapsed_time(last) / 1e3
