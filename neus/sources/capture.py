"""What every reader of a data format returns, and how most put it together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.images import (
    AS_SEEN,
    LensCamera,
    Orientation,
    Rectification,
    pinhole_intrinsics,
    turn_camera,
)
from neus.scene import Cameras, Frame, Scene, Similarity
from neus.sources.names import distinct_names
from neus.sources.photos import natural_order

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class Capture:
    """Posed images in the frame and unit of their source.

    Attributes:
        scene: ``to_source`` is the identity; images and masks are the files of the source. If
            ``test`` is not empty, the source itself says which images are held out.
        sphere: from the unit sphere to the source frame where the source says in which sphere
            the object lies, else None.
        files: of the source, which it was read from besides images and masks.
    """

    scene: Scene
    sphere: Similarity | None
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class PosedPhoto:
    """A photo as its file holds it, and the camera that took it.

    Attributes:
        name: path below the folder of images.
        image, mask: files; a mask that is the image itself is the alpha channel, or not black.
        size: width and height as stored, in pixels.
        camera: intrinsics ``[3, 3]`` of a pinhole, or a lens that distorts.
        camera_to_world: ``[3, 4]``, for the pixels as stored.
        lies: how the file holds it.
        is_test: whether the source holds it out.
    """

    name: str
    image: Path
    mask: Path | None
    size: tuple[int, int]
    camera: Float[np.ndarray, "3 3"] | LensCamera
    camera_to_world: Float[np.ndarray, "3 4"]
    lies: Orientation = AS_SEEN
    is_test: bool = False


def assemble(
    photos: Sequence[PosedPhoto],
    *,
    unit: str,
    points: Float[np.ndarray, "p 3"] | None = None,
    points_rgb: UInt8[np.ndarray, "p 3"] | None = None,
    files: Sequence[Path] = (),
) -> Capture:
    """Photos in natural order of their names, as upright pinholes; without a stated sphere.

    Args:
        points, points_rgb: of the source, in its frame.
        files: that the cameras and points were read from.
    """
    photos = sorted(photos, key=lambda photo: (natural_order(photo.name), photo.name))
    frames, intrinsics, poses, sizes = [], [], [], []
    pinholes: dict[int, Float[np.ndarray, "3 3"]] = {}  # of lenses, which photos share
    names = distinct_names([photo.name for photo in photos])
    for photo, name in zip(photos, names, strict=True):
        if isinstance(photo.camera, np.ndarray):
            lens, matrix = None, photo.camera
        else:
            lens = photo.camera
            if id(lens) not in pinholes:
                pinholes[id(lens)] = pinhole_intrinsics(lens)
            matrix = pinholes[id(lens)]
        clockwise = photo.lies.clockwise
        rectify = Rectification(lens, matrix, *photo.size, clockwise, photo.lies.is_mirrored)
        is_as_stored = lens is None and photo.lies == AS_SEEN
        frames.append(Frame(name, photo.image, photo.mask, None if is_as_stored else rectify))
        turned = turn_camera(matrix, photo.camera_to_world, clockwise, *photo.size)
        intrinsics.append(turned[0])
        poses.append(turned[1])
        sizes.append(photo.size[:: -1 if clockwise % 2 else 1])
    widths, heights = np.array(sizes, dtype=np.int64).T
    points = np.zeros((0, 3)) if points is None else points
    scene = Scene(
        frames=tuple(frames),
        cameras=Cameras(np.array(intrinsics), np.array(poses), widths, heights),
        to_source=Similarity.identity(),
        unit=unit,
        test=tuple(i for i, photo in enumerate(photos) if photo.is_test),
        points=points,
        points_rgb=np.full_like(points, 128, np.uint8) if points_rgb is None else points_rgb,
    )
    return Capture(scene, sphere=None, files=tuple(files))
