"""Binary glTF 2.0 of one mesh (the Khronos glTF 2.0 specification, sections 3.6 to 3.9 and 4)."""

from __future__ import annotations

import json
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neus.mesh.triangles import Mesh

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8, UInt16

COMPONENT_TYPES = {"float32": 5126, "uint16": 5123, "uint32": 5125}
VERTEX_BUFFER, INDEX_BUFFER = 34962, 34963
LINEAR, MIPMAPS, EDGE = 9729, 9987, 33071


@dataclass(frozen=True)
class _Array:
    """Numbers of the binary chunk, and how glTF is told to read them."""

    values: np.ndarray
    kind: str
    target: int = VERTEX_BUFFER

    def accessor(self, view: int) -> dict:
        accessor = {
            "bufferView": view,
            "componentType": COMPONENT_TYPES[self.values.dtype.name],
            "count": len(self.values),
            "type": self.kind,
        }
        return accessor | ({"normalized": True} if self.values.dtype == np.uint16 else {})


@dataclass(frozen=True)
class Texture:
    """A picture around a mesh.

    Attributes:
        uv: ``[v, 2]`` of the vertices, right and down from its top left corner, in [0, 1].
        jpeg: the picture, display-referred.
    """

    uv: Float[np.ndarray, "v 2"]
    jpeg: bytes


def glb_bytes(mesh: Mesh, texture: Texture | None = None, extras: dict | None = None) -> bytes:
    """The content of a GLB file: one primitive, unlit where it has colours or a texture.

    The colours are what cameras saw, shading included, and must not be lit a second time.

    Args:
        texture: in place of colours of vertices.
        extras: what else is to be said of the file, under ``asset.extras``.
    """
    attributes = {"POSITION": _Array(mesh.vertices.astype("<f4"), "VEC3")}
    if mesh.normals is not None:
        attributes["NORMAL"] = _Array(mesh.normals.astype("<f4"), "VEC3")
    if texture is not None:
        attributes["TEXCOORD_0"] = _Array(texture.uv.astype("<f4"), "VEC2")
    elif mesh.colours is not None:
        attributes["COLOR_0"] = _Array(linear_rgba16(mesh.colours), "VEC4")
    indices = _Array(mesh.faces.astype("<u4").reshape(-1), "SCALAR", INDEX_BUFFER)
    arrays = [*attributes.values(), indices]
    primitive = {
        "attributes": {name: index for index, name in enumerate(attributes)},
        "indices": len(attributes),
        "material": 0,
    }
    is_unlit = texture is not None or mesh.colours is not None
    material: dict = {"pbrMetallicRoughness": {"metallicFactor": 0, "roughnessFactor": 1}}
    if is_unlit:
        material["extensions"] = {"KHR_materials_unlit": {}}
    if texture is not None:
        material["pbrMetallicRoughness"]["baseColorTexture"] = {"index": 0}
    document = {
        "asset": {"version": "2.0", "generator": "neus"} | ({"extras": extras} if extras else {}),
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [primitive]}],
        "materials": [material],
        "accessors": [array.accessor(index) for index, array in enumerate(arrays)],
        "bufferViews": _views(arrays),
    }
    document |= {"extensionsUsed": list(material["extensions"])} if is_unlit else {}
    positions = attributes["POSITION"].values
    document["accessors"][0] |= {
        "min": positions.min(axis=0).tolist(),
        "max": positions.max(axis=0).tolist(),
    }
    binary = b"".join(array.values.tobytes() for array in arrays)
    if texture is not None:
        view = {"buffer": 0, "byteOffset": len(binary), "byteLength": len(texture.jpeg)}
        document["bufferViews"].append(view)
        document["images"] = [{"bufferView": len(arrays), "mimeType": "image/jpeg"}]
        document["samplers"] = [
            {"magFilter": LINEAR, "minFilter": MIPMAPS, "wrapS": EDGE, "wrapT": EDGE}
        ]
        document["textures"] = [{"source": 0, "sampler": 0}]
        binary += texture.jpeg
    document["buffers"] = [{"byteLength": len(binary)}]
    return _container(document, binary)


def linear_rgba16(colours: UInt8[np.ndarray, "v 3"]) -> UInt16[np.ndarray, "v 4"]:
    """Display-referred bytes to the linear light that glTF wants, with an opaque alpha.

    The curve is that of sRGB (IEC 61966-2-1); 16 bits keep its dark bytes apart.
    """
    encoded = np.arange(256) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    rgba = np.full((len(colours), 4), 65535, "<u2")
    rgba[:, :3] = np.rint(65535 * linear).astype("<u2")[colours]
    return rgba


def _views(arrays: list[_Array]) -> list[dict]:
    lengths = [array.values.nbytes for array in arrays]
    starts = np.cumsum([0, *lengths[:-1]]).tolist()
    return [
        {"buffer": 0, "byteOffset": start, "byteLength": length, "target": array.target}
        for start, length, array in zip(starts, lengths, arrays, strict=True)
    ]


def _container(document: dict, binary: bytes) -> bytes:
    """Header, JSON chunk and binary chunk, each a multiple of four bytes long."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary += b"\0" * (-len(binary) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(binary), b"BIN\0") + binary
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
