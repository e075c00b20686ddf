"""From the pixels of a photo's file to those of an upright pinhole camera.

Lenses distort, and phones store a photo held upright as a lying one with a tag. Cameras of a
:class:`neus.scene.Scene` are upright pinholes, so both are taken out where an image is read.
(Mirroring is no camera's affair: :mod:`neus.images.stored` undoes it.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from neus.images.undistort import LensCamera, source_map, undistort_pixels, warp

if TYPE_CHECKING:
    from jaxtyping import Float, UInt8


@dataclass(frozen=True)
class Rectification:
    """What is done to a photo after it is read.

    Attributes:
        lens: the camera of the pixels as stored, or None if it is a pinhole already.
        intrinsics: of the pinhole image, before it is turned.
        width, height: as stored, in pixels.
        clockwise: quarter turns that put the image upright, 0 to 3.
        is_mirrored: whether the file holds the photo mirrored. Its own pixels come mirrored back
            already; those of a mask that was made from the file do not.
    """

    lens: LensCamera | None
    intrinsics: Float[np.ndarray, "3 3"]
    width: int
    height: int
    clockwise: int
    is_mirrored: bool = False

    def __call__(
        self, image: UInt8[np.ndarray, "h w *c"], is_painted: bool
    ) -> UInt8[np.ndarray, "H W *c"]:
        """Undistort, then turn upright.

        Args:
            is_painted: a mask from a file of its own. People paint what they see, so it is taken
                to be upright already, unless only the stored photo has its size.
        """
        stored = (self.height, self.width)
        if is_painted and image.shape[1::-1] == self._upright_size:
            image = np.rot90(image, self.clockwise)
        elif is_painted and self.is_mirrored:
            image = image[:, ::-1]
        if self.lens is not None and image.shape[:2] == stored:
            image = warp(np.ascontiguousarray(image), source_map(self.lens, self.intrinsics))
        return np.ascontiguousarray(np.rot90(image, -self.clockwise))

    def rectify_pixels(self, pixels: Float[np.ndarray, "p 2"]) -> Float[np.ndarray, "p 2"]:
        """Where positions in the photo, upright but not undistorted, lie in the rectified image."""
        back = -self.clockwise % 4
        stored = turn_pixels(pixels, back, *self._upright_size)
        if self.lens is not None:
            stored = undistort_pixels(self.lens, self.intrinsics, stored)
        return turn_pixels(stored, self.clockwise, self.width, self.height)

    @property
    def _upright_size(self) -> tuple[int, int]:
        if self.clockwise % 2:
            return self.height, self.width
        return self.width, self.height


def turn_pixels(
    pixels: Float[np.ndarray, "p 2"], clockwise: int, width: int, height: int
) -> Float[np.ndarray, "p 2"]:
    """Positions in an image of ``width`` x ``height``, after its quarter turns to the right."""
    for _ in range(clockwise):
        pixels = np.stack([height - pixels[:, 1], pixels[:, 0]], axis=1)
        width, height = height, width
    return pixels


def turn_camera(
    intrinsics: Float[np.ndarray, "3 3"],
    camera_to_world: Float[np.ndarray, "3 4"],
    clockwise: int,
    width: int,
    height: int,
) -> tuple[Float[np.ndarray, "3 3"], Float[np.ndarray, "3 4"]]:
    """The pinhole camera whose image is that of the given one, turned to the right.

    Turned once, the new x axis points against the old y axis, and the new y along the old x.
    """
    centre = turn_pixels(intrinsics[None, :2, 2], clockwise, width, height)[0]
    focal = np.diag(intrinsics)[:2][:: -1 if clockwise % 2 else 1]
    turned = np.array([[focal[0], 0, centre[0]], [0, focal[1], centre[1]], [0, 0, 1]])
    pose = camera_to_world.copy()
    for _ in range(clockwise):
        pose[:, 0], pose[:, 1] = -pose[:, 1], pose[:, 0].copy()
    return turned, pose
