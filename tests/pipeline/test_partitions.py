"""What jobs ask of Slurm's partitions is refused before it is sent, where no node has it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from neus.errors import InputError
from neus.pipeline import Asked, check_partitions, read_partitions
from neus.pipeline.partitions import Nodes, minutes_of

TOLD = """\
cpu|2:00:00|64000|16|(null)
gpu|1-00:00:00|128000|32|gpu:a100:4(S:0-1)
gpu|1-00:00:00|512000+|96+|gpu:h100:8,lustre:1
any|infinite|32000|8|gpu:2
slurm: a warning of some kind
"""
TRAIN = Asked("train", "gpu", 480, 16000, 8, 1)


def test_what_sinfo_tells_is_read() -> None:
    assert read_partitions(TOLD) == {
        "cpu": [Nodes(120, 64000, 16, 0)],
        "gpu": [Nodes(1440, 128000, 32, 4), Nodes(1440, 512000, 96, 8)],
        "any": [Nodes(None, 32000, 8, 2)],
    }
    assert read_partitions("") == {}


@pytest.mark.parametrize(
    ("limit", "minutes"),
    [("30:00", 30), ("1:30:00", 90), ("2-01:00:30", 2940.5), ("infinite", None), ("n/a", None)],
)
def test_limits_are_read_as_slurm_writes_them(limit: str, minutes: float | None) -> None:
    assert minutes_of(limit) == minutes


def test_what_some_node_has_is_let_through() -> None:
    largest = replace(TRAIN, minutes=1440, memory_mb=512000, cores=96, cards=8)
    endless = replace(TRAIN, partition="any", minutes=10**6, memory_mb=None, cores=8)
    on_cpu = Asked("page", "cpu", None, 12000, 4, 0)
    check_partitions({TRAIN, largest, endless, on_cpu}, read_partitions(TOLD))


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"partition": "fat"}, "found slurm_partition fat, expected one of any, cpu, gpu"),
        (
            {"minutes": 1441},
            "found runtime 1441 minutes, expected at most the 1440 of partition gpu",
        ),
        ({"partition": "cpu", "minutes": 60}, "found gpu 1, expected at most the 0 that a node of"),
        ({"memory_mb": 512001}, "found mem_mb 512001, expected at most the 512000 MB"),
        ({"cores": 97}, "found 97 threads, expected at most the 96"),
        ({"cards": 9}, "found gpu 9, expected at most the 8"),
    ],
)
def test_what_no_node_has_is_named(changed: dict, sentence: str) -> None:
    with pytest.raises(InputError, match="profile, rule train: ") as caught:
        check_partitions({TRAIN, replace(TRAIN, **changed)}, read_partitions(TOLD))
    assert sentence in str(caught.value)


def test_memory_and_cards_must_be_on_one_node() -> None:
    """The nodes with four cards have less memory than those without any."""
    partitions = {"gpu": [Nodes(None, 128000, 32, 4), Nodes(None, 900000, 32, 0)]}
    with pytest.raises(InputError, match="found mem_mb 200000, expected at most the 128000 MB"):
        check_partitions({replace(TRAIN, memory_mb=200000)}, partitions)


def test_every_fault_has_its_line() -> None:
    asked = {replace(TRAIN, partition="a"), replace(TRAIN, rule="page", partition="b")}
    with pytest.raises(InputError, match="2 things are missing or wrong") as caught:
        check_partitions(asked, read_partitions(TOLD))
    assert "rule page: found slurm_partition b" in str(caught.value)
    assert "rule train: found slurm_partition a" in str(caught.value)
