"""Surfaces to be measured: a triangle mesh, or a cloud of points with or without normals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import trimesh
from trimesh.exchange.ply import load_ply

from neus.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, Int, UInt8

    from neus.scene import Similarity


@dataclass(frozen=True)
class Surface:
    """A triangle mesh where ``faces`` is given, else a cloud of points.

    Attributes:
        vertices: ``[v, 3]`` float64, in the unit of the source.
        faces: ``[f, 3]`` indices into the vertices, or None.
        normals: ``[v, 3]`` unit normals of a cloud's points, or None; a mesh has those of its
            faces instead.
        colours: ``[v, 3]`` display-referred RGB of a PLY's vertices, or None.
    """

    vertices: Float[np.ndarray, "v 3"]
    faces: Int[np.ndarray, "f 3"] | None = None
    normals: Float[np.ndarray, "v 3"] | None = None
    colours: UInt8[np.ndarray, "v 3"] | None = None

    @property
    def is_mesh(self) -> bool:
        return self.faces is not None

    @property
    def triangles(self) -> Float[np.ndarray, "f 3 3"]:
        if self.faces is None:
            raise ValueError("a point cloud has no triangles")
        return self.vertices[self.faces]

    @property
    def diameter(self) -> float:
        """Diagonal of the axis-aligned bounding box, in the unit of the vertices."""
        return float(np.linalg.norm(np.ptp(self.vertices, axis=0)))

    def transformed(self, similarity: Similarity) -> Surface:
        """The surface in the target frame of ``similarity``."""
        normals = None if self.normals is None else similarity.apply_to_directions(self.normals)
        return Surface(similarity.apply(self.vertices), self.faces, normals, self.colours)


def load_surface(path: Path) -> Surface:
    """Read a mesh or a cloud of points (PLY, OBJ, GLB and what else trimesh reads).

    Vertices keep their order and are never merged.

    Raises:
        InputError: the file is missing, unreadable, empty or holds a coordinate that is no number.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file; give a mesh or point cloud as PLY, OBJ or GLB")
    try:
        surface = _load_ply(path) if path.suffix.lower() == ".ply" else _load_scene(path)
    except Exception as error:  # trimesh's readers raise whatever the broken bytes provoke
        raise InputError(
            f"{path}: cannot be read as a mesh or point cloud ({error}); write it anew as PLY"
        ) from error
    return _require_usable(surface, path)


def _load_ply(path: Path) -> Surface:
    with path.open("rb") as file:
        content: dict[str, Any] = load_ply(file, fix_texture=False, skip_materials=True)
    vertices = np.asarray(content.get("vertices", np.empty((0, 3))), np.float64)
    faces, normals = content.get("faces"), content.get("vertex_normals")
    colours = _rgb(content.get("vertex_colors"), len(vertices))
    if faces is not None and len(faces) > 0:
        return Surface(vertices, np.asarray(faces, np.int64), None, colours)
    normals = None if normals is None else _unit(np.asarray(normals))
    return Surface(vertices, None, normals, colours)


def _load_scene(path: Path) -> Surface:
    parts = trimesh.load_scene(path, process=False, skip_materials=True).dump()
    meshes = [part for part in parts if isinstance(part, trimesh.Trimesh)]
    if not meshes:
        clouds = [part.vertices for part in parts if isinstance(part, trimesh.PointCloud)]
        return Surface(np.concatenate([np.empty((0, 3)), *clouds]))
    starts = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = [mesh.faces + start for mesh, start in zip(meshes, starts, strict=False)]
    vertices = np.concatenate([mesh.vertices for mesh in meshes])
    return Surface(np.asarray(vertices, np.float64), np.concatenate(faces))


def _rgb(colours: np.ndarray | None, count: int) -> UInt8[np.ndarray, "v 3"] | None:
    """Bytes of red, green and blue; None where there are no such."""
    if colours is None or np.ndim(colours) != 2 or len(colours) != count:
        return None
    kept = np.asarray(colours)[:, :3]
    return kept if kept.dtype == np.uint8 and kept.shape[1] == 3 else None


def _unit(vectors: Float[np.ndarray, "n 3"]) -> Float[np.ndarray, "n 3"]:
    vectors = vectors.astype(np.float64)
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-300)


def _require_usable(surface: Surface, path: Path) -> Surface:
    if len(surface.vertices) == 0:
        raise InputError(f"{path}: holds no points; make the mesh or the reference anew")
    if not np.isfinite(surface.vertices).all():
        raise InputError(f"{path}: has vertices that are not finite; make the file anew")
    if surface.faces is not None and (
        surface.faces.min() < 0 or surface.faces.max() >= len(surface.vertices)
    ):
        raise InputError(f"{path}: has faces that name missing vertices; make the file anew")
    return surface
