"""Programs of others among the methods: which command, on which scans, in which layout."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from neus.errors import Faults, InputError, refusal
from neus.pipeline.scans import Scan

LAYOUTS = {
    "colmap": "colmap-binary",
    "nerfstudio": "nerfstudio",
    "neus": "dtu",
    "blender": "blender",
}
"""What :mod:`neus.exports` calls the layouts of the key ``input``."""
TAKEN = (
    *("benchmarks", "demo", "exports", "frames", "logs", "mean", "meshes", "page", "poses"),
    *("run", "scene", "stereo", "stereo-held-out"),
)
"""Folders of a scan, none of which may be a method's."""


@dataclass(frozen=True)
class External:
    """A method that another program is; keys as in workflow/schemas/config.schema.yaml.

    Attributes:
        name: of its folder, and in tables.
        command: for bash, with places such as ``{input}``.
        layout: in which it reads a scan, one of the values of `LAYOUTS`.
        frame: ``scene`` or ``source``, of the cameras that it gets and of the mesh that it writes.
        masks: whether it sees masks.
        container: image to run it in, or None.
        mesh: pattern of the mesh's file in its folder.
        views: pattern of the folder of its held-out views, or None.
        background: what stands behind the object in its views.
        scans: names of those that it is run on.
    """

    name: str
    command: str
    layout: str
    frame: str
    masks: bool
    container: str | None
    mesh: str
    views: str | None
    background: str
    scans: tuple[str, ...]


def own_methods(config: dict[str, Any]) -> list[str]:
    """The methods that are trained here, by the names of their files."""
    return [method for method in config["methods"] if isinstance(method, str)]


def externals_from_config(config: dict[str, Any], scans: list[Scan]) -> dict[str, External]:
    """The other methods of a configuration that fits the schema, by name.

    Raises:
        InputError: two methods have one name, it is that of a folder of scans, or a scan is not
            there.
    """
    faults, found = Faults(), {}
    own, known = own_methods(config), [scan.name for scan in scans]
    for entry in config["methods"]:
        if isinstance(entry, str):
            continue
        name = entry["external"]
        where = f"config, methods, {name}"
        with faults.noted():
            if name in own or name in found:
                raise InputError(f"{where}: two methods have this name: give each its own")
            if name in TAKEN:
                raise refusal(
                    f"{where}, key external", "the name of a folder of every scan", "another",
                    "rename it",
                )  # fmt: skip
            for scan in entry.get("scans", []):
                if scan not in known:
                    raise InputError(f"{where}: there is no scan {scan}, but {', '.join(known)}")
            found[name] = _external(entry, known)
    faults.raise_any()
    return found


def _external(entry: dict[str, Any], scans: list[str]) -> External:
    return External(
        name=entry["external"],
        command=entry["command"],
        layout=LAYOUTS[entry["input"]],
        frame=entry["frame"],
        masks=entry["masks"],
        container=entry.get("container"),
        mesh=entry["mesh"],
        views=entry.get("views"),
        background=entry["background"],
        scans=tuple(entry.get("scans", scans)),
    )
