"""Panels that show a person how training goes: photo, rendering, normals, depth.

Where a background is learned, what lies in the sphere and what lies behind it stand apart, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.models import geometry_pictures, ready
from neus.scene import Cameras, Scene
from neus.training.trainer import Trainer

if TYPE_CHECKING:
    from jaxtyping import UInt8

_LONGEST_SIDE = 400


class Validation:
    """Renders one held-out view (a training view where none is held out) into a numbered panel."""

    def __init__(
        self,
        scene: Scene,
        images: list[UInt8[np.ndarray, "h w 3"]],
        folder: Path,
    ) -> None:
        index = (scene.test or scene.train)[-1]
        self._photo = images[index]
        self._camera = _at_most(scene.cameras[[index]], _LONGEST_SIDE)
        self._folder = folder

    def __call__(self, trainer: Trainer) -> None:
        from neus.images import panel, resize_image, to_uint8, write_image

        trained = ready(trainer.model, trainer.method, trainer.step, trainer.device)
        view = trained.view(self._camera, 0)
        size = int(self._camera.widths[0]), int(self._camera.heights[0])
        pictures = [resize_image(self._photo, *size), to_uint8(view.rgb)]
        pictures += geometry_pictures(view, self._camera, 0)
        captions = ["photo", f"step {trainer.step}", "normals", "depth"]
        behind = trained.surroundings(self._camera, 0)
        if behind is not None:
            over_white = view.inside + (1 - view.opacity[..., None])
            pictures += [to_uint8(over_white), to_uint8(behind)]
            captions += ["foreground", "background"]
        write_image(
            self._folder / f"step-{trainer.step:08d}.png", panel([pictures], captions=captions)
        )


def _at_most(camera: Cameras, side: int) -> Cameras:
    factor = min(1.0, side / max(int(camera.widths[0]), int(camera.heights[0])))
    return camera.resized(
        np.maximum(1, np.rint(camera.widths * factor)).astype(int),
        np.maximum(1, np.rint(camera.heights * factor)).astype(int),
    )
