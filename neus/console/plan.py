"""The jobs of a run as they are known before it begins, in a file beside Snakemake's records."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from neus.files import written_whole

PLAN = Path(".snakemake/neus-plan.json")
FORETOLD = Path(".snakemake/neus-foretold.tsv")
"""What was said of times left while the last run went on: seconds, job, share, seconds left."""


@dataclass(frozen=True)
class PlannedJob:
    """One job.

    Attributes:
        number: Snakemake's.
        rule: its name.
        of: what it is of, for people: scan, method and what else tells it from its like.
        threads: cores that it takes.
        cards: that it takes.
        after: numbers of the jobs that have to be done before.
        seconds: that it is expected to take.
    """

    number: int
    rule: str
    of: str
    threads: int
    cards: int
    after: tuple[int, ...]
    seconds: float


@dataclass(frozen=True)
class Plan:
    """All jobs of a run, and what it has for them.

    Attributes:
        cores: on which jobs run beside each other; None where a scheduler has the say.
        cards: on this machine; None where a scheduler has the say.
    """

    jobs: tuple[PlannedJob, ...]
    cores: int | None
    cards: int | None


def write_plan(
    path: Path, jobs: Sequence[PlannedJob], *, cores: int | None, cards: int | None
) -> None:
    """Write the plan of the run of this process."""
    content = {"process": os.getpid(), "cores": cores, "cards": cards}
    content["jobs"] = [asdict(job) for job in jobs]
    with written_whole(path) as partial:
        partial.write_text(json.dumps(content), encoding="utf-8")


def read_plan(path: Path) -> Plan | None:
    """The plan of the run of this process; None where there is none, as of an earlier run."""
    try:
        content = json.loads(path.read_bytes())
        if content["process"] != os.getpid():
            return None
        jobs = [PlannedJob(**{**job, "after": tuple(job["after"])}) for job in content["jobs"]]
        return Plan(tuple(jobs), content["cores"], content["cards"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
