"""The mesh of a GLB file as :mod:`neus.mesh.gltf` writes it."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np

from neus.errors import InputError
from neus.mesh.gltf import COMPONENT_TYPES, Texture
from neus.mesh.triangles import Mesh

WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4}
TYPES = {code: np.dtype(name).newbyteorder("<") for name, code in COMPONENT_TYPES.items()}


def read_glb(path: Path) -> tuple[Mesh, Texture | None, dict[str, Any]]:
    """One primitive with its normals, its texture, and ``asset.extras``; colours are left there.

    Raises:
        InputError: the file is missing, damaged, or laid out otherwise.
    """
    try:
        document, binary = _chunks(path.read_bytes())
        views = [
            binary[view["byteOffset"] : view["byteOffset"] + view["byteLength"]]
            for view in document["bufferViews"]
        ]
        arrays = [_array(accessor, views) for accessor in document["accessors"]]
        (primitive,) = document["meshes"][0]["primitives"]
        of_vertices = {name: arrays[at] for name, at in primitive["attributes"].items()}
        faces = arrays[primitive["indices"]].reshape(-1, 3).astype(np.int64)
        points = of_vertices["POSITION"].astype(np.float64)
        normals, texture = of_vertices.get("NORMAL"), None
        if "TEXCOORD_0" in of_vertices:
            image = bytes(views[document["images"][0]["bufferView"]])
            texture = Texture(of_vertices["TEXCOORD_0"].astype(np.float64), image)
        return Mesh(points, faces, normals), texture, document["asset"].get("extras", {})
    except (OSError, KeyError, IndexError, ValueError, TypeError, struct.error) as error:
        raise InputError(f"{path} is no GLB of one mesh as texture_mesh.py writes it") from error


def _chunks(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """The JSON and the binary chunk."""
    magic, version, _, length = struct.unpack_from("<4sIII", content)
    if (magic, version) != (b"glTF", 2):
        raise ValueError("another format")
    return json.loads(content[20 : 20 + length]), memoryview(content)[28 + length :]


def _array(accessor: dict[str, Any], views: list[memoryview]) -> np.ndarray:
    values = np.frombuffer(views[accessor["bufferView"]], TYPES[accessor["componentType"]])
    width = WIDTHS[accessor["type"]]
    return values.reshape(accessor["count"], width) if width > 1 else values
