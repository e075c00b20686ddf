"""How much memory a program has, and how much a scheduler granted."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

MIB = 2**20
PAGE = os.sysconf("SC_PAGE_SIZE")


def memory_of(process: int) -> float:
    """Resident memory of a process and all its children, in MiB; what is gone counts nothing."""
    folder = Path("/proc") / str(process)
    try:
        own = int((folder / "statm").read_text().split()[1]) * PAGE / MIB
        children = [file.read_text().split() for file in folder.glob("task/*/children")]
    except (OSError, IndexError, ValueError):
        return 0.0
    return own + sum(memory_of(int(child)) for of_thread in children for child in of_thread)


def granted(environment: Mapping[str, str]) -> int | None:
    """MiB that Slurm lets a job have on its node; None outside a job, and where all is granted."""
    if "SLURM_JOB_ID" not in environment:
        return None
    try:
        if "SLURM_MEM_PER_NODE" in environment:
            return int(environment["SLURM_MEM_PER_NODE"]) or None
        cores = int(environment.get("SLURM_CPUS_ON_NODE", "1"))
        return int(environment["SLURM_MEM_PER_CPU"]) * cores or None
    except (KeyError, ValueError):
        return None
