"""A painted sphere, its mesh and exact photos of it from all around."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import trimesh

from neus.images.files import write_image
from neus.mesh import Mesh
from neus.scene import Cameras, Frame, Scene, Similarity, look_at

SIDE, RADIUS = 128, 0.6
TO_SOURCE = Similarity(200.0, np.eye(3)[[2, 0, 1]], np.array([5.0, -3, 640]))
HELD_OUT = 2


def painted(points: np.ndarray) -> np.ndarray:
    """Smooth colours of space, as bytes."""
    return np.rint(127.5 + 110 * np.sin(4 * points + [0, 1, 2])).astype(np.uint8)


def sphere(radius: float = RADIUS, subdivisions: int = 4) -> Mesh:
    """In the colour of nothing that a photo shows."""
    ball = trimesh.creation.icosphere(subdivisions, radius)
    vertices = np.asarray(ball.vertices)
    grey = np.full(vertices.shape, 7, np.uint8)
    return Mesh(vertices, np.asarray(ball.faces), vertices / radius, grey)


def painted_scene(folder: Path) -> Scene:
    """In millimetres of the source; the last two photos are held out, and all red."""
    directions = np.array(
        [[x, y, z] for x in (-1, 0, 1) for y in (-1, 0, 1) for z in (-1, 0.3, 1) if x or y]
    )
    centres = 3 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    poses = np.stack([look_at(c, np.zeros(3), np.array([0.0, 0, 1])) for c in centres])
    count = len(poses)
    lens = np.array([[200.0, 0, SIDE / 2], [0, 200, SIDE / 2], [0, 0, 1]])
    many = np.full(count, SIDE)
    cameras = Cameras(np.tile(lens, (count, 1, 1)), poses, many, many)
    frames = [_photographed(folder, cameras, i, i >= count - HELD_OUT) for i in range(count)]
    held, none = tuple(range(count - HELD_OUT, count)), np.zeros((0, 3))
    return Scene(tuple(frames), cameras, TO_SOURCE, "mm", held, none, none.astype(np.uint8))


def _photographed(folder: Path, cameras: Cameras, index: int, is_red: bool) -> Frame:
    origins, rays = cameras.rays(index, cameras.pixel_grid(index))
    along = -(origins * rays).sum(axis=1)
    under = along**2 - (origins**2).sum(axis=1) + RADIUS**2
    points = origins + (along - np.sqrt(np.maximum(under, 0)))[:, None] * rays
    photo = np.where(under[:, None] > 0, painted(points), 255).astype(np.uint8)
    if is_red:
        photo = np.tile(np.array([255, 0, 0], np.uint8), (len(photo), 1))
    mask = np.where(under > 0, 255, 0).astype(np.uint8)
    files = folder / f"{index}.png", folder / f"m{index}.png"
    write_image(files[0], photo.reshape(SIDE, SIDE, 3))
    write_image(files[1], mask.reshape(SIDE, SIDE))
    return Frame(str(index), *files)
