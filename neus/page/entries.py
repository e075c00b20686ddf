"""What the page says of each scan and run, before any heavy part of it is loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from neus.page.figures import PageRow
from neus.page.reasons import SCAN_STAGES, absences, failure
from neus.tables import GIVEN, RUN_HERE, Run, given_meshes

MADE_BY = {
    RUN_HERE: "of a program of others, run here",
    GIVEN: "of a mesh that existed already, measured here",
}
DIGITS = {"psnr": 2, "ssim": 3, "mask_iou": 3, "fscore": 3}


@dataclass
class RunEntry:
    """One method on one scan, by its first seed, or a mesh that existed already.

    Attributes:
        folder: of the run, or of the mesh.
        culling: the first way in which its mesh was measured.
        seeds: how many there are.
        failure: why it ended early, if it did.
        part: the name of its script, beside the page.
        head: what the part has for the page itself.
    """

    method: str
    folder: Path
    culling: str
    seeds: int
    failure: str | None = None
    part: str = ""
    head: dict[str, Any] = field(default_factory=dict)


@dataclass
class ScanEntry:
    """One scan with its runs; ``failure`` says why there is no scene, if there is none."""

    name: str
    folder: Path
    runs: list[RunEntry]
    failure: str | None = None
    part: str = ""
    head: dict[str, Any] = field(default_factory=dict)


def entries(results: Path, runs: Sequence[Run]) -> list[ScanEntry]:
    """Scans and methods in the order of the runs, seeds folded."""
    scans: dict[str, ScanEntry] = {}
    for run in runs:
        folder = results / run.scan
        scan = scans.setdefault(run.scan, ScanEntry(run.scan, folder, []))
        known = next((r for r in scan.runs if r.method == run.method), None)
        if known is None:
            place = _place(folder, run)
            scan.runs.append(RunEntry(run.method, place, culling_of(run), 1, _failure(scan, place)))
        elif known.folder.name != _place(folder, run).name and run.seed not in _seeds(known):
            known.seeds += 1
            known.head.setdefault("seeds", []).append(run.seed)
    for scan in scans.values():
        if not (scan.folder / "scene" / "transforms.json").is_file():
            scan.failure = failure(scan.folder, SCAN_STAGES) or "not run yet"
    return list(scans.values())


def _place(scan: Path, run: Run) -> Path:
    return run.placed.parent if run.placed is not None else scan / run.method / f"seed{run.seed}"


def culling_of(run: Run) -> str:
    """What was cut off the mesh that a run's file of figures is about."""
    return "none" if run.mesh is None else run.mesh.stem.removeprefix("mesh-")


def found_runs(results: Path) -> list[Run]:
    """All runs and given meshes that a folder of results holds, with the figures that there are.

    A scan of which nothing but logs is left has a run of a method without a name.
    """
    runs = []
    for scan in sorted(path for path in results.iterdir() if path.is_dir()):
        folders = sorted(scan.glob("*/seed*"))
        for folder in folders:
            number = folder.name.removeprefix("seed")
            if number.isdigit() and (folder / "logs").is_dir():
                runs += _measured(scan.name, folder, int(number))
        if not folders and (scan / "logs").is_dir():
            runs.append(Run(scan.name, "", 0))
    return [*runs, *given_meshes(results)]


def _measured(scan: str, folder: Path, seed: int) -> list[Run]:
    meshes = sorted(folder.glob("mesh-*.json")) or [None]
    views, train = (_there(folder / f"{name}.json") for name in ("views", "train"))
    return [Run(scan, folder.parent.name, seed, views, mesh, train) for mesh in meshes]


def with_files_that_are_there(run: Run) -> Run:
    """A run without the files of figures that it has not left."""
    views, mesh, train = map(_there, (run.views, run.mesh, run.train))
    return replace(run, views=views, mesh=mesh, train=train)


def three_digits(value: float) -> str:
    """Of a length, the last ones too where they are 0: lengths stand below each other."""
    return f"{value:#.3g}".rstrip(".")


def facts_of(row: PageRow | None, run: RunEntry, scan: ScanEntry) -> list[list[str]]:
    """Names and values beside the surface."""
    pairs = []
    if row is not None:
        unit = f" {row.unit}" if row.unit else ""
        for name, title in (
            ("chamfer", "Chamfer"),
            ("accuracy", "Accuracy"),
            ("completeness", "Completeness"),
        ):
            if name in row.values:
                pairs.append([title, f"{three_digits(row.values[name])}{unit}"])
        for name, title in (
            ("fscore", "F-score"),
            ("psnr", "PSNR, held out"),
            ("psnr_masked", "PSNR in the mask"),
            ("ssim", "SSIM"),
            ("mask_iou", "Mask IoU"),
        ):
            if name in row.values:
                text = f"{row.values[name]:.{DIGITS.get(name, 2)}f}"
                pairs.append([title, text + (" dB" if name.startswith("psnr") else "")])
        if "seconds" in row.values:
            pairs.append(["Training", f"{row.values['seconds'] / 60:.1f} min"])
        if "peak_memory_gib" in row.values:
            pairs.append(["Memory", f"{row.values['peak_memory_gib']:.2f} GiB"])
        pairs += [["Device", row.device]] if row.device else []
        if row.origin in MADE_BY:
            pairs.append(["Figures", MADE_BY[row.origin]])
    if scan.head:
        pairs.append(["Photos", f"{scan.head['images']}, {scan.head['held_out']} held out"])
    if run.seeds > 1:
        pairs.append(["Shown", f"{run.folder.name}, the first of {run.seeds}"])
    return pairs


def _failure(scan: ScanEntry, run: Path) -> str | None:
    return None if (run / "mesh.ply").is_file() else absences(scan.folder, run)


def _seeds(run: RunEntry) -> list[int]:
    return run.head.get("seeds", [])


def _there(path: Path | None) -> Path | None:
    return path if path is not None and path.is_file() else None
