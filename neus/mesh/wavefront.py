"""Wavefront OBJ of one mesh, coloured at its vertices or by a texture."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from neus.mesh.triangles import Mesh

if TYPE_CHECKING:
    from jaxtyping import Float

MATERIAL = "surface"


def obj_bytes(mesh: Mesh, uv: Float[np.ndarray, "v 2"] | None = None) -> bytes:
    """The content of an OBJ file: ``v x y z``, with ``vt`` or else ``r g b``, ``vn``, and faces.

    Colours stand in [0, 1] behind the positions, as MeshLab and Blender read them. Nine digits keep
    a float32 exactly; colours of four digits come back as the same bytes.

    Args:
        uv: places of the vertices in a texture, right and down from its top left corner, in place
            of colours; OBJ counts them up from the bottom.
    """
    text = io.StringIO()
    if uv is None and mesh.colours is not None:
        rows = np.concatenate([mesh.vertices, mesh.colours / 255], axis=1)
        np.savetxt(text, rows, "v %.9g %.9g %.9g %.4f %.4f %.4f")
    else:
        np.savetxt(text, mesh.vertices, "v %.9g %.9g %.9g")
    if uv is not None:
        np.savetxt(text, uv * [1, -1] + [0, 1], "vt %.7f %.7f")
        text.write(f"usemtl {MATERIAL}\n")
    if mesh.normals is not None:
        np.savetxt(text, mesh.normals, "vn %.6f %.6f %.6f")
    parts = ["%d", "%d" if uv is not None else "", "%d" if mesh.normals is not None else ""]
    corner = "/".join(parts).rstrip("/")
    corners = (mesh.faces + 1).repeat(corner.count("%d"), axis=1)
    np.savetxt(text, corners, f"f {corner} {corner} {corner}")
    return text.getvalue().encode()


def mtl_bytes(image: str) -> bytes:
    """The content of the MTL file beside it: the texture as it is, not lit a second time."""
    lines = ["newmtl " + MATERIAL, "Kd 1 1 1", "Ks 0 0 0", "illum 1", f"map_Kd {image}", ""]
    return "\n".join(lines).encode()
