"""COLMAP's models on disk: which there are, whether they are whole, and names as they stand.

PyCOLMAP wants all files of a model and reads the names in ``images.txt`` up to the first blank. So
a model is read from a folder of links beside which the names stay known by the ids of the images.
"""

from __future__ import annotations

import codecs
import math
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from neus.errors import refusal

KINDS = (".bin", ".txt")
NEEDED = ("cameras", "images")
OPTIONAL = ("points3D", "rigs", "frames")
"""Files of a model: of COLMAP 3.12 and later the last two, which go together."""
PLACES = (
    *("sparse", "colmap/sparse", "colmap_text", "dense/sparse", "dense/0/sparse"),
    *("undistorted/sparse", "distorted/sparse", "sparse_txt", "model", ""),
)
"""Below the folder of a scan."""
EMPTY = {".bin": bytes(8), ".txt": b""}


@dataclass(frozen=True)
class Model:
    """Attributes:
    folder: that it was read from.
    content: a ``pycolmap.Reconstruction``; names of images in it may be cut off.
    names: of the images by their ids.
    files: of the model.
    """

    folder: Path
    content: Any
    names: dict[int, str]
    files: tuple[Path, ...]


def import_pycolmap() -> ModuleType:
    """Import pycolmap in the one order that is safe.

    Both pycolmap's and OpenCV's wheels bring a libpng of their own; where pycolmap is loaded
    first, OpenCV later writes PNG files through the wrong one and crashes or hangs.
    """
    import cv2  # noqa: F401
    import pycolmap

    return pycolmap


def find_model(path: Path, report: Callable[[str], None]) -> Model:
    """The model of a scan: of several that with the most images.

    Args:
        path: folder of the scan or of the model; or one of the model's files.
        report: hears of several models, and of files that are missing but not needed.

    Raises:
        InputError: there is none, a file of it is missing, or one cannot be read.
    """
    path = path.parent if path.is_file() else path
    folders = next((found for place in PLACES if (found := _models(path / place))), [])
    if not folders:
        raise _no_model(path)
    models = [read_model(folder, report) for folder in folders]
    sizes = [model.content.num_reg_images() for model in models]
    largest = models[sizes.index(max(sizes))]
    if len(models) > 1:
        pairs = zip(models, sizes, strict=True)
        counts = ", ".join(f"{model.folder.name}: {size}" for model, size in pairs)
        report(
            f"{largest.folder.parent} holds models of several sizes ({counts} images): "
            f"{largest.folder.name} is taken"
        )
    return largest


def has_model(path: Path) -> bool:
    """Whether a model lies where those of a scan are looked for."""
    return any(_models(path / place) for place in PLACES)


def _models(folder: Path) -> list[Path]:
    folders = [folder, *sorted(folder.iterdir())] if folder.is_dir() else []
    names = [name + kind for name in NEEDED for kind in KINDS]
    return [each for each in folders if any((each / name).is_file() for name in names)]


def _no_model(path: Path) -> Exception:
    expected = "cameras, images and points3D as .bin or .txt in sparse/"
    databases = sorted(path.glob("*.db")) if path.is_dir() else []
    if databases:
        return refusal(
            path,
            f"a database of features alone ({databases[0].name}) and no COLMAP model",
            expected,
            "run COLMAP's mapper and put its model into sparse/, or set source to photos",
        )
    return refusal(path, "no COLMAP model", expected, "add it, or set source to photos")


def read_model(folder: Path, report: Callable[[str], None] = lambda line: None) -> Model:
    """Read one model, text or binary; points are not needed.

    Raises:
        InputError: a file is missing, or one cannot be read.
    """
    kind = _kind(folder)
    there = [name for name in (*NEEDED, *OPTIONAL) if (folder / f"{name}{kind}").is_file()]
    if "points3D" not in there:
        report(f"{folder} holds no points3D{kind}: going on without points")
    if ("rigs" in there) != ("frames" in there):
        gone = "frames" if "rigs" in there else "rigs"
        report(f"{folder} holds no {gone}{kind}: each image counts for itself")
        there = [name for name in there if name not in ("rigs", "frames")]
    files = tuple(folder / f"{name}{kind}" for name in there)
    pycolmap, names = import_pycolmap(), {}
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        staged = Path(scratch)
        for file in files:
            _stage(file, staged / file.name)
        if "points3D" not in there:
            (staged / f"points3D{kind}").write_bytes(EMPTY[kind])
        if kind == ".txt":
            names = _restage_text(folder / "images.txt", staged, keep_points="points3D" in there)
        try:
            content = pycolmap.Reconstruction(staged)
        except Exception as error:  # pybind11 passes on whatever COLMAP throws
            raise _unreadable(folder, files, error) from error
    names = names or {key: image.name for key, image in content.images.items()}
    return Model(folder, content, names, files)


