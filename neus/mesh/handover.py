"""A surface that one can hand over: few faces, a texture, upright, in metres where known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from neus.errors import InputError
from neus.mesh.baking import baked
from neus.mesh.clean import face_areas
from neus.mesh.colour import Colour, vertex_colours
from neus.mesh.simplification import simplified
from neus.mesh.texels import texels_of
from neus.mesh.triangles import Mesh
from neus.mesh.unwrapping import NotUnwrapped, unwrapped
from neus.scene import Scene, Similarity, standpoint

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

METRES = {"mm": 1e-3, "cm": 1e-2, "m": 1.0, "km": 1e3, "in": 0.0254, "ft": 0.3048}
FINER = 2.0
"""Texels along a pixel of the view that sees a place best; several photos tell more than one."""
SHARPEST = 0.75
"""Quantile of the surface whose pixels are the measure: few places are seen from very near."""
FILLED = 0.6
"""Share of a texture that charts leave no gaps in, about."""
EXPECTED = {"simplifying": 3.0, "unwrapping": 4.2, "baking": 5.9}
"""Seconds of the parts, of the demo on two cores: what counts is how they compare."""


@dataclass(frozen=True)
class Handover:
    """A mesh as designers expect it: y up, its front towards z, its middle near the origin.

    Attributes:
        mesh: in ``unit``; with colours of vertices where there is no texture.
        uv: ``[v, 2]`` right and down from the picture's top left corner, in [0, 1], or None.
        picture: the texture, or None.
        unit: ``m``, or that of the source where nobody knows how long it is.
        to_source: leads back to the source's frame and unit.
        said: what the texture was made of.
    """

    mesh: Mesh
    uv: Float[np.ndarray, "v 2"] | None
    picture: UInt8[np.ndarray, "h w 3"] | None
    unit: str
    to_source: Similarity
    said: str


def handed_over(
    mesh: Mesh,
    scene: Scene,
    *,
    faces: int,
    side: int,
    seconds: float,
    field: Colour | None = None,
    workers: int = 1,
    report: Callable[[str], None] = lambda sentence: None,
    advance: Callable[[str, float], None] = lambda part, share: None,
) -> Handover:
    """Simplify, unwrap and bake a mesh in the source's frame, with normals and colours.

    Args:
        faces: at most so many, if they collapse so far.
        side: most texels along a side of the texture; fewer where photos show no more.
        seconds: that unwrapping may take; after them the mesh keeps its colours of vertices.
        field: colours of points and normals in the scene frame, in place of the training photos.
        advance: is told which part of `EXPECTED` is under way, and which share of it is done.

    Raises:
        InputError: the mesh is empty, or has no colours or normals.
    """
    if not len(mesh.faces) or mesh.normals is None or mesh.colours is None:
        raise InputError("a mesh to hand over has faces, normals and colours: extract it again")
    to_scene, to_viewer = scene.to_source.inverse(), _upright(scene)
    advance("simplifying", 0.0)
    few = _moved(simplified(mesh, faces, workers), to_scene)
    unit = "m" if scene.unit in METRES else scene.unit
    to_source = scene.to_source @ to_viewer.inverse()
    advance("unwrapping", 0.0)
    try:
        density = texel_density(scene, few, side)
        layout = unwrapped(few.vertices, few.faces, density, seconds).within(side)
    except NotUnwrapped as reason:
        report(f"{reason}: the mesh keeps colours of vertices; try fewer faces (mesh.faces)")
        return Handover(_moved(few, to_viewer), None, None, unit, to_source, "colours of vertices")
    advance("baking", 0.0)
    texels = texels_of(few, layout)
    baking = partial(advance, "baking")
    if field is None:
        colours, seen = baked(scene, few, texels, scene.train, workers, baking)
        said = f"{len(scene.train)} training photos, which see {seen:.0%} of it"
    else:
        colours = vertex_colours(texels.points, texels.normals, field, advance=baking)
        said = "the radiance field, face on"
    upright = _moved(few, to_viewer)
    assert upright.normals is not None
    split = Mesh(
        upright.vertices[layout.origins], layout.faces, upright.normals[layout.origins], None
    )
    return Handover(split, layout.uv, texels.picture(colours), unit, to_source, said)


def texel_density(scene: Scene, mesh: Mesh, side: int) -> float:
    """Texels along a unit of the scene: as fine as training photos show it, and ``side`` permits.

    Args:
        mesh: in the scene frame.
    """
    assert mesh.normals is not None
    step = max(1, len(mesh.vertices) // 2000)
    points, normals = mesh.vertices[::step], mesh.normals[::step]
    best = np.zeros(len(points))
    for index in scene.train:
        towards = scene.cameras.centres[index] - points
        distance = np.linalg.norm(towards, axis=1)
        cosine = (towards * normals).sum(axis=1) / np.maximum(distance, 1e-9)
        is_shown = scene.cameras.in_image(index, *scene.cameras.project(index, points))
        density = scene.cameras.intrinsics[index, 0, 0] * cosine / np.maximum(distance, 1e-9)
        best = np.maximum(best, np.where(is_shown, density, 0))
    most = side * np.sqrt(FILLED / face_areas(mesh).sum())
    shown = FINER * float(np.quantile(best, SHARPEST))
    return min(most, shown) if shown > 0 else most


def _moved(mesh: Mesh, similarity: Similarity) -> Mesh:
    normals = None if mesh.normals is None else similarity.apply_to_directions(mesh.normals)
    return Mesh(similarity.apply(mesh.vertices), mesh.faces, normals, mesh.colours)


def _upright(scene: Scene) -> Similarity:
    """From the scene frame to that of viewers: x right, y up, z to the front, in metres."""
    up, front = standpoint(scene.cameras)
    rotation = np.stack([np.cross(up, front), up, front])
    return Similarity(scene.to_source.scale * METRES.get(scene.unit, 1.0), rotation, np.zeros(3))
