"""Textured meshes to files, GLB or OBJ, and back from a GLB of ours."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.files import written_whole
from neus.mesh.gltf import Texture, glb_bytes
from neus.mesh.gltf_reading import read_glb
from neus.mesh.handover import Handover
from neus.mesh.wavefront import mtl_bytes, obj_bytes
from neus.scene import Similarity

if TYPE_CHECKING:
    from jaxtyping import UInt8

QUALITY = 92
"""Of the texture's JPEG."""


def write_handover(path: Path, content: Handover) -> None:
    """Write a ``.glb``, or an ``.obj`` with ``.mtl`` and ``.jpg`` of the same name beside it.

    Raises:
        InputError: the suffix is another.
    """
    if path.suffix == ".glb":
        _write(path, _glb(content))
    elif path.suffix == ".obj":
        _write_obj(path, content)
    else:
        raise InputError(f"{path}: meshes to hand over are written as .glb or .obj")


def read_handover(path: Path) -> Handover:
    """What :func:`write_handover` wrote to a ``.glb``.

    Raises:
        InputError: it is another's, or an earlier version's, or damaged.
    """
    mesh, texture, extras = read_glb(path)
    try:
        unit, matrix, said = extras["unit"], np.array(extras["to_source"]), extras["colours"]
        to_source = Similarity.from_matrix(matrix)
    except (KeyError, ValueError, TypeError) as error:
        raise InputError(f"{path} does not say where it stands: make it by texture_mesh.py") from (
            error
        )
    if texture is None:
        return Handover(mesh, None, None, unit, to_source, said)
    from PIL import Image

    picture = np.asarray(Image.open(io.BytesIO(texture.jpeg)).convert("RGB"))
    return Handover(mesh, texture.uv, picture, unit, to_source, said)


def _glb(content: Handover) -> bytes:
    extras = {
        "unit": content.unit,
        "to_source": content.to_source.matrix.tolist(),
        "colours": content.said,
    }
    if content.uv is None or content.picture is None:
        return glb_bytes(content.mesh, None, extras)
    return glb_bytes(content.mesh, Texture(content.uv, jpeg(content.picture)), extras)


def _write_obj(path: Path, content: Handover) -> None:
    picture = content.picture
    if content.uv is None or picture is None:
        _write(path, obj_bytes(content.mesh))
        return
    material, image = path.with_suffix(".mtl"), path.with_suffix(".jpg")
    _write(image, jpeg(picture))
    _write(material, mtl_bytes(image.name))
    said = f"# in {content.unit}, y up\nmtllib {material.name}\n"
    _write(path, said.encode() + obj_bytes(content.mesh, content.uv))


def jpeg(picture: UInt8[np.ndarray, "h w 3"]) -> bytes:
    """A picture as a JPEG whose colours are as fine as its light."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(picture).save(content, "jpeg", quality=QUALITY, subsampling=0, optimize=True)
    return content.getvalue()


def _write(path: Path, content: bytes) -> None:
    with written_whole(path) as partial:
        partial.write_bytes(content)
