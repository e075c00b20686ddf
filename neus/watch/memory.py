"""How much memory a program has, and how much it may have."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

MIB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")
NO_LIMIT = 2**50
"""Bytes that stand for none, as version 1 of control groups writes it."""


def memory_of(process: int) -> float:
    """Resident memory of a process and all its children, in MiB; what is gone counts nothing."""
    folder = Path("/proc") / str(process)
    try:
        own = int((folder / "statm").read_text().split()[1]) * PAGE / MIB
        children = [file.read_text().split() for file in folder.glob("task/*/children")]
    except (OSError, IndexError, ValueError):
        return 0.0
    return own + sum(memory_of(int(child)) for of_thread in children for child in of_thread)


def granted(environment: Mapping[str, str], root: Path = Path("/")) -> int | None:
    """MiB that this process may have, by Slurm's word or that of its control group; or None.

    A scheduler that enforces memory, and a container, limit the control group; the closest limit
    above the process counts.

    Args:
        root: of ``proc`` and ``sys``.
    """
    return _granted_by_slurm(environment) or _limit_of_group(root)


def _granted_by_slurm(environment: Mapping[str, str]) -> int | None:
    if "SLURM_JOB_ID" not in environment:
        return None
    try:
        if "SLURM_MEM_PER_NODE" in environment:
            return int(environment["SLURM_MEM_PER_NODE"]) or None
        cores = int(environment.get("SLURM_CPUS_ON_NODE", "1"))
        return int(environment["SLURM_MEM_PER_CPU"]) * cores or None
    except (KeyError, ValueError):
        return None


def _limit_of_group(root: Path) -> int | None:
    try:
        groups = (root / "proc/self/cgroup").read_text()
    except OSError:
        return None
    limits = []
    for controllers, path in re.findall(r"^\d+:(.*?):/(.*)$", groups, re.MULTILINE):
        if controllers == "":  # version 2
            top, name = root / "sys/fs/cgroup", "memory.max"
        elif "memory" in controllers.split(","):
            top, name = root / "sys/fs/cgroup/memory", "memory.limit_in_bytes"
        else:
            continue
        folder = top / path
        for above in (folder, *folder.parents):
            limits.append(_bytes_in(above / name))
            if above == top:
                break
    smallest = min((limit for limit in limits if limit is not None), default=None)
    return None if smallest is None else smallest // MIB


def _bytes_in(file: Path) -> int | None:
    try:
        value = int(file.read_text())  # version 2 writes "max" for none
    except (OSError, ValueError):
        return None
    return value if 0 < value < NO_LIMIT else None
