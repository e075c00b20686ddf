"""Values that change while training, as functions of its progress alone."""

from __future__ import annotations

from typing import Any

Schedule = Any
"""A number, or [start, value, value, end]: a line from the first value, which holds until the
fraction ``start`` of the budget, to the second, which holds from ``end`` on."""


def scheduled(value: Schedule, progress: float) -> float:
    """A schedule at a fraction of the budget."""
    if not isinstance(value, list):
        return value
    start, first, last, end = value
    return first + (last - first) * min(1.0, max(0.0, (progress - start) / (end - start)))
