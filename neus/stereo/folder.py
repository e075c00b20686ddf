"""The folder of a scene's stereo: maps of the training views, the cloud, and figures."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.files import folder_written_whole
from neus.scene import Scene, Similarity
from neus.stereo.points import FIGURES, POINTS, StereoPoints, read_arrays
from neus.stereo.reconstruction import Stereo

if TYPE_CHECKING:
    from jaxtyping import Float

VIEWS, CLOUD = "views", "fused.ply"
_AT_ONCE = 1 << 14
"""Points of the cloud that are brought to the source frame at a time."""

_CLOUD = np.dtype(
    [(name, "<f4") for name in ("x", "y", "z", "nx", "ny", "nz")]
    + [(name, "u1") for name in ("red", "green", "blue")]
    + [("confidence", "<f4"), ("views", "<i4")]
)
_PLY_TYPES = {"<f4": "float", "|u1": "uchar", "<i4": "int"}


def write_stereo(
    stereo: Stereo, scene: Scene, folder: Path, *, threads: int = 1, **figures: object
) -> None:
    """Write what stereo found, whole or not at all.

    ``views/NAME.npz`` holds depth ``[h, w]`` (float32, along the optical axis, 0 where none is
    kept), normal ``[h, w, 3]`` (float16, unit, towards the camera) and confidence ``[h, w]``
    (float16) of a training view; ``points.npz`` the fields of :class:`StereoPoints`. Both are in
    the scene frame. ``fused.ply`` is the cloud in the source frame, as every export.

    Args:
        stereo: of the scene's training views.
        scene: names the frames and leads back to the source frame.
        folder: replaced if it holds stereo.
        threads: that write files at the same time.
        figures: added to ``figures.json``.

    Raises:
        InputError: ``folder`` holds something else.
    """
    with folder_written_whole(folder, (VIEWS, POINTS, CLOUD, FIGURES)) as whole:
        (whole / VIEWS).mkdir()
        arrays = {f.name: getattr(stereo.points, f.name) for f in fields(StereoPoints)}
        with ThreadPoolExecutor(threads) as pool:  # the longest first
            written = [
                pool.submit(write_cloud, whole / CLOUD, stereo.points, scene.to_source),
                pool.submit(np.savez, whole / POINTS, **arrays),
            ]
            for place, index in enumerate(stereo.views):
                path = whole / VIEWS / f"{scene.frames[index].name}.npz"
                written.append(pool.submit(_write_view, stereo, place, path))
            for file in written:
                file.result()
        content = {
            "seconds": sum(stereo.seconds),
            "seconds_depth": stereo.seconds[0],
            "seconds_fusion": stereo.seconds[1],
            "views": len(stereo.views),
            "points": len(stereo.points),
            "coverage": stereo.coverage,
            "sentence": stereo.sentence,
            "settings": asdict(stereo.settings),
        }
        (whole / FIGURES).write_text(json.dumps(content | figures, indent=1) + "\n")


def _write_view(stereo: Stereo, place: int, path: Path) -> None:
    found, trust = stereo.maps[place], stereo.agreement[place].confidence
    kept = trust > 0
    normal = found.normal @ stereo.cameras.camera_to_world[place, :, :3].T
    np.savez_compressed(
        path,
        depth=np.where(kept, found.depth, 0).astype(np.float32),
        normal=(normal * kept[..., None]).astype(np.float16),
        confidence=trust.astype(np.float16),
    )


def read_view(
    folder: Path, name: str
) -> tuple[Float[np.ndarray, "h w"], Float[np.ndarray, "h w 3"], Float[np.ndarray, "h w"]]:
    """Depth, normals (scene frame) and confidence of the training view called ``name``, float32.

    Raises:
        InputError: the file is missing or malformed.
    """
    path = Path(folder) / VIEWS / f"{name}.npz"
    content = read_arrays(path)
    try:
        depth, normal, trust = (content[key] for key in ("depth", "normal", "confidence"))
    except KeyError as error:
        raise InputError(f"{path} lacks {error}: run dense_stereo.py again") from None
    return depth, normal.astype(np.float32), trust.astype(np.float32)


def write_cloud(path: Path, points: StereoPoints, to_source: Similarity) -> None:
    """A binary PLY of the points in the source frame, with normals, colours, confidence, views."""
    vertices = np.zeros(len(points), _CLOUD)
    for begin in range(0, len(points), _AT_ONCE):  # what is computed stays in the cache
        part = slice(begin, begin + _AT_ONCE)
        position = to_source.apply(points.position[part])
        normal = to_source.apply_to_directions(points.normal[part])
        for k in range(3):
            vertices["xyz"[k]][part] = position[:, k]
            vertices["n" + "xyz"[k]][part] = normal[:, k]
            vertices[("red", "green", "blue")[k]][part] = points.colour[part, k]
    vertices["confidence"], vertices["views"] = points.confidence, np.diff(points.first)
    lines = ["ply", "format binary_little_endian 1.0", f"element vertex {len(points)}"]
    lines += [f"property {_PLY_TYPES[_CLOUD[name].str]} {name}" for name in _CLOUD.names or ()]
    with path.open("wb") as file:
        file.write("\n".join([*lines, "end_header", ""]).encode())
        file.write(vertices.data)
