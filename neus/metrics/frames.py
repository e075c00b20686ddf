"""In which frame somebody else's mesh lies, and the way from there to the frame of its scan.

Nothing here looks at a surface: a frame is stated, given as a matrix, or found from cameras that
both know. There is no ICP, which would fit a wrong surface to the truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError, refusal
from neus.scene import Similarity
from neus.sources import SOURCES, plain_path, read_source

if TYPE_CHECKING:
    from neus.metrics.evaluation import Alignment
    from neus.scene import Scene

WORLD, SPHERE, SCENE = "world", "sphere", "scene"
"""The scan's own source; the unit sphere that the source states, as DTU's scale_mat; and the unit
sphere of our scene, in which a program works that learnt from results/SCAN/scene."""
STATED = ("dtu", "demo")
"""Sources that state a sphere."""


@dataclass(frozen=True)
class MeshFrame:
    """A frame as a configuration has it.

    Attributes:
        name: one of the three above, or "" where it is found otherwise.
        similarity: from the frame to the scan's source, where it is given.
        source, cameras: layout and path of cameras in this frame, of images of the scan.
    """

    name: str = ""
    similarity: Similarity | None = None
    source: str = ""
    cameras: Path | None = None

    @property
    def files(self) -> list[Path]:
        return [] if self.cameras is None else [self.cameras]


def frame_from(given: Any) -> MeshFrame:
    """Read the key ``frame`` of a mesh.

    Raises:
        InputError: it is no frame, or the matrix no similarity.
    """
    if given in (WORLD, SPHERE, SCENE):
        return MeshFrame(given)
    keys = set(given) if isinstance(given, dict) else set()
    if keys == {"similarity"}:
        return MeshFrame(similarity=_similarity(given["similarity"]))
    if keys == {"source", "cameras"} and given["source"] in SOURCES:
        return MeshFrame(source=given["source"], cameras=Path(plain_path(given["cameras"])))
    raise refusal(
        "key frame",
        str(given),
        "world, sphere, scene, {similarity: 4x4 matrix} or {source: ..., cameras: PATH}",
        "say in which frame the mesh lies",
    )


def _similarity(given: Any) -> Similarity:
    try:
        matrix = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        matrix = np.zeros(0)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise refusal("key frame.similarity", f"{given}", "four rows of four numbers", "correct it")
    try:
        return Similarity.from_matrix(matrix)
    except ValueError as error:
        raise InputError(f"key frame.similarity: {error}: give a similarity") from error


def to_source(
    frame: MeshFrame, scene: Scene, source: str | None, path: Path | None
) -> tuple[Similarity, Alignment | None]:
    """The way from a frame to the source frame of a scene, and how well cameras told it.

    Args:
        source, path: layout and path of the scan, which state the sphere of the frame ``sphere``.

    Raises:
        InputError: the source states no sphere, or the cameras share too few images.
    """
    if frame.cameras is not None:
        other = read_source(
            frame.source, frame.cameras, masks="none", model=None, report=lambda line: None
        ).scene
        from neus.metrics.evaluation import align_by_cameras  # brings OpenCV

        found = align_by_cameras(other, scene)
        return found.similarity, found
    if frame.similarity is not None:
        return frame.similarity, None
    if frame.name == SCENE:
        return scene.to_source, None
    if frame.name == WORLD:
        return Similarity.identity(), None
    return _stated_sphere(source, path), None


def _stated_sphere(source: str | None, path: Path | None) -> Similarity:
    if source is None or path is None:
        raise InputError("frame sphere is that of the source: give --source and --path, too")
    capture = read_source(source, path, masks="none", model=None, report=lambda line: None)
    if capture.sphere is None:
        raise refusal(
            f"{path}, key frame",
            "sphere, and cameras of a source that states none",
            f"a scan of source {' or '.join(STATED)}",
            "give the similarity, or cameras in the frame of the mesh",
        )
    return capture.sphere
