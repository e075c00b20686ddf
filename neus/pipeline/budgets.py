"""Which budget a run takes: the one that is asked for, its own from before, or the device's."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from neus.config import Budget, load_budget, recorded_budget

OF_METHOD, OF_DEVICE = "method", "auto"
"""Budgets without a file: what a method's own file says, and what the device suggests."""
LAPTOP, CARD = "laptop", "card"


def budget_name(asked: str, runs: Iterable[Path], *, has_card: bool) -> str | None:
    """The name of a budget's file; None for what the method itself says.

    Args:
        asked: the key ``budget`` of the configuration.
        runs: folders of a run that keep a record of what it was begun with. What was begun is
            finished with the same budget, on whatever device, unless another one is asked for.
        has_card: whether networks train on one.
    """
    if asked == OF_METHOD:
        return None
    if asked != OF_DEVICE:
        return asked
    recorded = (recorded_budget(run) for run in runs)
    return next((name for name in recorded if name), CARD if has_card else LAPTOP)


def budget_of(name: str | None, method: str, folder: Path) -> Budget | None:
    """The budget by its name in a folder of budgets.

    Raises:
        InputError: there is none of that name, or it is not for the method.
    """
    return None if name is None else load_budget(folder / f"{name}.yaml", method)
