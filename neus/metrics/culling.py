"""What papers cut off a mesh before they measure it, by name: the rules differ, the figures too.

Each removes what lies outside the dilated masks of the scan. Sizes of the dilations are in pixels
of DTU's 1600 x 1200 images and shrink with the images.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from neus.errors import InputError
from neus.mesh import Mesh
from neus.mesh.clean import face_areas, face_components, select_faces
from neus.metrics.geometry import Surface

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

    from neus.scene import Cameras

FULL_WIDTH = 1600
"""Of the images that the papers' dilations are meant for."""


@dataclass(frozen=True)
class Culling:
    """One paper's rule.

    Attributes:
        kernel: of the dilation: OpenCV's ellipse in a square of ``2 radius + 1`` pixels, or the
            disk ``x^2 + y^2 <= radius^2``.
        radius: of the kernel, in pixels of an image `FULL_WIDTH` wide.
        least_views: images that a vertex must lie in; one outside of all images counts as inside
            all masks.
        face_stays: with ``all`` or ``any`` of its corners.
        largest: which component is kept: by its ``faces`` or its ``area``.
        largest_first: whether components are compared before the masks or after.
        source: where the rule stands.
    """

    kernel: Literal["ellipse", "disk"]
    radius: float
    least_views: int
    face_stays: Literal["all", "any"]
    largest: Literal["faces", "area"]
    largest_first: bool
    source: str


CULLINGS: dict[str, Culling | None] = {
    "none": None,
    "neus": Culling("ellipse", 50, 0, "all", "faces", False, "NeuS, runs without masks"),
    "neuralwarp": Culling("disk", 12, 2, "any", "area", False, "NeuralWarp, also Geo-NeuS"),
    "2dgs": Culling("disk", 24, 0, "all", "faces", True, "2DGS, also GeoSVR"),
}


def cull(
    surface: Surface,
    name: str,
    cameras: Cameras,
    masks: Sequence[UInt8[np.ndarray, "h w"]],
) -> Surface:
    """Cut off what a rule of `CULLINGS` calls background.

    Args:
        surface: in the frame of ``cameras``. Of a cloud of points, those outside are dropped.
        masks: one for each camera, of its size: coverage, 0 to 255.

    Raises:
        InputError: nothing is left.
    """
    rule = CULLINGS[name]
    if rule is None:
        return surface
    if surface.faces is None:
        left = Surface(surface.vertices[_vertices_inside(surface.vertices, rule, cameras, masks)])
    else:
        mesh = Mesh(surface.vertices, surface.faces)
        mesh = _largest(mesh, rule) if rule.largest_first else mesh
        inside = _vertices_inside(mesh.vertices, rule, cameras, masks)
        mesh = select_faces(mesh, getattr(inside[mesh.faces], rule.face_stays)(axis=1))
        mesh = mesh if rule.largest_first else _largest(mesh, rule)
        left = Surface(mesh.vertices, mesh.faces)
    if len(left.vertices) == 0:
        raise InputError(
            f"culling {name} leaves nothing of the surface: check that the mesh lies in the frame "
            "of the scan's cameras, or set culling to none"
        )
    return left


def _vertices_inside(
    vertices: Float[np.ndarray, "v 3"],
    rule: Culling,
    cameras: Cameras,
    masks: Sequence[UInt8[np.ndarray, "h w"]],
) -> Bool[np.ndarray, "v"]:
    """Whether no image shows a vertex outside its dilated mask, and enough images show it."""
    inside, views = np.ones(len(vertices), bool), np.zeros(len(vertices), np.int64)
    for index, mask in enumerate(masks):
        pixels, depth = cameras.project(index, vertices)
        seen = cameras.in_image(index, pixels, depth)
        columns, rows = pixels[seen].astype(np.int64).T
        inside[seen] &= dilated(mask, rule)[rows, columns]
        views += seen
    return inside & (views >= rule.least_views)


def dilated(mask: UInt8[np.ndarray, "h w"], rule: Culling) -> Bool[np.ndarray, "h w"]:
    """The mask, grown by the rule's kernel at the size that it has in this image."""
    import cv2

    binary = np.where(mask > 127, np.uint8(255), np.uint8(0))
    radius = rule.radius * mask.shape[1] / FULL_WIDTH
    if rule.kernel == "ellipse":
        side = 2 * round(radius) + 1
        kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        return cv2.dilate(binary, kernel) > 0
    if not binary.any():
        return binary > 0
    return cv2.distanceTransform(255 - binary, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) <= radius + 1e-3


def _largest(mesh: Mesh, rule: Culling) -> Mesh:
    if not len(mesh.faces):
        return mesh
    component = face_components(mesh)
    size = np.bincount(component, face_areas(mesh) if rule.largest == "area" else None)
    return select_faces(mesh, component == size.argmax())
