"""A view of a scene with all that ``patchmatch`` takes."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType

import numpy as np
import torch
from torch import Tensor

from neus.ops.stereo import Lens, Matching, Sources
from neus.scene import Scene
from neus.stereo.depth_maps import lens_of, meets_sphere, source_operands
from neus.stereo.pictures import Pictures
from tests.helpers.textured_scenes import Truth


@dataclass(frozen=True)
class StereoView:
    """The operands, the truth (depth, normals), and pixels at least four from the edge."""

    grey: Tensor
    active: Tensor
    lens: Lens
    sources: Sources
    truth: tuple[Tensor, Tensor]
    inner: Tensor
    footprint: float
    key: int = 7

    def match(
        self,
        backend: ModuleType,
        matching: Matching,
        kind: torch.dtype = torch.float32,
        start: tuple[Tensor, Tensor] | None = None,
        device: torch.device | None = None,
    ) -> tuple[Tensor, Tensor, Tensor]:
        shape = self.grey.shape
        start = start or (torch.zeros(shape), torch.zeros(*shape, 3))
        found = backend.patchmatch(
            self.grey.to(device, kind),
            self.active.to(device),
            *(part.to(device, kind) for part in start),
            self.lens,
            self.sources.to(device) if device is not None else self.sources,
            matching,
            self.key,
        )
        return tuple(part.cpu() for part in found)


def stereo_view(scene: Scene, truths: list[Truth], view: int = 0) -> StereoView:
    """A view against all others, at full size."""
    pictures = Pictures(scene, pixels=10**9, levels=1)
    others = [j for j in range(len(pictures)) if j != view]
    cameras, picture = pictures.cameras[0], pictures.at(view, 0)
    truth = truths[view]
    return StereoView(
        torch.from_numpy(picture.grey),
        torch.from_numpy(picture.object & meets_sphere(cameras, view)),
        lens_of(cameras, view, others, pictures.masked),
        source_operands(pictures, 0, view, others, torch.device("cpu")),
        (torch.from_numpy(truth.depth), torch.from_numpy(truth.normal)),
        torch.from_numpy(within(truth.hit, 4)),
        float(np.median(truth.depth[truth.hit]) / cameras.intrinsics[view, 0, 0]),
    )


def within(mask: np.ndarray, steps: int) -> np.ndarray:
    """The pixels of a mask that no path of so many steps to a neighbour leads out of."""
    for _ in range(steps):
        wide = np.pad(mask, 1)
        sides = wide[:-2, 1:-1] & wide[2:, 1:-1] & wide[1:-1, :-2] & wide[1:-1, 2:]
        mask = mask & sides
    return mask
