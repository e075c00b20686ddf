"""Which budget a run takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.config.budgets import RECORD
from neus.pipeline.budgets import budget_name


@pytest.mark.parametrize(("has_card", "suggested"), [(True, "card"), (False, "laptop")])
def test_auto_is_the_devices_until_a_run_was_begun(
    tmp_path: Path, has_card: bool, suggested: str
) -> None:
    runs = [tmp_path / "a" / "run", tmp_path / "a" / "held-out" / "run"]
    assert budget_name("auto", runs, has_card=has_card) == suggested
    runs[1].mkdir(parents=True)
    (runs[1] / RECORD).write_text("mine\n")
    assert budget_name("auto", runs, has_card=has_card) == "mine", "of either training"
    assert budget_name("card", runs, has_card=has_card) == "card", "what is asked for counts more"
    assert budget_name("method", runs, has_card=has_card) is None
