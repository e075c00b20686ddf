"""Wavefront OBJ of one mesh, colours behind the positions as MeshLab and Blender read them."""

from __future__ import annotations

import io

import numpy as np

from neus.mesh.triangles import Mesh


def obj_bytes(mesh: Mesh) -> bytes:
    """The content of an OBJ file: ``v x y z r g b`` with colours in [0, 1], ``vn``, and faces.

    Nine digits keep a float32 exactly; colours of four digits come back as the same bytes.
    """
    text = io.StringIO()
    if mesh.colours is None:
        np.savetxt(text, mesh.vertices, "v %.9g %.9g %.9g")
    else:
        rows = np.concatenate([mesh.vertices, mesh.colours / 255], axis=1)
        np.savetxt(text, rows, "v %.9g %.9g %.9g %.4f %.4f %.4f")
    corners = mesh.faces + 1
    if mesh.normals is None:
        np.savetxt(text, corners, "f %d %d %d")
    else:
        np.savetxt(text, mesh.normals, "vn %.6f %.6f %.6f")
        np.savetxt(text, corners.repeat(2, axis=1), "f %d//%d %d//%d %d//%d")
    return text.getvalue().encode()
