"""The file of posed frames that a path means, and what programs leave that write none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from neus.errors import InputError, listed, refusal

FILES = ("transforms.json", "meta_data.json", "transforms_train.json")
"""Of posed frames, in the order in which they are looked for."""
BY_COLMAP = "set source to photos, which estimates the poses, or convert them to transforms.json"
CONVERTER = "convert it by ns-process-data {program}, or export it for nerfstudio"


@dataclass(frozen=True)
class RawExport:
    """What a program leaves that writes no posed frames.

    Attributes:
        pattern: of the name of a file or folder.
        program: whose it is.
        converter: the name by which nerfstudio's converter knows it; empty if it does not.
        mark: bytes near the beginning of the file that tell it apart.
    """

    pattern: str
    program: str
    converter: str = ""
    mark: bytes = b""

    def is_of(self, path: Path) -> bool:
        if not path.match(self.pattern):
            return False
        return not self.mark or (path.is_file() and self.mark in path.read_bytes()[:4096])

    def refused(self, place: Path, name: str) -> InputError:
        remedy = CONVERTER.format(program=self.converter) if self.converter else BY_COLMAP
        return refusal(place, f"{name}, a raw export of {self.program}", FILES[0], remedy)


RAW_EXPORTS = (
    RawExport("keyframes", "Polycam", "polycam"),
    RawExport("metadata.json", "Record3D", "record3d"),
    RawExport("metadata", "Record3D", "record3d"),
    RawExport("*.r3d", "Record3D", "record3d"),
    RawExport("EXR_RGBD", "Record3D", "record3d"),
    RawExport("odometry.csv", "Stray Scanner"),
    RawExport("poses_bounds.npy", "LLFF"),
    RawExport("*.sfm", "Meshroom"),
    RawExport("bundle.out", "Bundler"),
    RawExport("*.nvm", "VisualSFM"),
    RawExport("odm_report", "OpenDroneMap", "odm"),
    RawExport("*.xml", "Metashape", "metashape", b"<chunk"),
    RawExport("*.csv", "RealityCapture", "realitycapture", b"#name"),
)


def file_of(path: Path) -> Path:
    """The file of posed frames that a path means: itself, or one in the folder.

    Raises:
        InputError: there is none; what there is instead is named, with what to do.
    """
    if path.is_file():
        if raw := next((each for each in RAW_EXPORTS if each.is_of(path)), None):
            raise raw.refused(path.parent, path.name)
        return path
    there = {file.name.lower(): file for file in _files(path)}
    found = next((there[name] for name in FILES if name in there), None)
    return found or _nothing(path)


def _nothing(path: Path) -> Path:
    others = _with_frames(path)
    if others:
        raise refusal(
            path,
            f"no {FILES[0]}, but {listed([str(other) for other in others], 3)}",
            FILES[0],
            f"set path to {others[0]}",
        )
    for raw in RAW_EXPORTS:
        if found := next(filter(raw.is_of, sorted(path.glob(raw.pattern))), None):
            raise raw.refused(path, found.name)
    return path / FILES[0]


def _with_frames(path: Path) -> list[Path]:
    """Files of posed frames under other names, or in the folders above and below."""
    likely = [file for name in FILES for file in (path.parent / name, *path.glob(f"*/{name}"))]
    beside = [file for file in _files(path) if file.suffix.lower() == ".json"]
    return [file for file in [*beside, *likely] if file.is_file() and _names_frames(file)]


def _files(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.is_file()) if path.is_dir() else []


def _names_frames(file: Path) -> bool:
    content = file.read_bytes()
    return b'"frames"' in content and any(key in content for key in (b"matrix", b"camtoworld"))