def _stage(file: Path, target: Path) -> None:
    """Link a file; COLMAP trips over a byte order mark, so that goes."""
    with file.open("rb") as opened:
        has_mark = file.suffix == ".txt" and opened.read(3) == codecs.BOM_UTF8
    if has_mark:
        target.write_bytes(file.read_bytes()[3:])
    else:
        target.symlink_to(file.absolute())


def _kind(folder: Path) -> str:
    """Suffix of the files: of a whole set, the binary one first."""
    missing: dict[str, list[str]] = {}
    for kind in KINDS:
        missing[kind] = [name + kind for name in NEEDED if not (folder / (name + kind)).is_file()]
        if not missing[kind]:
            return kind
    kind = min(KINDS, key=lambda kind: len(missing[kind]))
    here = sorted(file.name for file in folder.iterdir() if file.suffix in KINDS)
    raise refusal(
        folder,
        f"no {' and no '.join(missing[kind])} beside {', '.join(here)}",
        "cameras, images and points3D of one kind",
        "copy the whole model",
    )


def _unreadable(folder: Path, files: tuple[Path, ...], error: Exception) -> Exception:
    sizes = ", ".join(f"{file.name} of {file.stat().st_size} bytes" for file in files)
    reason = " ".join(str(error).split())[:160] or type(error).__name__
    return refusal(
        folder,
        f"what COLMAP cannot read ({sizes}: {reason})",
        "a model of COLMAP",
        "copy the model again, or estimate it again",
    )


def _restage_text(images: Path, staged: Path, *, keep_points: bool) -> dict[int, str]:
    """Write ``images.txt`` with the ids of the images for names; return their names.

    A name is all that follows the camera's id. A line of an image that is not followed by one of
    points, as converters forget it, gets an empty one.
    """
    names, lines = {}, []
    for words, points in _images_of_text(images):
        identity = words[0]
        names[int(identity)] = words[9]
        numbers = [float(word) for word in words[1:8]]
        if not all(map(math.isfinite, numbers)) or not any(numbers[:4]):
            raise refusal(
                f"{images}, image {words[9]}",
                "NaN or infinity in its pose" if any(numbers[:4]) else "a quaternion of zeros",
                "QW, QX, QY, QZ, TX, TY, TZ",
                "leave the image out, or export the model again",
            )
        lines += [" ".join([*words[:9], identity]), points if keep_points else ""]
    if not names:
        raise refusal(images, "no image", "the poses of three or more", "export the model again")
    (staged / images.name).unlink()
    (staged / images.name).write_text("\n".join(lines) + "\n")
    return names


def _images_of_text(file: Path) -> Iterator[tuple[list[str], str]]:
    """The ten words of each image's line, and its line of points."""
    text = file.read_bytes().decode("utf-8-sig", "surrogateescape")
    lines = iter([line.rstrip("\r\n") for line in text.split("\n")])
    pending: str | None = None
    while True:
        line = pending if pending is not None else next(lines, None)
        pending = None
        if line is None:
            return
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        words = line.strip().split(maxsplit=9)
        if not _is_image(words):
            raise refusal(
                file,
                f"the line '{line.strip()[:60]}'",
                "IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME",
                "export the model again",
            )
        points = next(lines, "")
        if not _is_points(points):
            pending, points = points, ""
        yield words, points


def _is_image(words: list[str]) -> bool:
    try:
        numbers = [int(words[0]), *(float(word) for word in words[1:8]), int(words[8])]
    except (ValueError, IndexError):
        return False
    return len(words) == len(numbers) + 1


def _is_points(line: str) -> bool:
    words = line.split()
    try:
        [float(word) for word in words]
    except ValueError:
        return False
    return len(words) % 3 == 0
