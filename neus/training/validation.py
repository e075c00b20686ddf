"""Panels that show a person how training goes: photo, rendering, normals, depth.

Where a background is learned, what lies in the sphere and what lies behind it stand apart, too.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from neus.models import geometry_pictures, ready
from neus.scene import Scene
from neus.training.held_out import HeldOutViews
from neus.training.trainer import Trainer

if TYPE_CHECKING:
    from jaxtyping import UInt8

LONGEST_SIDE = 400
"""Of panels and of the views that are measured while training goes on, in pixels."""


class Validation:
    """Renders one held-out view (a training view where none is held out) into a numbered panel."""

    def __init__(
        self,
        scene: Scene,
        images: list[UInt8[np.ndarray, "h w 3"]],
        folder: Path,
        held_out: HeldOutViews | None = None,
    ) -> None:
        self._index = index = (scene.test or scene.train)[-1]
        self._photo = images[index]
        self._camera = scene.cameras[[index]].at_most(LONGEST_SIDE)
        self._folder, self._held_out = folder, held_out

    def __call__(self, trainer: Trainer) -> dict[str, float]:
        """Write the panel; figures of ``held_out``, where that is given."""
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
        known = {self._index: view}
        return {} if self._held_out is None else self._held_out.figures(trained, known)
