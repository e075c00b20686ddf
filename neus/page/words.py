"""The sentences of the page: what was found, how long it took, by which versions."""

from __future__ import annotations

import platform
import subprocess
from datetime import datetime
from html import escape
from importlib.metadata import version
from pathlib import Path
from statistics import fmean

import neus
from neus.page.entries import ScanEntry
from neus.page.figures import PageRow
from neus.tables import GIVEN, Published


def heading(scans: list[ScanEntry], rows: list[PageRow]) -> str:
    """What was found, in a line: of how many scans, and how far they are from the truth."""
    who = scans[0].name if len(scans) == 1 else f"{len(scans)} scans"
    best = _best_method(rows)
    found = _means([row for row in rows if row.is_ours and row.method == best])
    if "chamfer" in found:
        unit = next(row.unit for row in rows if row.is_ours and "chamfer" in row.values)
        return f"{who}, {found['chamfer']:.2g} {unit} from the reference"
    return f"{who}, {found['psnr']:.1f} dB on unseen photos" if "psnr" in found else who


def lead(scans: list[ScanEntry], rows: list[PageRow]) -> str:
    """The best method, its views and its time, and how many scans failed."""
    given = {row.method for row in rows if row.origin == GIVEN}
    methods = {run.method for scan in scans for run in scan.runs if run.method} - given
    best = _best_method(rows)
    own = [row for row in rows if row.is_ours and row.method == best]
    found, said = _means(own), []
    if len(methods) > 1 and best:
        said.append(f"The best of {len(methods)} methods is {best}.")
    if "psnr" in found and "chamfer" in found:
        said.append(f"Photos that training never saw are predicted with {found['psnr']:.1f} dB.")
    if "seconds" in found:
        devices = dict.fromkeys(row.device for row in own if row.device)
        where = f" on {next(iter(devices))}" if len(devices) == 1 else ""
        each = " each" if len(own) > 1 else ""
        said.append(f"Training took {found['seconds'] / 60:.1f} minutes{each}{where}.")
    failed = sum(bool(scan.failure or any(run.failure for run in scan.runs)) for scan in scans)
    if failed:
        said.append(f"{failed} of {len(scans)} did not come through.")
    return " ".join(said)


def _best_method(rows: list[PageRow]) -> str:
    """Of those that ran, by the mean Chamfer distance where all scans have one, else by PSNR."""
    ours = [row for row in rows if row.is_ours]
    ours = [row for row in ours if row.origin != GIVEN] or ours
    means = {m: _means([r for r in ours if r.method == m]) for m in {r.method for r in ours}}
    for name, sign in (("chamfer", 1), ("psnr", -1)):
        if means and all(name in found for found in means.values()):
            return min(means, key=lambda method: (sign * means[method][name], method))
    return ours[0].method if ours else ""


def _means(rows: list[PageRow]) -> dict[str, float]:
    """Of the figures that every row has; of lengths, where they have one unit."""
    if not rows:
        return {}
    names = set.intersection(*(set(row.values) for row in rows))
    if len({row.unit for row in rows}) > 1:
        names -= {"chamfer", "accuracy", "completeness"}
    return {name: fmean(row.values[name] for row in rows) for name in names}


def notes(rows: list[PageRow], published: Published | None) -> list[str]:
    """What stands below the table."""
    said = []
    if any(not row.is_ours for row in rows):
        said.append("Grey: published figures, by DTU's protocol, in mm. † from memory, unchecked.")
        sources = dict.fromkeys(row.source for row in (published or Published((), ())).rows)
        said.append(f"Sources: {'; '.join(filter(None, sources))}.")
    return said


def footer() -> str:
    """When the page was made, and by which versions."""
    made = datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    versions = f"neus {neus.__version__}{_commit()}, Python {platform.python_version()}"
    versions += f", torch {version('torch')}"
    said = [
        f"Made {made} with {versions}.",
        "Surfaces are simplified for this page; figures are those of the full meshes, mesh.ply.",
    ]
    return "\n".join(f"<p>{escape(sentence)}</p>" for sentence in said)


def _commit() -> str:
    """The commit of the project's own folder, where it is one of git."""
    root = Path(neus.__file__).parents[1]
    if not (root / ".git").exists():
        return ""
    try:
        words = ["git", "-C", str(root), "describe", "--always", "--dirty=, changed"]
        found = subprocess.run(words, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return f" ({found.stdout.strip()})"
