"""Point clouds in PLY files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from neus.errors import InputError

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


def read_points(path: Path) -> tuple[Float[np.ndarray, "p 3"], UInt8[np.ndarray, "p 3"]]:
    """Points and their colours, grey if the file has none.

    Raises:
        InputError: the file is missing or cannot be read.
    """
    import trimesh

    if not path.is_file():
        raise InputError(f"{path} does not exist: add the points, or remove ply_file_path")
    if _holds_no_vertex(path):
        return np.zeros((0, 3)), np.zeros((0, 3), np.uint8)
    try:
        cloud: Any = trimesh.load(path, process=False)
        points = np.asarray(cloud.vertices, dtype=np.float64).reshape(-1, 3)
        # A cloud has colours, a mesh those of its vertices; where the file has none they are empty.
        colours = getattr(cloud, "colors", getattr(cloud.visual, "vertex_colors", None))
    except (ValueError, IndexError, KeyError, AttributeError) as error:
        raise InputError(f"{path} cannot be read as points: write the file again") from error
    colours = np.zeros(0) if colours is None else np.asarray(colours, dtype=np.uint8)
    if colours.shape not in ((len(points), 3), (len(points), 4)):
        return points, np.full(points.shape, 128, np.uint8)
    return points, colours[:, :3]


def _holds_no_vertex(path: Path) -> bool:
    """Whether the header of a PLY file counts no vertex, which trimesh takes for a fault."""
    with path.open("rb") as file:
        head = file.read(4096)
    return head[:3] == b"ply" and re.search(rb"^element vertex 0+\s*$", head, re.M) is not None


def write_points(
    path: Path, points: Float[np.ndarray, "p 3"], colours: UInt8[np.ndarray, "p 3"]
) -> None:
    """Write points and their colours."""
    import trimesh

    trimesh.PointCloud(points, colors=colours).export(path)
