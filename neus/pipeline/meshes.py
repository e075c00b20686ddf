"""Meshes that exist already, by anybody's method: which scans have one, and in which frame."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neus.errors import Faults, InputError, refusal
from neus.metrics.frames import SPHERE, STATED, MeshFrame, frame_from
from neus.pipeline.scans import Scan, located


@dataclass(frozen=True)
class GivenMesh:
    """A mesh or point cloud of one scan.

    Attributes:
        name: of its folder among the results of the scan.
        scan: name of the scan.
        path: its file.
        frame: in which it lies; ``given`` as the configuration has it.
        method: what tables call it.
    """

    name: str
    scan: str
    path: Path
    frame: MeshFrame
    given: Any
    method: str


def given_meshes(config: dict[str, Any], scans: list[Scan]) -> list[GivenMesh]:
    """The key ``meshes`` of a configuration that fits the schema, for each wanted scan.

    Raises:
        InputError: two have one name, a scan is not there, or a frame cannot be.
    """
    entries: list[dict[str, Any]] = config.get("meshes", [])
    by_name = {scan.name: scan for scan in scans}
    methods = [m if isinstance(m, str) else m["external"] for m in config["methods"]]
    faults, found = Faults(), []
    names = [entry["name"] for entry in entries]
    for entry in entries:
        where = f"config, meshes, {entry['name']}"
        with faults.noted():
            _check_names(entry, names, methods, by_name, where)
            found += [
                _of_scan(entry, by_name[name], config["results"], where)
                for name in entry.get("scans", by_name)
                if by_name[name].is_wanted
            ]
    faults.raise_any()
    return found


def check_meshes(meshes: list[GivenMesh]) -> None:
    """Refuse files that are not there.

    Raises:
        InputError: some are missing; each has a sentence.
    """
    missing = [
        f"scan {mesh.scan}, mesh {mesh.name}: {file} does not exist: correct the path, or name the "
        "scans that have one under scans"
        for mesh in meshes
        for file in (mesh.path, *mesh.frame.files)
        if not file.exists()
    ]
    if missing:
        raise InputError(*missing)


def _check_names(
    entry: dict[str, Any],
    names: list[str],
    methods: list[str],
    scans: dict[str, Scan],
    where: str,
) -> None:
    if names.count(entry["name"]) > 1:
        raise InputError(f"{where}: two meshes have this name: give each its own")
    if entry.get("method", entry["name"]) in methods:
        raise refusal(
            f"{where}, key method",
            f"the name of a method that is run here, {entry.get('method', entry['name'])}",
            "another one",
            "rename it, so that the table tells them apart",
        )
    for name in entry.get("scans", []):
        if name not in scans:
            raise InputError(f"{where}: there is no scan {name}, but {', '.join(scans)}")


def _of_scan(entry: dict[str, Any], scan: Scan, results: str, where: str) -> GivenMesh:
    given = entry["frame"]
    if isinstance(given, dict) and "cameras" in given:
        given = given | {"cameras": str(located(given["cameras"], results, scan.name))}
    try:
        frame = frame_from(given)
    except InputError as error:
        raise InputError(f"{where}: {error}") from error
    if frame.name == SPHERE and (scan.source not in STATED or scan.scale is not None):
        raise refusal(
            f"{where}, key frame",
            f"sphere, for scan {scan.name} of source {scan.source}",
            f"a source that states one ({', '.join(STATED)}), and no scale",
            "give the similarity, or cameras in the frame of the mesh",
        )
    path = located(entry["path"], results, scan.name)
    return GivenMesh(
        entry["name"], scan.name, path, frame, given, entry.get("method", entry["name"])
    )
