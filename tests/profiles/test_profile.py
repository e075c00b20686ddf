"""The profile for Slurm knows every rule that takes a card or all cores."""

from __future__ import annotations

import re

import yaml

from tests.helpers.places import ROOT
from tests.helpers.slurm_runs import PROFILE


def rules_with(text: str) -> set[str]:
    """Rules whose declaration holds a text, and those that are made from them."""
    sources = "\n".join(file.read_text() for file in (ROOT / "workflow" / "rules").glob("*.smk"))
    parts = re.split(r"^(?=rule |use rule )", sources, flags=re.MULTILINE)
    found = {part.split(":")[0].removeprefix("rule ") for part in parts if text in part}
    made = re.findall(r"^use rule (\w+) as (\w+) with:", sources, re.MULTILINE)
    return found | {new for old, new in made if old in found}


def test_jobs_with_a_card_go_to_its_partition_and_others_do_not() -> None:
    profile = yaml.safe_load(PROFILE.read_text())
    asked = profile["set-resources"]
    assert {name for name in asked if asked[name] == {"slurm_partition": "gpu"}} == rules_with(
        "gpu=GPU,"
    )
    assert profile["default-resources"] == {"slurm_partition": "cpu"}


def test_rules_that_take_all_cores_here_have_a_number_there() -> None:
    threads = yaml.safe_load(PROFILE.read_text())["set-threads"]
    assert set(threads) == rules_with("threads: ALL_CORES") | rules_with("threads: NETWORK_CORES")
