"""A picture of where the unit sphere lies: on some photos, from above and from the side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from neus.images import panel, resize_image
from neus.scene.reading import Scene, load_image

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8

PHOTOS = 4
SIDE = 420
"""Height of each picture in pixels; photos are no wider than twice this."""
SPHERE, AXIS, TRAINING, HELD_OUT = (255, 60, 40), (30, 170, 60), (40, 90, 220), (240, 150, 20)
GREY = (200, 200, 200)


def overview(scene: Scene) -> UInt8[np.ndarray, "h w 3"]:
    """Photos with the outline of the unit sphere, its equator and +z; cameras and points as maps.

    The sphere should hold the whole object and little else, and the green line point upwards.
    """
    chosen = np.unique(np.linspace(0, len(scene.frames) - 1, PHOTOS).round().astype(int))
    photos = [_photo(scene, int(index)) for index in chosen]
    names = [scene.frames[index].name for index in chosen]
    maps = [_map(scene, (0, 1)), _map(scene, (0, 2))]
    rows = [photos[:2] + maps[:1], photos[2:] + maps[1:]]
    return panel(rows, [*names[:2], "from above; below: from the side (orange: held out)"])


def _photo(scene: Scene, index: int) -> UInt8[np.ndarray, "h w 3"]:
    import cv2

    image, cameras = load_image(scene, index), scene.cameras[[index]]
    factor = min(1.0, SIDE / image.shape[0], 2 * SIDE / image.shape[1])
    width, height = (max(1, round(side * factor)) for side in image.shape[1::-1])
    image = resize_image(image, width, height)
    cameras = cameras.resized(np.array([width]), np.array([height]))
    centre = cameras.centres[0]
    curves = [(circle(np.array([0.0, 0, 1]), 0.0), SPHERE, 1)]
    distance = float(np.linalg.norm(centre))
    if distance > 1:
        curves.append((circle(centre / distance, 1 / distance), SPHERE, 2))
    curves.append((np.linspace([0.0, 0, 0], [0, 0, 1], 20), AXIS, 2))
    for points, colour, thickness in curves:
        pixels, depth = cameras.project(0, points)
        for i in np.flatnonzero((depth[:-1] > 1e-3) & (depth[1:] > 1e-3)):
            start, end = np.rint(np.clip(pixels[i : i + 2], -1e4, 1e4)).astype(int).tolist()
            cv2.line(image, start, end, colour, thickness, cv2.LINE_AA)
    return image


def circle(
    axis: Float[np.ndarray, "3"], height: float, count: int = 181
) -> Float[np.ndarray, "count 3"]:
    """The circle that the plane at ``height`` along a unit axis cuts out of the unit sphere.

    With the direction to a camera at distance d and the height 1/d it is the sphere's outline.
    """
    across = np.cross(axis, np.eye(3)[np.abs(axis).argmin()])
    across /= np.linalg.norm(across)
    angle = np.linspace(0, 2 * np.pi, count)[:, None]
    ring = np.cos(angle) * across + np.sin(angle) * np.cross(axis, across)
    return height * axis + np.sqrt(max(0.0, 1 - height**2)) * ring


def _map(scene: Scene, axes: tuple[int, int]) -> UInt8[np.ndarray, "h w 3"]:
    """Cameras with their viewing directions, points and the sphere, seen along the third axis."""
    import cv2

    centres, directions = scene.cameras.centres, scene.cameras.optical_axes
    reach = 1.15 * max(1.5, np.abs(centres[:, axes]).max())
    picture = np.full((SIDE, SIDE, 3), 255, np.uint8)

    def pixel(points: Float[np.ndarray, "p 3"]) -> np.ndarray:
        x, y = points[:, axes[0]], points[:, axes[1]]
        return np.rint((np.stack([x, -y], axis=1) / reach + 1) * SIDE / 2).astype(int)

    def line(start: np.ndarray, end: np.ndarray, colour: tuple[int, int, int]) -> None:
        a, b = pixel(np.stack([start, end])).tolist()
        cv2.line(picture, a, b, colour, 1, cv2.LINE_AA)

    line(np.array([-reach, 0, 0]), np.array([reach, 0, 0]), GREY)
    for axis in axes[1:]:
        line(-reach * np.eye(3)[axis], reach * np.eye(3)[axis], GREY)
    for (x, y), colour in zip(pixel(scene.points), scene.points_rgb, strict=True):
        cv2.circle(picture, (int(x), int(y)), 1, colour.tolist(), -1)
    held_out = set(scene.test)
    for i, (centre, direction) in enumerate(zip(centres, directions, strict=True)):
        colour = HELD_OUT if i in held_out else TRAINING
        line(centre, centre + 0.08 * reach * direction, colour)
        cv2.circle(picture, pixel(centre[None])[0].tolist(), 3, colour, -1, cv2.LINE_AA)
    radius = round(SIDE / 2 / reach)
    cv2.circle(picture, (SIDE // 2, SIDE // 2), radius, SPHERE, 2, cv2.LINE_AA)
    return picture
