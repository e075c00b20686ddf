"""The texture of a handed-over surface, as points that the page's surface takes colours of."""

from __future__ import annotations

import numpy as np

from neus.mesh import Mesh
from neus.mesh.handover import Handover
from neus.mesh.texels import texels_of
from neus.mesh.unwrapping import Unwrapped
from neus.scene import Scene

MOST_TEXELS = 1_500_000
"""The page's surface has half as many."""


def texture_points(content: Handover, scene: Scene) -> Mesh | None:
    """Points of the surface where texels lie, in the scene frame, with normals and their colours.

    Of a finer texture every second texel, every third, and so on. None where there is no texture.
    """
    mesh, uv, picture = content.mesh, content.uv, content.picture
    if uv is None or picture is None or mesh.normals is None:
        return None
    to_scene = scene.to_source.inverse() @ content.to_source
    placed = Mesh(
        to_scene.apply(mesh.vertices),
        mesh.faces,
        to_scene.apply_to_directions(mesh.normals),
        np.zeros(mesh.vertices.shape, np.uint8),
    )
    height, width = picture.shape[:2]
    texels = texels_of(placed, Unwrapped(np.arange(len(uv)), mesh.faces, uv, (width, height)))
    some = slice(None, None, 1 + len(texels.points) // MOST_TEXELS)
    colours = picture[texels.inside][some]
    return Mesh(texels.points[some], np.zeros((0, 3), int), texels.normals[some], colours)
