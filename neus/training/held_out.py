"""How well views that are held out look while training goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from neus.config import MethodConfig
from neus.models import TrainedModel, View
from neus.scene import Scene, load_mask

if TYPE_CHECKING:
    from jaxtyping import UInt8


class HeldOutViews:
    """Some of the views that a scene holds out, made small, beside what they should look like.

    That is the photo as the method sees it: with masks, in front of its background, as in the
    figures of a finished model. Those are of full size; these come before, and more often.
    """

    def __init__(
        self,
        scene: Scene,
        images: list[UInt8[np.ndarray, "h w 3"]],
        method: MethodConfig,
        side: int,
    ) -> None:
        """``training.validation_views`` of them, evenly spaced, with the last; the longer side has
        ``side`` pixels at most."""
        from neus.images import resize_coverage, resize_image
        from neus.metrics.evaluation import Surroundings

        count = min(method.training.validation_views, len(scene.test))
        places = [len(scene.test) - 1 - i * len(scene.test) // count for i in range(count)]
        self.indices = [scene.test[place] for place in reversed(places)]
        self._cameras = scene.cameras.at_most(side)
        self._targets, seen = {}, Surroundings.of(method)
        for index in self.indices:
            size = int(self._cameras.widths[index]), int(self._cameras.heights[index])
            photo, coverage = resize_image(images[index], *size) / 255, None
            if scene.frames[index].mask is not None and seen.background is not None:
                coverage = resize_coverage(load_mask(scene, index), *size) / 255
            self._targets[index] = seen.photo(photo, coverage)

    def figures(self, trained: TrainedModel, known: Mapping[int, View]) -> dict[str, float]:
        """The mean PSNR in dB, as ``psnr``; nothing where no view is held out.

        Args:
            known: views of that size that were rendered already, by their index in the scene.
        """
        from neus.metrics.images import psnr

        if not self.indices:
            return {}
        found = []
        for index in self.indices:
            view = known[index] if index in known else trained.view(self._cameras, index)
            found.append(psnr(view.rgb, self._targets[index]))
        return {"psnr": float(np.mean(found))}
