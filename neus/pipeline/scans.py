"""The scans of a workflow's configuration: where their images, masks and references are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neus.errors import InputError
from neus.metrics.dtu_files import DtuFiles
from neus.metrics.tanks_files import TanksFiles
from neus.placement import GPS
from neus.sources import MaskChoice, plain_path

MASK_CHOICES: dict[str | bool, MaskChoice] = {
    "auto": "auto",
    True: "all",
    False: "none",
    "own": "own",
}
"""By the value of the key masks."""


@dataclass(frozen=True)
class Reference:
    """The true surface of a scan.

    Attributes:
        path: a mesh or point cloud in the source frame, or None for a scan of DTU.
        root, scan: folder with DTU's Points and ObsMask, and the number of the scan.
        scene, trajectory: of Tanks and Temples, below ``root``, and a file of cameras that align
            the mesh, where those of the scan do not.
        cameras: folder with the true cameras, where those of the scan are estimated.
        culling: what is cut off the mesh before, by name; it is measured once for each.
        threshold: distance that counts for the F-score, in the unit of the reference, or None.
        absence: why there is nothing to measure against, if there is not.
    """

    path: Path | None = None
    root: Path | None = None
    scan: int | None = None
    scene: str | None = None
    trajectory: Path | None = None
    cameras: Path | None = None
    culling: tuple[str, ...] = ("none",)
    threshold: float | None = None
    absence: str | None = None

    @property
    def files(self) -> list[Path]:
        """The files that a mesh is measured against."""
        if self.absence is not None:
            return []
        if self.root is not None and self.scene is not None:
            trajectory = [] if self.trajectory is None else [self.trajectory]
            return [*TanksFiles.below(self.root, self.scene), *trajectory]
        if self.root is not None and self.scan is not None:
            return list(DtuFiles.below(self.root, self.scan))
        return [] if self.path is None else [self.path]


@dataclass(frozen=True)
class Scan:
    """One object to reconstruct; keys as in workflow/schemas/config.schema.yaml.

    Attributes:
        path: folder of the images, or the file of their cameras; for source demo the folder that
            they will be made in.
        downscale: by which images are made smaller; a whole number is an ``int``.
        masks: which masks to use.
        mask_model: file of the network that makes those that are missing, or None.
        intrinsics: file with the known ones of the photos, or None.
        sphere, up, scale: how the scan is normalised, as :mod:`neus.placement.keys` reads it.
        image_size: width and height that all images get in the place of ``downscale``, or None.
        unit: name of the source's unit of length, where the configuration gives it.
        overrides: those of the scan, below those of all scans.
        is_wanted: whether this scan is to be run, and not only known to the others.
    """

    name: str
    source: str
    path: Path
    downscale: float
    masks: MaskChoice
    holdout: int
    reference: Reference
    demo: dict[str, Any]
    overrides: dict[str, Any]
    intrinsics: Path | None = None
    mask_model: Path | None = None
    sphere: Any = "auto"
    up: Any = "auto"
    scale: dict[str, Any] | None = None
    unit: str | None = None
    image_size: tuple[int, int] | None = None
    is_wanted: bool = True


def scans_from_config(config: dict[str, Any]) -> list[Scan]:
    """The scans of a configuration that fits the schema and has its defaults filled in.

    Raises:
        InputError: the key ``only`` names a scan that is not there.
    """
    results = config["results"]
    only = _only(config)
    demos = [_demo_folder(scan, results) for scan in config["scans"] if scan["source"] == "demo"]
    return [
        replace(
            _scan(scan, results, demos, config["overrides"]),
            is_wanted=not only or scan["name"] in only,
        )
        for scan in config["scans"]
    ]


def _only(config: dict[str, Any]) -> list[str]:
    """The names of the scans to run; none stands for all."""
    only = config.get("only", [])
    only = [only] if isinstance(only, str) else only
    names = [scan["name"] for scan in config["scans"]]
    for name in only:
        if name not in names:
            raise InputError(f"config: key only: there is no scan {name}, but {', '.join(names)}")
    return only


def _scan(scan: dict[str, Any], results: str, demos: list[Path], overrides: dict[str, Any]) -> Scan:
    is_demo = scan["source"] == "demo"
    path = _demo_folder(scan, results) if is_demo else located(scan["path"], results)
    path = _released_folder(path) if scan["source"] == "dtu" else path
    return Scan(
        name=scan["name"],
        source=scan["source"],
        path=path,
        downscale=_downscale(scan),
        masks=MASK_CHOICES[scan["masks"]],
        holdout=scan["holdout"],
        reference=_reference(scan.get("reference"), results, demos),
        demo=scan.get("demo", {}),
        overrides=merged(scan["overrides"], overrides),
        intrinsics=located(scan["intrinsics"], results) if "intrinsics" in scan else None,
        mask_model=located(scan["mask_model"], results) if "mask_model" in scan else None,
        sphere=scan.get("sphere", "auto"),
        up=scan.get("up", "auto"),
        scale=_scale(scan.get("scale"), results),
        unit=scan.get("unit"),
        image_size=tuple(scan["image_size"]) if "image_size" in scan else None,
    )


def _downscale(scan: dict[str, Any]) -> float:
    factor = scan["downscale"]
    if "image_size" in scan and factor != 1:
        raise InputError(
            f"config: scan {scan['name']} has both keys image_size and downscale: give one of them"
        )
    return int(factor) if factor == int(factor) else factor


def _released_folder(path: Path) -> Path:
    """``dtu_scan24``, as NeuS calls its folders, where ``scan24``, IDR's name, is not there."""
    of_neus = path.with_name(f"dtu_{path.name}")
    return of_neus if of_neus.is_dir() and not path.is_dir() else path


def _reference(given: dict[str, Any] | None, results: str, demos: list[Path]) -> Reference:
    if given is None:
        return Reference(absence="the scan has no reference")
    keys = {key: value for key, value in given.items() if key in ("scan", "scene", "threshold")}
    paths = ("path", "root", "cameras", "trajectory")
    keys |= {key: located(given[key], results) for key in paths if key in given}
    keys |= {"culling": tuple(given["culling"])} if "culling" in given else {}
    root = keys.get("root")
    if root is not None and not root.is_dir() and not lies_in(root, demos):
        keys["absence"] = f"the folder of the reference, {root}, does not exist"
        keys.pop("culling", None)
    return Reference(**keys)


def _demo_folder(scan: dict[str, Any], results: str) -> Path:
    return Path(results, "demo", scan["name"])


def located(path: str, results: str, scan: str | None = None) -> Path:
    """A path as it is written in a configuration, as a shell would take it; ``{scan}`` stands for
    the name of the scan, where one is given."""
    path = path if scan is None else path.replace("{scan}", scan)
    return Path(plain_path(path.replace("{results}", results)))


def _scale(given: dict[str, Any] | None, results: str) -> dict[str, Any] | None:
    positions = (given or {}).get("positions", GPS)
    if given is None or positions == GPS or not isinstance(positions, str):
        return given
    return given | {"positions": str(located(positions, results))}


def lies_in(path: Path, folders: Iterable[Path]) -> bool:
    """Whether a path is, or lies below, one of the folders."""
    return any(path.is_relative_to(folder) for folder in folders)


def merged(base: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings, merged key by key; the overlay wins."""
    both = {
        key: merged(base[key], value)
        for key, value in overlay.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return base | overlay | both
