"""A place in a picture for each triangle, by xatlas, in a process that may be stopped.

    python -m neus.mesh.unwrapping in.npz out.npz

Charts of a mesh that is not manifold have kept xatlas busy for a quarter of an hour, and no thread
can be stopped: so it works in a child, for as long as it is given.
"""

from __future__ import annotations

import resource
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int

PADDING = 3
"""Texels between charts."""
PATIENCE = 10
"""Seconds by the clock for each of work: other programs may keep the machine busy."""
TOGETHER = 2000
"""Most faces of a part that is cut into charts by itself."""
OUT_OF_TIME = (-signal.SIGXCPU, -signal.SIGKILL)


class NotUnwrapped(Exception):  # noqa: N818 (no mistake of anybody's)
    """The mesh has no charts, and this says why."""


@dataclass(frozen=True)
class Unwrapped:
    """Triangles with a place in a picture; a vertex on a seam stands in it several times.

    Attributes:
        origins: ``[n]`` which vertex of the mesh each is.
        faces: ``[f, 3]`` indices into ``origins``, in the order of the mesh's.
        uv: ``[n, 2]`` right and down from the picture's top left corner, in [0, 1].
        size: width and height of the picture in texels.
    """

    origins: Int[np.ndarray, "n"]
    faces: Int[np.ndarray, "f 3"]
    uv: Float[np.ndarray, "n 2"]
    size: tuple[int, int]

    def within(self, side: int) -> Unwrapped:
        """The same places in a picture of at most ``side`` texels along each side."""
        shrunk = min(1.0, side / max(self.size))
        width, height = (max(1, round(shrunk * length)) for length in self.size)
        return replace(self, size=(width, height))


def unwrapped(
    vertices: Float[np.ndarray, "v 3"],
    faces: Int[np.ndarray, "f 3"],
    texels_per_unit: float,
    seconds: float,
) -> Unwrapped:
    """Charts of a manifold mesh, packed into one picture of texels of one size.

    Args:
        texels_per_unit: along a unit of ``vertices``.
        seconds: of work on all cores together.

    Raises:
        NotUnwrapped: it took longer, or xatlas failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        given, made = Path(folder, "in.npz"), Path(folder, "out.npz")
        points = (vertices - vertices.mean(axis=0)).astype(np.float32)
        np.savez(given, points=points, faces=faces.astype(np.uint32), density=texels_per_unit)
        words = [
            sys.executable,
            "-P",
            "-m",
            "neus.mesh.unwrapping",
            str(given),
            str(made),
            str(seconds),
        ]
        late = f"xatlas took more than {seconds:g} s for {len(faces)} faces"
        try:
            done = subprocess.run(
                words, check=False, timeout=PATIENCE * seconds, capture_output=True, text=True
            )
        except subprocess.TimeoutExpired:
            raise NotUnwrapped(late) from None
        if done.returncode in OUT_OF_TIME:
            raise NotUnwrapped(late)
        if done.returncode < 0:
            raise NotUnwrapped(f"xatlas failed by {signal.Signals(-done.returncode).name}")
        if done.returncode:
            raise RuntimeError(f"unwrapping failed:\n{done.stderr}")
        with np.load(made) as content:
            size = tuple(content["size"].tolist())
            return Unwrapped(content["origins"], content["faces"], content["uv"], size)


def _unwrap(given: Path, made: Path, seconds: float) -> None:
    import xatlas

    most = int(np.ceil(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
    with np.load(given) as content:
        points, faces, density = content["points"], content["faces"], float(content["density"])
    atlas, parts = xatlas.Atlas(), _parts(points[faces].mean(axis=1))
    used = [np.unique(faces[part], return_inverse=True) for part in parts]
    for vertices, places in used:
        atlas.add_mesh(points[vertices], places.reshape(-1, 3).astype(np.uint32))
    packing = xatlas.PackOptions()
    packing.texels_per_unit, packing.padding, packing.bilinear = density, PADDING, True
    atlas.generate(pack_options=packing)
    made_parts = [atlas[i] for i in range(len(parts))]
    starts = np.cumsum([0, *(len(origins) for origins, _, _ in made_parts)])
    corners = np.empty((len(faces), 3), np.int64)
    for part, start, (_, of_part, _) in zip(parts, starts, made_parts, strict=False):
        corners[part] = of_part.astype(np.int64) + start
    origins = [
        vertices[found] for (vertices, _), (found, _, _) in zip(used, made_parts, strict=True)
    ]
    np.savez(
        made,
        origins=np.concatenate(origins),
        faces=corners,
        uv=np.concatenate([uv for _, _, uv in made_parts]).astype(np.float64),
        size=np.array([atlas.width, atlas.height]),
    )


def _parts(centres: Float[np.ndarray, "f 3"]) -> list[Int[np.ndarray, "k"]]:
    """Faces in boxes of at most `TOGETHER`, halved across their longest side.

    Charts end at the boxes' sides, but xatlas takes a fifth of the time: it works on parts side by
    side, and on a small one faster than on its share of a large one.
    """
    parts, small = [np.arange(len(centres))], []
    while parts:
        part = parts.pop()
        if len(part) <= TOGETHER:
            small.append(part)
            continue
        axis = np.ptp(centres[part], axis=0).argmax()
        order = np.argsort(centres[part, axis], kind="stable")
        parts += np.array_split(part[order], 2)
    return small


if __name__ == "__main__":
    _unwrap(Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3]))
