"""Means over seeds and over scans, and the standard errors of their differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

NEAR_FLOOR = 1.2
"""A scan whose baseline is below this times its floor is named and does not count."""


@dataclass(frozen=True)
class Estimate:
    """A mean and its standard error, ``nan`` where a single value tells nothing of it."""

    mean: float
    error: float
    count: int

    def __str__(self) -> str:
        if math.isnan(self.mean):
            return "-"
        spread = "" if math.isnan(self.error) else f" ± {self.error:.3f}"
        return f"{self.mean:.3f}{spread}"


def estimate(values: Iterable[float]) -> Estimate:
    """Mean over repeats; its error is the sample's standard deviation over the root of their
    number."""
    found = np.array(list(values), float)
    if len(found) == 0:
        return Estimate(math.nan, math.nan, 0)
    error = found.std(ddof=1) / math.sqrt(len(found)) if len(found) > 1 else math.nan
    return Estimate(float(found.mean()), float(error), len(found))


def difference(of: Sequence[float], less: Sequence[float]) -> Estimate:
    """Mean of ``of`` less that of ``less``; the repeats are independent of each other."""
    a, b = estimate(of), estimate(less)
    return Estimate(a.mean - b.mean, math.hypot(a.error, b.error), min(a.count, b.count))


def mean_over(scans: Sequence[Estimate]) -> Estimate:
    """Mean over scans of their estimates, each counted alike.

    The error is that of repeats alone: the scans are the same ones each time.
    """
    if not scans:
        return Estimate(math.nan, math.nan, 0)
    errors = [scan.error for scan in scans]
    error = math.sqrt(sum(e * e for e in errors)) / len(scans)
    return Estimate(float(np.mean([scan.mean for scan in scans])), error, len(scans))


def seconds_until(curve: Sequence[Sequence[float]], goal: float) -> float | None:
    """When a curve of (seconds, overall) first comes down to ``goal``, by straight lines between
    its points; None if it does not."""
    before = None
    for seconds, overall in curve:
        if overall <= goal:
            if before is None or before[1] <= overall:
                return float(seconds)
            part = (before[1] - goal) / (before[1] - overall)
            return float(before[0] + part * (seconds - before[0]))
        before = (seconds, overall)
    return None


def counts(baseline: Mapping[str, float], floors: Mapping[str, float]) -> dict[str, bool]:
    """Whether each scan counts towards the mean: its baseline is not at its floor already."""
    return {name: baseline[name] > NEAR_FLOOR * floors[name] for name in baseline}
