"""Grey pictures and masks of the training views, at every level of the pyramid."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np

from neus.images import resize_coverage, resize_image
from neus.scene import Cameras, Scene, load_image, load_mask

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, UInt8

KEPT_PIXELS = 60_000_000
"""Of the finest level, in memory at a time."""
TOUCHED = 25
"""Coverage (of 255) from which a source's pixel may show the object."""


@dataclass(frozen=True)
class Picture:
    """One view at one level.

    Attributes:
        rgb: as bytes.
        grey: in [0, 1].
        object: where the mask says object, or everywhere without a mask.
        touched: where the mask says that there may be object.
    """

    rgb: UInt8[np.ndarray, "h w 3"]
    grey: Float[np.ndarray, "h w"]
    object: Bool[np.ndarray, "h w"]
    touched: Bool[np.ndarray, "h w"]


class Pictures:
    """The training views of a scene, read when they are asked for; the last ones are kept.

    Attributes:
        indices: of the scene's training frames; a view is a place in this list.
        cameras: of the views, one batch a level, the coarsest first.
        masked: whether every view has a mask.
    """

    def __init__(self, scene: Scene, *, pixels: int, levels: int) -> None:
        self._scene = scene
        self.indices = list(scene.train)
        self.masked = bool(self.indices) and set(self.indices) <= set(scene.masked)
        finest = _shrunk(scene.cameras[self.indices], pixels)
        smallest = int(min(finest.widths.min(), finest.heights.min())) if self.indices else 1
        levels = max(1, min(levels, int(math.log2(max(smallest / 32, 1))) + 1))
        self.cameras = [_scaled(finest, 0.5**k) for k in reversed(range(levels))]
        self._views: OrderedDict[int, list[Picture]] = OrderedDict()
        self._lock, self._reading = Lock(), [Lock() for _ in self.indices]
        largest = int((finest.widths * finest.heights).max()) if self.indices else 1
        self._room = max(16, KEPT_PIXELS // largest)

    def __len__(self) -> int:
        return len(self.indices)

    @property
    def levels(self) -> int:
        return len(self.cameras)

    def at(self, view: int, level: int) -> Picture:
        """A view at a level, 0 for the coarsest; threads that ask for the same one read it once.

        Raises:
            InputError: its file is unreadable or not of its camera's size.
        """
        with self._reading[view]:
            with self._lock:
                known = self._views.get(view)
            pictures = known or self._read(view)
            with self._lock:
                self._views[view] = pictures
                self._views.move_to_end(view)
                if len(self._views) > self._room:
                    self._views.popitem(last=False)
        return pictures[level]

    def _read(self, view: int) -> list[Picture]:
        frame = self.indices[view]
        image = load_image(self._scene, frame)
        has_mask = self._scene.frames[frame].mask is not None
        mask = load_mask(self._scene, frame) if has_mask else None
        pictures = []
        for cameras in self.cameras:
            width, height = int(cameras.widths[view]), int(cameras.heights[view])
            rgb = resize_image(image, width, height)
            grey = resize_image(_luminance(image), width, height)
            if mask is None:
                cover = np.full((height, width), 255, np.uint8)
            else:
                cover = resize_coverage(mask, width, height)
            pictures.append(Picture(rgb, grey, cover > 127, cover >= TOUCHED))
        return pictures


def _luminance(rgb: UInt8[np.ndarray, "h w 3"]) -> Float[np.ndarray, "h w"]:
    """Grey by the weights of Rec. 601, in [0, 1]."""
    return rgb.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32) / np.float32(255)


def _shrunk(cameras: Cameras, pixels: int) -> Cameras:
    """No view with more than so many pixels; all smaller by the same factor."""
    if not len(cameras):
        return cameras
    largest = int((cameras.widths * cameras.heights).max())
    return _scaled(cameras, min(1.0, math.sqrt(pixels / largest)))


def _scaled(cameras: Cameras, factor: float) -> Cameras:
    if factor == 1:
        return cameras
    widths = np.maximum(np.rint(cameras.widths * factor), 1).astype(np.int64)
    heights = np.maximum(np.rint(cameras.heights * factor), 1).astype(np.int64)
    return cameras.resized(widths, heights)
