"""What jobs ask of Slurm, against what its partitions have, before any job is sent.

By its default Slurm takes a job that no node of a partition can ever run, and lets it wait.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

from neus.errors import Faults, refusal

QUESTION = ("sinfo", "--noheader", "--exact", "--format=%R|%l|%m|%c|%G")
"""The command whose answer :func:`read_partitions` reads."""


@dataclass(frozen=True)
class Asked:
    """What the jobs of a rule ask for; None where it is left to Slurm.

    Attributes:
        minutes: time limit.
        memory_mb: memory on the node.
        cards: GPUs.
    """

    rule: str
    partition: str
    minutes: int | None
    memory_mb: int | None
    cores: int
    cards: int


@dataclass(frozen=True)
class Nodes:
    """Nodes of one kind in a partition, with the partition's time limit; None where it has none."""

    minutes: float | None
    memory_mb: int
    cores: int
    cards: int


def read_partitions(told: str) -> dict[str, list[Nodes]]:
    """The nodes of each partition, from the answer to :data:`QUESTION`.

    Lines that are not of that form are passed over.
    """
    partitions: dict[str, list[Nodes]] = {}
    for line in told.splitlines():
        parts = [part.strip() for part in line.split("|", 4)]
        if len(parts) == 5 and all(re.match(r"\d", part) for part in parts[2:4]):
            memory, cores = (int(part.rstrip("+")) for part in parts[2:4])
            nodes = Nodes(minutes_of(parts[1]), memory, cores, _cards(parts[4]))
            partitions.setdefault(parts[0], []).append(nodes)
    return partitions


def minutes_of(limit: str) -> float | None:
    """A time limit as Slurm writes it, ``days-hours:minutes:seconds``; None for no limit."""
    found = re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)", limit)
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return (days * 24 + hours) * 60 + minutes + seconds / 60


def _cards(resources: str) -> int:
    """``gpu:2``, ``gpu:a100:4(S:0-1)``, a list of these, or nothing of the kind."""
    counts = re.findall(r"\bgpu(?::[A-Za-z][\w.-]*)?:(\d+)", resources)
    return sum(map(int, counts))


def check_partitions(asked: Collection[Asked], partitions: dict[str, list[Nodes]]) -> None:
    """Refuse jobs that no node of their partition can run.

    Raises:
        InputError: a partition does not exist, or none of its nodes has the time, the memory, the
            cores or the cards that the jobs of a rule ask for. Each is named on a line of its own.
    """
    faults = Faults()
    for one in sorted(asked, key=lambda one: (one.rule, one.partition)):
        with faults.noted():
            _check(one, partitions)
    faults.raise_any()


def _check(one: Asked, partitions: dict[str, list[Nodes]]) -> None:
    where, partition = f"profile, rule {one.rule}", f"partition {one.partition}"
    lower = f"lower it under set-resources, {one.rule}, or name another slurm_partition"
    if one.partition not in partitions:
        found, names = f"slurm_partition {one.partition}", ", ".join(sorted(partitions))
        remedy = "correct it under default-resources or set-resources"
        raise refusal(where, found, f"one of {names}", remedy)
    kinds = partitions[one.partition]
    longest = max(math.inf if nodes.minutes is None else nodes.minutes for nodes in kinds)
    if one.minutes is not None and one.minutes > longest:
        remedy = f"Slurm would let the job wait for ever; {lower}"
        expected = f"at most the {longest:.0f} of {partition}"
        raise refusal(where, f"runtime {one.minutes} minutes", expected, remedy)
    most = max(nodes.cards for nodes in kinds)
    if one.cards > most:
        expected = f"at most the {most} that a node of {partition} has"
        remedy = "name a partition with cards, or set device: cpu"
        raise refusal(where, f"gpu {one.cards}", expected, remedy)
    able = [nodes for nodes in kinds if nodes.cards >= one.cards]
    most = max(nodes.memory_mb for nodes in able)
    if one.memory_mb is not None and one.memory_mb > most:
        expected = f"at most the {most} MB that a node of {partition} has"
        raise refusal(where, f"mem_mb {one.memory_mb}", expected, lower)
    most = max(nodes.cores for nodes in able)
    if one.cores > most:
        expected = f"at most the {most} that a node of {partition} has"
        remedy = f"lower them under set-threads, {one.rule}"
        raise refusal(where, f"{one.cores} threads", expected, remedy)
