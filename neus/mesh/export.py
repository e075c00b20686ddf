"""Meshes to files: PLY to measure, GLB to look at, OBJ for what reads neither."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.files import written_whole
from neus.mesh.gltf import glb_bytes
from neus.mesh.triangles import Mesh
from neus.mesh.wavefront import obj_bytes
from neus.scene import Similarity

if TYPE_CHECKING:
    from jaxtyping import Float

FLOAT32_STEP = 1e-6  # of the mesh's diagonal: positions coarser than this are stored as float64


def to_source_frame(mesh: Mesh, to_source: Similarity) -> Mesh:
    """Take a mesh from the scene frame to the source frame and its units; normals stay unit."""
    normals = None if mesh.normals is None else to_source.apply_to_directions(mesh.normals)
    return Mesh(to_source.apply(mesh.vertices), mesh.faces, normals, mesh.colours)


def write_mesh(path: Path, mesh: Mesh) -> None:
    """Write a mesh to a ``.ply``, ``.glb`` or ``.obj`` file, with what normals and colours it has.

    Coordinates are written as they are. A PLY keeps the source's frame and unit; its positions are
    float32 (at 640 mm a step of 0.00006 mm), or float64 where float32 would move them by more than
    a millionth of the mesh's diagonal, as in geographic coordinates. A GLB holds the same numbers
    as float32, and viewers take them for metres with y up: a mesh in mm, or with z up, looks
    large, or lies on its side, there.

    Raises:
        InputError: the suffix is another.
    """
    encoders = {".ply": ply_bytes, ".glb": glb_bytes, ".obj": obj_bytes}
    path = Path(path)
    if path.suffix.lower() not in encoders:
        raise InputError(
            f"{path}: meshes are written as .ply, .glb or .obj, not as '{path.suffix}'"
        )
    content = encoders[path.suffix.lower()](mesh)
    with written_whole(path) as partial:
        partial.write_bytes(content)


def ply_bytes(mesh: Mesh) -> bytes:
    """The content of a binary little-endian PLY 1.0 file."""
    real, real_name = ("<f4", "float") if _fits_float32(mesh.vertices) else ("<f8", "double")
    columns = [(axis, real, real_name, mesh.vertices[:, i]) for i, axis in enumerate("xyz")]
    if mesh.normals is not None:
        normals = zip(("nx", "ny", "nz"), mesh.normals.T, strict=True)
        columns += [(name, "<f4", "float", values) for name, values in normals]
    if mesh.colours is not None:
        colours = zip(("red", "green", "blue"), mesh.colours.T, strict=True)
        columns += [(name, "u1", "uchar", values) for name, values in colours]
    vertices = np.empty(len(mesh.vertices), [(name, code) for name, code, _, _ in columns])
    for name, _, _, values in columns:
        vertices[name] = values
    faces = np.empty(len(mesh.faces), [("count", "u1"), ("corners", "<i4", 3)])
    faces["count"], faces["corners"] = 3, mesh.faces
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"element vertex {len(vertices)}",
        *(f"property {kind} {name}" for name, _, kind, _ in columns),
        f"element face {len(faces)}",
        "property list uchar int vertex_indices",
        "end_header\n",
    ]
    return "\n".join(header).encode() + vertices.tobytes() + faces.tobytes()


def _fits_float32(vertices: Float[np.ndarray, "v 3"]) -> bool:
    if not len(vertices):
        return True
    diagonal = np.linalg.norm(np.ptp(vertices, axis=0))
    return bool(np.spacing(np.float32(np.abs(vertices).max())) <= FLOAT32_STEP * diagonal)
