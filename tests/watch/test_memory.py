"""The memory that a program may have, by Slurm and by control groups of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from neus.watch.memory import granted, memory_of

MIB = 2**20


def in_groups(root: Path, told: str) -> Path:
    """A root whose ``proc`` tells these control groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(told)
    return root


@pytest.mark.parametrize(
    ("environment", "memory"),
    [
        ({"SLURM_JOB_ID": "7", "SLURM_MEM_PER_NODE": "500"}, 500),
        ({"SLURM_JOB_ID": "7", "SLURM_MEM_PER_CPU": "500", "SLURM_CPUS_ON_NODE": "3"}, 1500),
        ({"SLURM_JOB_ID": "7", "SLURM_MEM_PER_CPU": "500"}, 500),
        ({"SLURM_JOB_ID": "7", "SLURM_MEM_PER_NODE": "0"}, None),
        ({"SLURM_JOB_ID": "7"}, None),
        ({"SLURM_MEM_PER_NODE": "500"}, None),
    ],
)
def test_slurm_grants_by_the_node_or_by_the_core(
    tmp_path: Path, environment: dict[str, str], memory: int | None
) -> None:
    assert granted(environment, tmp_path) == memory


def test_the_closest_limit_of_control_groups_counts(tmp_path: Path) -> None:
    step = "sys/fs/cgroup/slurm/job_7/step_0"
    root = in_groups(tmp_path, "0::/slurm/job_7/step_0\n")
    assert granted({}, root) is None
    for folder, text in ((step, "max"), (f"{step}/..", f"{500 * MIB}"), (f"{step}/../..", "max")):
        (root / folder).mkdir(parents=True, exist_ok=True)
        (root / folder / "memory.max").write_text(text + "\n")
    assert granted({"SLURM_JOB_ID": "7"}, root) == 500


def test_so_it_does_in_version_one(tmp_path: Path) -> None:
    told = "9:cpu,cpuacct:/x\n7:memory:/slurm/uid_0/job_7\n0::/\n"
    root = in_groups(tmp_path, told)
    for folder, limit in (("slurm/uid_0/job_7", 300 * MIB), ("slurm", 2**63 - 4096)):
        path = root / "sys/fs/cgroup/memory" / folder
        path.mkdir(parents=True, exist_ok=True)
        (path / "memory.limit_in_bytes").write_text(f"{limit}\n")
    assert granted({}, root) == 300


def test_a_process_that_is_gone_has_no_memory() -> None:
    assert memory_of(2**30) == 0
