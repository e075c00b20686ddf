"""What a machine has, found out without importing torch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path


def has_card() -> bool:
    """Whether there is an NVIDIA card that a driver shows."""
    return Path("/dev/nvidia0").exists()


def cards() -> list[str]:
    """Names and memories of the cards, as the driver's own program says them."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    words = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        found = subprocess.run(words, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return []
    return [line.strip() for line in found.stdout.splitlines() if line.strip()]


def memory_gib() -> float | None:
    """Main memory; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return None
    found = next((line for line in lines if line.startswith("MemTotal:")), None)
    return None if found is None else int(found.split()[1]) / 2**20
