"""Values that change while training, as functions of its progress alone."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

Schedule = Any
"""A number; or [start, value, value, end]: a line from the first value, which holds until the
fraction ``start`` of the budget, to the second, which holds from ``end`` on; or two or more corners
[[fraction, value], ...], joined by lines, the first and the last of which hold beyond."""


def scheduled(value: Schedule, progress: float) -> float:
    """A schedule at a fraction of the budget."""
    if not isinstance(value, list):
        return value
    corners = _corners(value)
    for (start, first), (end, last) in pairwise(corners):
        if progress < end or end == corners[-1][0]:
            return first + (last - first) * min(1.0, max(0.0, (progress - start) / (end - start)))
    raise AssertionError("a schedule has two corners or more")


def values_of(value: Schedule) -> list[float]:
    """The values that a schedule goes through."""
    return [each for _, each in _corners(value)] if isinstance(value, list) else [value]


def _corners(value: list[Any]) -> list[tuple[float, float]]:
    if isinstance(value[0], list):
        return [(fraction, each) for fraction, each in value]
    start, first, last, end = value
    return [(start, first), (end, last)]
