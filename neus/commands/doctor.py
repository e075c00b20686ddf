"""Say what this machine has: device, versions, room on the disk, and what is missing."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

import neus

NAME = "doctor"
NEEDED = ("torch", "numba", "pycolmap", "snakemake", "opencv-python-headless", "av", "trimesh")
OPTIONAL = {
    "onnxruntime": ("masks by a network", "pip install 'neus[masks]'"),
    "pillow-heif": ("HEIC photos of phones", "pip install 'neus[heic]'"),
    "viser": ("live view of a training", "pip install 'neus[live]'"),
    "snakemake-executor-plugin-slurm": ("runs on a cluster", "pip install 'neus[slurm]'"),
}
"""A package, what it is for, and how to get it."""
ROOM = 5.0
"""GiB that a scan of fifty photos may fill, with room to spare."""
MEMORY = 6.0
"""GiB that a mesh of 512 cells a side takes with all around it."""


@dataclass(frozen=True)
class Finding:
    """One line: ``ok``, ``missing`` (the run would fail) or ``note`` (it would lack something)."""

    state: str
    text: str


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folder", type=Path, nargs="?", default=Path(), help="where results would go [here]"
    )


def call(options: argparse.Namespace) -> int:
    found = [*versions(), *device(), *room(options.folder)]
    marks = {"ok": "  ok      ", "missing": "  MISSING ", "note": "  note    "}
    for finding in found:
        print(marks[finding.state] + finding.text)
    failed = [finding for finding in found if finding.state == "missing"]
    many = "1 thing is" if len(failed) == 1 else f"{len(failed)} things are"
    print(f"\n{many} missing." if failed else "\nReady.")
    return int(bool(failed))


def versions() -> list[Finding]:
    """Of Python, ourselves, and all packages that we need or could use."""
    import platform

    said = f"neus {neus.__version__}, Python {platform.python_version()}, {platform.platform()}"
    found = [Finding("ok", said)]
    have = {name: _version(name) for name in (*NEEDED, *OPTIONAL)}
    present = ", ".join(f"{name} {have[name]}" for name in NEEDED if have[name])
    found += [Finding("ok", present)] if present else []
    for name in NEEDED:
        if have[name] is None:
            found.append(Finding("missing", f"{name}: pip install {name}"))
    for name, (what, how) in OPTIONAL.items():
        state = "ok" if have[name] else "note"
        text = f"{what}: {name} {have[name]}" if have[name] else f"no {what}: {how}"
        found.append(Finding(state, text))
    return found


def device() -> list[Finding]:
    """The processor, its memory, and whether torch can use the card that is there."""
    from neus.commands.devices import cards, has_card, memory_gib

    memory = memory_gib()
    cores = len(os.sched_getaffinity(0))
    said = f"{cores} cores" + (f", {memory:.0f} GiB of memory" if memory else "")
    low = memory is not None and memory < MEMORY
    more = f": less than {MEMORY:.0f} GiB; lower mesh.resolution" if low else ""
    found = [Finding("note" if low else "ok", said + more)]
    listed = cards()
    if not has_card() and not listed:
        return [*found, Finding("note", "no NVIDIA card: networks train on the processor")]
    import torch

    names = "; ".join(listed) or "a card"
    if torch.cuda.is_available():
        return [*found, Finding("ok", f"{names}: usable")]
    reason = "torch is built without CUDA" if torch.version.cuda is None else "torch sees none"
    return [*found, Finding("note", f"{names}: {reason}; conda env create -f environment.yml")]


def room(folder: Path) -> list[Finding]:
    """Whether results can be written to a folder, and how much fits."""
    import shutil

    there = folder.resolve()
    while not there.exists():
        there = there.parent
    if not os.access(there, os.W_OK):
        return [Finding("missing", f"{there} cannot be written to: name another folder")]
    free = shutil.disk_usage(there).free / 2**30
    if free < ROOM:
        return [Finding("missing", f"{free:.1f} GiB free in {there}: {ROOM:.0f} are needed")]
    return [Finding("ok", f"{free:.0f} GiB free in {there}")]


def _version(name: str) -> str | None:
    from importlib import metadata  # a third of the time that `neus --help` would take

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
