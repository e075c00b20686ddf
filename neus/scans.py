"""The scans of a workflow's configuration: where their images, masks and references are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neus.sources.photos import IMAGE_FOLDERS, MASK_FOLDERS

DTU_REFERENCE = (
    "Points/stl/stl{scan:03}_total.ply",
    "ObsMask/ObsMask{scan}_10.mat",
    "ObsMask/Plane{scan}.mat",
)


@dataclass(frozen=True)
class Reference:
    """The true surface of a scan.

    Attributes:
        path: a mesh or point cloud in the source frame, or None for a scan of DTU.
        root, scan: folder with DTU's Points and ObsMask, and the number of the scan.
        cameras: folder with the true cameras, where those of the scan are estimated.
    """

    path: Path | None = None
    root: Path | None = None
    scan: int | None = None
    cameras: Path | None = None

    @property
    def files(self) -> list[Path]:
        """The files that a mesh is measured against."""
        if self.root is None:
            return [] if self.path is None else [self.path]
        return [self.root / name.format(scan=self.scan) for name in DTU_REFERENCE]


@dataclass(frozen=True)
class Scan:
    """One object to reconstruct; keys as in workflow/schemas/config.schema.yaml.

    Attributes:
        path: folder of the images; for source demo the folder that they will be made in.
        masks: whether every image has a mask.
        overrides: those of the scan, below those of all scans.
    """

    name: str
    source: str
    path: Path
    downscale: int
    masks: bool
    holdout: int
    reference: Reference
    demo: dict[str, Any]
    overrides: dict[str, Any]


def scans_from_config(config: dict[str, Any]) -> list[Scan]:
    """The scans of a configuration that fits the schema and has its defaults filled in."""
    results = config["results"]
    demos = [_demo_folder(scan, results) for scan in config["scans"] if scan["source"] == "demo"]
    return [_scan(scan, results, demos, config["overrides"]) for scan in config["scans"]]


def _scan(scan: dict[str, Any], results: str, demos: list[Path], overrides: dict[str, Any]) -> Scan:
    is_demo = scan["source"] == "demo"
    path = _demo_folder(scan, results) if is_demo else _located(scan["path"], results)
    given = scan.get("reference", {})
    places = {k: _located(given[k], results) for k in ("path", "root", "cameras") if k in given}
    found = lies_in(path, demos) or has_mask_folder(path)
    return Scan(
        name=scan["name"],
        source=scan["source"],
        path=path,
        downscale=scan["downscale"],
        masks=found if scan["masks"] == "auto" else scan["masks"],
        holdout=scan["holdout"],
        reference=Reference(**places, scan=given.get("scan")),
        demo=scan.get("demo", {}),
        overrides=merged(scan["overrides"], overrides),
    )


def _demo_folder(scan: dict[str, Any], results: str) -> Path:
    return Path(results, "demo", scan["name"])


def _located(path: str, results: str) -> Path:
    return Path(path.replace("{results}", results))


def lies_in(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path is, or lies below, one of the folders."""
    return any(path.is_relative_to(folder) for folder in folders)


def has_mask_folder(path: Path) -> bool:
    return any((path / name).is_dir() for name in MASK_FOLDERS)


def merged(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings, merged key by key; the overlay wins."""
    both = {
        key: merged(base[key], value)
        for key, value in overlay.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return base | overlay | both


def fingerprint(path: Path) -> str:
    """A hash of the names and sizes of a scan's files: another after a photo is added or replaced.

    Times are left out, so that a folder that was copied or touched is still the same.
    """
    folders = [path, *(path / name for name in (*IMAGE_FOLDERS, *MASK_FOLDERS))]
    files = sorted(f for folder in folders if folder.is_dir() for f in folder.iterdir())
    lines = [f"{f.relative_to(path)} {f.stat().st_size}" for f in files if f.is_file()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
